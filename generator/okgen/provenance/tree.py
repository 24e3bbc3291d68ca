"""One rendered tree, and for every field in it where it comes from."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from okgen import __version__
from okgen.addons.catalogue import Catalogue
from okgen.judge.schema import bundle
from okgen.provenance import fields, policies
from okgen.provenance.cause import GIVEN, OKGEN, PATCH, TEMPLATE, Cause, ends, every
from okgen.provenance.counterfactual import Counterfactual
from okgen.provenance.objects import Objects
from okgen.provenance.origins import Origins
from okgen.provenance.tracing import Mark, MarkedList, MarkedNames
from okgen.provenance.written import OF_INPUT, Written
from okgen.render.argocd import DIGEST, source_path
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from okgen.problem import Path
    from okgen.provenance.recording import Read
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster, Enabled

DIGEST_PATH = ("metadata", "annotations", DIGEST)


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
        self._code = Written(self._enabled, self._origins, self._other, self._of_addon, self._presence)
        self._known: dict[tuple[str, Path], tuple[Cause, ...]] = {}
        self._given: dict[tuple[str, Path], tuple[Cause, ...] | None] = {}

    def causes(self, file: str, path: Path = ()) -> list[Cause]:
        """The chains that lead to a field, or to all fields in it. Raises LookupError for one that is not there."""
        found: dict[Cause, None] = {}
        for leaf in fields.leaves(fields.at(self.data(file), path), path):
            found.update(dict.fromkeys(self._causes(file, leaf)))
        return list(found)

    def ends(self, file: str, path: Path = ()) -> list[Cause]:
        """Where these chains end, each place once. Raises LookupError for a field that is not there."""
        return ends(self.causes(file, path))

    def reaches(self, path: Path, file: str, field: Path = ()) -> bool:
        """Whether a value of cluster.yaml, or anything in it, has to do with a field, or with anything in it.

        Much cheaper than asking for all causes of what okgen's own code writes. Raises LookupError.
        """
        if file == index.NAME:
            return len(field) > 1 and self.reaches(path, str(field[1]))
        folder = self._digest_of(file)
        leaves = list(fields.leaves(fields.at(self.data(file), field), field))
        if folder and DIGEST_PATH in leaves and self._is_followed(path, folder):
            return True
        return any(self._reaches(path, file, leaf) for leaf in leaves)

    def reached(self, path: Path) -> dict[str, list[Path]]:
        """By file, the fields that a value of cluster.yaml has to do with, or anything in that value."""
        found: dict[str, list[Path]] = {}
        for file in self.files:
            leaves = [leaf for leaf in fields.leaves(self.data(file)) if self._reaches(path, file, leaf)]
            if leaves:
                found[file] = leaves
        folders = {file.rpartition("/")[0] for file in found}
        for file in self.files:
            folder = self._digest_of(file)
            if folder and (folder in folders or self._is_absent(path, folder)):
                found[file] = [*found.get(file, []), DIGEST_PATH]
        changed: list[Path] = [("files", file) for file in self.files if file in found]
        return {**found, index.NAME: changed} if changed else found

    def text(self, file: str) -> str:
        """The text of a file of the tree. Raises LookupError for one that is not there."""
        if file != index.NAME:
            return self.files[file]
        digests = {each: index.encoded(text)[1] for each, text in self.files.items()}
        return index.text(index.Index(__version__, digests, {})).decode()

    @property
    def values(self) -> dict[str, Any]:
        """What cluster.yaml says, with all defaults."""
        return self._other.values

    def data(self, file: str) -> Any:  # noqa: ANN401 - any YAML value
        """What a file of the tree holds. Raises LookupError for one that is not there."""
        if file not in self._data:
            self._data[file] = fields.data_of(file, self.text(file))
        return self._data[file]

    def _reaches(self, path: Path, file: str, leaf: Path) -> bool:
        if leaf == DIGEST_PATH:
            return False
        key = file, leaf
        if key not in self._given:
            causes = self._traced(file, leaf)
            self._given[key] = None if causes is None else tuple(every(causes))
        given = self._given[key]
        if given is not None:
            return any(_is_below(each, path) for each in given)
        return self._code.reaches(path, file, leaf)

    def _is_followed(self, path: Path, folder: str) -> bool:
        inside = (each for each in self.files if each.rpartition("/")[0] == folder)
        return self._is_absent(path, folder) or any(self.reaches(path, each) for each in inside)

    def _is_absent(self, path: Path, folder: str) -> bool:
        """Whether something that is not in an add-on's folder is not because of a value."""
        absent = self._of_addon(folder.removeprefix("addons/")).absent if folder.startswith("addons/") else ()
        return any(_is_below(each, path) for each in every(self._origins.causes(absent)))

    def _causes(self, file: str, leaf: Path) -> tuple[Cause, ...]:
        key = file, leaf
        if key not in self._known:
            self._known[key] = tuple(self._of(file, leaf))
        return self._known[key]

    def _of(self, file: str, leaf: Path) -> list[Cause]:
        if file == index.NAME:
            if leaf[0] != "files":
                return [Cause(OKGEN, "okgen/write/index.py", 1, 1, (), "okgen's own")]
            return [self._follower(str(leaf[-1]), [str(leaf[-1])], ())]
        folder = self._digest_of(file)
        if folder and leaf == DIGEST_PATH:
            inside = [each for each in self.files if each.rpartition("/")[0] == folder]
            absent = self._of_addon(folder.removeprefix("addons/")).absent if folder.startswith("addons/") else ()
            return [self._follower(folder, inside, absent)]
        causes = self._traced(file, leaf)
        return self._code.causes(file, leaf) if causes is None else causes

    def _digest_of(self, file: str) -> str:
        """The folder whose digest a file of the tree holds, or nothing."""
        if not file.startswith("argocd/application-"):
            return ""
        return str(self.data(file)["spec"]["source"]["path"]).removeprefix(f"{source_path(self._cluster)}/")

    def _follower(self, what: str, files: Iterable[str], absent: Iterable[Read]) -> Cause:
        below = {each: None for file in files for each in self.causes(file)}
        below.update(dict.fromkeys(self._origins.causes(absent, is_condition=True)))
        return Cause(OKGEN, "okgen/write/index.py", 1, 1, (), f"changes with {what}", below=tuple(below))

    def _traced(self, file: str, leaf: Path) -> list[Cause] | None:
        """The causes of what comes from a template or goes through okgen's code as it is; None for anything else."""
        folder, _, name = file.rpartition("/")
        addon, mark = folder.removeprefix("addons/"), None
        if folder == "iam":
            addon, mark = self._policy_mark(name, leaf)
        elif addon in self._enabled and name == "kustomization.yaml":
            found = self._kustomization(self._enabled[addon], folder, leaf)
            return None if found is None else [*found, self._presence(addon)]
        elif addon in self._enabled:
            mark = _at(self._of_addon(addon).files.get(name), leaf)
        return [*self._marked(mark), self._presence(addon)] if isinstance(mark, Mark) else None

    def _of_addon(self, name: str) -> Objects:
        if name not in self._objects:
            self._objects[name] = Objects(self._enabled[name], self._cluster, self._origins.seen[name])
        return self._objects[name]

    def _policy_mark(self, name: str, leaf: Path) -> tuple[str, Any]:
        """The add-on whose statement a field below ``iam/`` is part of, and the mark; "" for anything else."""
        for addon in self._enabled:
            place = policies.statement_of(addon, name, leaf)
            if place:
                number, rest = place
                texts = policies.files_of(addon, self.files)
                statement = self.data(texts[number])["Statement"][rest[0]]
                return addon, policies.mark_of(statement, rest[1:], self._of_addon(addon).statements)
        return "", None

    def _marked(self, mark: Mark) -> list[Cause]:
        below = self._origins.causes(mark.reads)
        guards = [
            Cause(TEMPLATE, *guard.spot[:3], (), guard.spot.text, True, tuple(self._origins.causes(guard.reads)))
            for guard in mark.guards
            if guard.spot
        ]
        own = [read for guard in mark.guards if not guard.spot for read in guard.reads]
        guards += self._origins.causes(own, is_condition=True)
        if mark.spot is None:
            return [*below, *guards]
        return [Cause(TEMPLATE, *mark.spot[:3], (), mark.spot.text, below=tuple(below)), *guards]

    def _presence(self, addon: str) -> Cause:
        """That an add-on is on, for what would not be there without it."""
        path = ("addons", addon)
        line, column = self._document.place(path, key=True)
        return Cause(GIVEN, self._document.file, line, column, path, "turns the add-on on", is_condition=True)

    def _kustomization(self, enabled: Enabled, folder: str, leaf: Path) -> list[Cause] | None:
        data = self.data(f"{folder}/kustomization.yaml")
        if leaf[0] == "resources":
            resource = str(fields.at(data, leaf))
            if f"{folder}/{resource}" in self.files:
                return [self._listed(f"{folder}/{resource}")]
            return self._origins.crds(enabled, resource) or None
        if leaf[0] == "patches":
            number = int(leaf[1]) - (len(data["patches"]) - len(enabled.patches))
            return self._patch(enabled, number, leaf[2:]) if number >= 0 else None
        return None

    def _listed(self, file: str) -> Cause:
        """Why a file has its name: its kind and its own name, and what the object is there for."""
        metadata = self.data(file)["metadata"]
        wanted: list[Path] = [("kind",), ("metadata", "name")]
        if file.endswith(f"-{metadata.get('namespace')}.yaml") and not file.endswith(f"-{metadata['name']}.yaml"):
            wanted.append(("metadata", "namespace"))  # where two objects would have one file
        below = {each: None for path in wanted for each in self.causes(file, path)}
        return Cause(OKGEN, "okgen/render/kustomize.py", 1, 1, (), f"lists {file}", below=tuple(below))

    def _patch(self, enabled: Enabled, number: int, rest: Path) -> list[Cause]:
        patch = enabled.patches[number]
        at: Path = ("addons", enabled.addon.name, "patches", patch.number)
        given = enabled.values["patches"][patch.number]
        if rest == ("patch",) and "path" in given:
            cause = self._origins.input((*at, "path"))
            file = os.path.normpath(os.path.join(os.path.dirname(self._document.file), given["path"]))
            return [cause._replace(below=(Cause(PATCH, file, 1, 1, (), "the patch"),))]
        return [self._origins.input((*at, *rest))]


def _is_below(cause: Cause, path: Path) -> bool:
    return cause.kind in OF_INPUT and cause.path[: len(path)] == path


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401 - any marked value
    try:
        found = fields.at(data, path)
    except (LookupError, TypeError):
        return None
    return found.mark if isinstance(found, (MarkedNames, MarkedList)) else found
