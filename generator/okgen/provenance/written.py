"""The causes of what okgen's own code writes: the values of cluster.yaml that make it another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.provenance.cause import ABSENT, DEFAULT, GIVEN, OKGEN, Cause, every
from okgen.provenance.counterfactual import is_addon

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from okgen.problem import Path
    from okgen.provenance.counterfactual import Counterfactual
    from okgen.provenance.objects import Objects
    from okgen.provenance.origins import Origins
    from okgen.resolve.cluster import Enabled

OF_INPUT = (GIVEN, DEFAULT, ABSENT)  # the kinds of causes whose paths are those of cluster.yaml
# Which of okgen's modules writes a file that has no template, by the start of its path.
_WRITERS = (
    ("iam/cloudformation.yaml", "okgen/render/cloudformation.py"),
    ("iam/", "okgen/render/iam.py"),
    ("README.md", "okgen/render/readme.py"),
    ("", "okgen/render/argocd.py"),
)
_SETTINGS = ("namespace", "version", "replicas")  # of an add-on, which code reads by name
_CONSTANT = "okgen writes it so, whatever cluster.yaml says"


class Written:
    """Answers by rendering with other values; ``objects`` and ``presence`` are asked by an add-on's name."""

    def __init__(
        self,
        enabled: Mapping[str, Enabled],
        origins: Origins,
        other: Counterfactual,
        objects: Callable[[str], Objects],
        presence: Callable[[str], Cause],
    ) -> None:
        self._enabled, self._origins, self._other = enabled, origins, other
        self._objects, self._presence = objects, presence
        self._candidates: list[Path] = []

    def reaches(self, path: Path, file: str, leaf: Path) -> bool:
        """Whether a value of cluster.yaml, or anything in it, has to do with a field."""
        wanted = [each for each in self._seen_by_code() if each[: len(path)] == path]
        if any(leaf in self._other.moved(each, file) for each in wanted):
            return True
        return bool(wanted) and not set(self._together(file, leaf)).isdisjoint(wanted)

    def causes(self, file: str, leaf: Path) -> list[Cause]:
        """The causes of a field."""
        below, conditions = [], []
        for path in self._movers(file, leaf):
            if not is_addon(path):
                below.append(self._origins.input(path))
            elif _is_of(str(path[1]), file):
                conditions.append(self._presence(str(path[1])))
            else:
                below.append(self._presence(str(path[1]))._replace(is_condition=False))
        text = "okgen writes it from" if below else _CONSTANT
        return [Cause(OKGEN, _writer(file, leaf), 1, 1, (), text, below=tuple(below)), *conditions]

    def _movers(self, file: str, leaf: Path) -> list[Path]:
        found = [path for path in self._seen_by_code() if leaf in self._other.moved(path, file)]
        return found or self._together(file, leaf)

    def _together(self, file: str, leaf: Path) -> list[Path]:
        """The values of cluster.yaml that none but all of them together make a field another."""
        candidates = self._seen_by_code()
        if not self._other.is_moved_by_all(file, leaf, candidates):
            return []
        if any(leaf in self._other.moved(path, file) for path in candidates):
            return []
        return self._other.together(file, leaf, candidates)

    def _seen_by_code(self) -> list[Path]:
        """The values of cluster.yaml that okgen's own code may have to do with: those that not only templates read."""
        if not self._candidates:
            wanted: set[Path] = set()
            for name, enabled in self._enabled.items():
                objects = self._objects(name)
                reads = [read for mark in objects.identity() for read in mark.reads]
                reads += [read for mark in objects.identity() for guard in mark.guards for read in guard.reads]
                causes = every(self._origins.causes([*reads, *self._origins.conditions(enabled)]))
                wanted |= {each.path for each in causes if each.kind in OF_INPUT}
            self._candidates = [
                path
                for path in self._other.paths()
                if path[0] != "addons" or is_addon(path) or path in wanted or path[-1] in _SETTINGS
            ]
        return self._candidates


def _is_of(addon: str, file: str) -> bool:
    """Whether a file is there for that add-on alone."""
    return file.startswith((f"addons/{addon}/", f"iam/{addon}.")) or file == f"argocd/application-{addon}.yaml"


def _writer(file: str, leaf: Path) -> str:
    """Which of okgen's modules writes what comes from no template."""
    if file.endswith("/kustomization.yaml"):
        return "okgen/render/kustomize.py"
    if file.startswith("addons/"):
        return "okgen/render/manifest.py" if "labels" in leaf else "okgen/render/workload.py"
    return next(module for start, module in _WRITERS if file.startswith(start))
