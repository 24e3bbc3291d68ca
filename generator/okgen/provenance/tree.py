"""One rendered tree, and for every field in it where it comes from."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from okgen import index
from okgen.argocd import DIGEST, source_path
from okgen.catalogue import Catalogue
from okgen.provenance import fields, policies
from okgen.provenance.cause import DEFAULT, DERIVED, GIVEN, OKGEN, PATCH, TEMPLATE, Cause, ends
from okgen.provenance.counterfactual import Counterfactual, is_addon
from okgen.provenance.objects import Objects
from okgen.provenance.origins import Origins
from okgen.provenance.tracing import Mark, MarkedList, MarkedNames
from okgen.schema import bundle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from okgen.cluster import Cluster, Enabled
    from okgen.problem import Path
    from okgen.source import Document

# Which of okgen's modules writes what has no template, by the start of the file's path.
_WRITERS = (
    ("iam/cloudformation.yaml", "okgen/cloudformation.py"),
    ("iam/", "okgen/iam.py"),
    ("README.md", "okgen/readme.py"),
    ("addons/", "okgen/workload.py"),
    ("", "okgen/argocd.py"),
)
_SETTINGS = ("namespace", "version", "replicas")  # of an add-on, which code reads by name
_KUSTOMIZATION = "kustomization.yaml"


@cache
def _catalogue() -> Catalogue:
    return Catalogue()


class Provenance:
    """The causes of the fields of one tree; what is worked out for one is kept for the next."""

    def __init__(self, document: Document, cluster: Cluster, files: Mapping[str, str]) -> None:
        self.files = files
        self._document, self._cluster = document, cluster
        self._enabled = {enabled.addon.name: enabled for enabled in cluster.addons}
        schema = bundle(_catalogue(), self._enabled)
        self._origins = Origins(document, cluster, schema)
        self._other = Counterfactual(document, cluster, files, _catalogue(), schema)
        self._objects: dict[str, Objects] = {}
        self._data: dict[str, Any] = {}
        self._candidates: list[Path] = []
        self._known: dict[tuple[str, Path], tuple[Cause, ...]] = {}

    def causes(self, file: str, path: Path = ()) -> list[Cause]:
        """The chains that lead to a field, or to all fields in it. Raises LookupError for one that is not there."""
        found: dict[Cause, None] = {}
        for leaf in fields.leaves(fields.at(self.data(file), path), path):
            found.update(dict.fromkeys(self._causes(file, leaf)))
        return list(found)

    def ends(self, file: str, path: Path = ()) -> list[Cause]:
        """Where these chains end, each place once. Raises LookupError for a field that is not there."""
        return ends(self.causes(file, path))

    def reached(self, path: Path) -> dict[str, list[Path]]:
        """By file, the fields that a value of cluster.yaml has to do with, or anything in that value."""
        found: dict[str, list[Path]] = {}
        for file in (*self.files, index.NAME):
            fields_of = [leaf for leaf in fields.leaves(self.data(file)) if self._reaches(path, file, leaf)]
            if fields_of:
                found[file] = fields_of
        return found

    def data(self, file: str) -> Any:  # noqa: ANN401 - any YAML value
        """What a file of the tree holds. Raises LookupError for one that is not there."""
        if file not in self._data:
            if file == index.NAME:
                self._data[file] = {"files": {each: index.encoded(text)[1] for each, text in self.files.items()}}
            else:
                self._data[file] = fields.data_of(file, self.files[file])
        return self._data[file]

    def _reaches(self, path: Path, file: str, leaf: Path) -> bool:
        return any(each.kind == GIVEN and (each.path[: len(path)] == path) for each in _all(self._causes(file, leaf)))

    def _causes(self, file: str, leaf: Path) -> tuple[Cause, ...]:
        key = file, leaf
        if key not in self._known:
            self._known[key] = tuple(self._of(file, leaf))
        return self._known[key]

    def _of(self, file: str, leaf: Path) -> list[Cause]:
        if file == index.NAME:
            return [self._follower(str(leaf[-1]), [str(leaf[-1])])]
        folder, _, name = file.rpartition("/")
        if leaf[-1] == DIGEST and folder == "argocd":
            inside = str(self.data(file)["spec"]["source"]["path"]).removeprefix(f"{source_path(self._cluster)}/")
            return [self._follower(inside, [each for each in self.files if each.startswith(f"{inside}/")])]
        if name == _KUSTOMIZATION:
            return self._kustomization(file, folder, leaf)
        mark = self._mark(file, leaf)
        if isinstance(mark, Mark):
            return [*self._marked(mark), *self._presence(file)]
        return self._written(file, leaf)

    def _follower(self, what: str, files: Iterable[str]) -> Cause:
        below = {each: None for file in files for each in self.causes(file)}
        return Cause(OKGEN, "okgen/index.py", 1, 1, (), f"changes with {what}", below=tuple(below))

    def _mark(self, file: str, leaf: Path) -> Any:  # noqa: ANN401 - a mark, or a value without one
        folder, _, name = file.rpartition("/")
        if folder.startswith("addons/"):
            return _at(self._of_addon(folder.removeprefix("addons/")).files.get(name), leaf)
        if folder == "iam":
            return self._policy_mark(name, leaf)
        return None

    def _of_addon(self, name: str) -> Objects:
        if name not in self._objects:
            self._objects[name] = Objects(self._enabled[name], self._cluster, self._origins.seen[name])
        return self._objects[name]

    def _policy_mark(self, name: str, leaf: Path) -> Any:  # noqa: ANN401 - a mark, or a value without one
        for addon in self._enabled:
            place = policies.statement_of(addon, name, leaf)
            if place:
                number, rest = place
                texts = policies.files_of(addon, self.files)
                statement = self.data(texts[number])["Statement"][rest[0]]
                return policies.mark_of(statement, rest[1:], self._of_addon(addon).statements)
        return None

    def _marked(self, mark: Mark) -> list[Cause]:
        below = self._origins.causes(mark.reads)
        guards = [
            Cause(TEMPLATE, *guard.spot[:3], (), guard.spot.text, True, tuple(self._origins.causes(guard.reads)))
            for guard in mark.guards
        ]
        if mark.spot is None:
            return [*below, *guards]
        return [Cause(TEMPLATE, *mark.spot[:3], (), mark.spot.text, below=tuple(below)), *guards]

    def _presence(self, file: str) -> list[Cause]:
        """That the add-on is on, for what would not be there without it."""
        for name in self._enabled:
            if file.startswith((f"addons/{name}/", f"iam/{name}.")) or file == f"argocd/application-{name}.yaml":
                path = ("addons", name)
                line, column = self._document.place(path, key=True)
                return [Cause(GIVEN, self._document.file, line, column, path, "turns the add-on on", is_condition=True)]
        return []

    def _written(self, file: str, leaf: Path) -> list[Cause]:
        """The causes of what okgen's own code writes: the values of cluster.yaml that make it another."""
        paths = [path for path in self._seen_by_code() if leaf in self._other.moved(path, file)]
        below = [self._origins.input(path) for path in paths if not is_addon(path)]
        writer = next(module for start, module in _WRITERS if file.startswith(start))
        presence = [each for path in paths if is_addon(path) for each in self._presence(f"addons/{path[1]}/")]
        return [Cause(OKGEN, writer, 1, 1, (), "okgen writes it", below=(*below, *presence)), *self._presence(file)]

    def _seen_by_code(self) -> list[Path]:
        """The values of cluster.yaml that okgen's own code may have to do with: those that not only templates read."""
        if not self._candidates:
            wanted: set[Path] = set()
            for name, enabled in self._enabled.items():
                objects = self._of_addon(name)
                reads = [read for mark in objects.identity() for read in mark.reads]
                reads += [read for mark in objects.identity() for guard in mark.guards for read in guard.reads]
                causes = _all(self._origins.causes([*reads, *self._origins.conditions(enabled)]))
                wanted |= {each.path for each in causes if each.kind in (GIVEN, DEFAULT, DERIVED)}
            self._candidates = [
                path
                for path in self._other.paths()
                if path[0] != "addons" or is_addon(path) or path in wanted or path[-1] in _SETTINGS
            ]
        return self._candidates

    def _kustomization(self, file: str, folder: str, leaf: Path) -> list[Cause]:
        enabled = self._enabled.get(folder.removeprefix("addons/")) if folder.startswith("addons/") else None
        data = self.data(file)
        if leaf[0] == "resources" and f"{folder}/{fields.at(data, leaf)}" in self.files:
            return [self._listed(f"{folder}/{fields.at(data, leaf)}")]
        if enabled and leaf[0] == "resources":
            found = self._origins.crds(enabled, str(fields.at(data, leaf)))
            if found:
                return [*found, *self._presence(file)]
        if enabled and leaf[0] == "patches":
            number = int(leaf[1]) - (len(data["patches"]) - len(enabled.patches))
            if number >= 0:
                return [*self._patch(enabled, number, leaf[2:]), *self._presence(file)]
        return self._written(file, leaf)

    def _listed(self, file: str) -> Cause:
        """Why a file has its name: its kind and its own name, and what the object is there for."""
        data = self.data(file)
        wanted = [("kind",), *(("metadata", key) for key in ("name", "namespace") if key in data["metadata"])]
        below = {each: None for path in wanted for each in self.causes(file, path)}
        return Cause(OKGEN, "okgen/kustomize.py", 1, 1, (), f"lists {file}", below=tuple(below))

    def _patch(self, enabled: Enabled, number: int, rest: Path) -> list[Cause]:
        patch = enabled.patches[number]
        at: Path = ("addons", enabled.addon.name, "patches", patch.number)
        given = enabled.values["patches"][patch.number]
        if rest == ("patch",) and "path" in given:
            cause = self._origins.input((*at, "path"))
            return [cause._replace(below=(Cause(PATCH, given["path"], 1, 1, (), "the patch"),))]
        return [self._origins.input((*at, *rest))]


def _all(causes: Iterable[Cause]) -> Iterator[Cause]:
    for each in causes:
        yield each
        yield from _all(each.below)


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401 - any marked value
    try:
        found = fields.at(data, path)
    except (LookupError, TypeError):
        return None
    return found.mark if isinstance(found, (MarkedNames, MarkedList)) else found
