"""What moves in a tree when one value of its cluster.yaml is another: how it is told what okgen's own code made of it.

A template says which names it reads; code does not. So the cluster is rendered again with another value in the one
place, and the fields that differ are those which the value reaches. That takes a few milliseconds for each place, and
is done for the places and files that are asked about only.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from okgen.provenance import fields
from okgen.provenance.variants import variants
from okgen.read.source import Document
from okgen.render.renderer import Renderer
from okgen.resolve.resolver import assume, core_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from okgen.addons.catalogue import Catalogue
    from okgen.judge.schema import Schema
    from okgen.problem import Path
    from okgen.resolve.cluster import Cluster

Tree = dict[str, str]


class Counterfactual:
    """Renders one cluster with other values; ``files`` is what it renders into as it is."""

    def __init__(
        self, document: Document, cluster: Cluster, files: Mapping[str, str], catalogue: Catalogue, schema: Schema
    ) -> None:
        self._document, self._cluster, self._files = document, cluster, files
        self._catalogue, self._schema = catalogue, schema
        self._renderer = Renderer()
        self._trees: dict[Path, list[Tree]] = {}
        self._parsed: dict[str, Any] = {}
        self._jointly_moved: dict[tuple[tuple[Path, ...], str], frozenset[Path]] = {}
        self._joint: dict[tuple[Path, ...], Tree | None] = {}
        self._moved: dict[tuple[Path, str], frozenset[Path]] = {}
        core = core_of(document.data, schema)
        self.values: dict[str, Any] = {**core, "addons": {each.addon.name: each.values for each in cluster.addons}}

    def paths(self) -> Iterator[Path]:
        """The path of every value of cluster.yaml, those with a default included, and of every add-on."""
        yield from fields.leaves({key: value for key, value in self.values.items() if key != "addons"})
        for enabled in self._cluster.addons:
            yield ("addons", enabled.addon.name)
            yield from fields.leaves(enabled.values, ("addons", enabled.addon.name))

    def moved(self, path: Path, file: str) -> frozenset[Path]:
        """The fields of a file that are others, or gone, when the value at a path of cluster.yaml is another."""
        key = path, file
        if key not in self._moved:
            found = {each for tree in self._others(path) for each in self._differences(file, tree)}
            self._moved[key] = frozenset(found)
        return self._moved[key]

    def is_moved_by_all(self, file: str, leaf: Path, paths: Iterable[Path]) -> bool:
        """Whether a field is another when all these values are; what is not depends on none of them."""
        return any(leaf in self._jointly(together, file) for together in _groups(paths))

    def together(self, file: str, leaf: Path, paths: Iterable[Path]) -> list[Path]:
        """A smallest set of values that make a field another only when all of them are; empty where none do.

        Of two add-ons that share a namespace, for one, both hold it in the lists that name it. A file that is there for
        any add-on has none of them for its cause.
        """
        for together in _groups(paths):
            if leaf in self._jointly(together, file):
                needed = list(together)
                for path in together:
                    fewer = [each for each in needed if each != path]
                    if leaf in self._jointly(fewer, file):
                        needed = fewer
                return needed
        return []

    def _jointly(self, paths: list[Path], file: str) -> frozenset[Path]:
        """The fields of a file that are others when all of these values are."""
        key = tuple(paths)
        if (key, file) in self._jointly_moved:
            return self._jointly_moved[key, file]
        if key not in self._joint:
            data = deepcopy(self._document.data)
            for path in paths:
                if is_addon(path):
                    data["addons"].pop(path[1], None)
                else:
                    for value in variants(path, fields.at(self.values, path), self._schema)[:1]:
                        _put(data, path, value, self.values)
            self._joint[key] = self._rendered(data)
        tree = self._joint[key]
        found = frozenset(self._differences(file, tree) if tree and file in tree else ())
        self._jointly_moved[key, file] = found
        return found

    def _differences(self, file: str, tree: Tree) -> Iterator[Path]:
        """The fields of a file that are others, or gone, in another tree."""
        other = tree.get(fields.counterpart(file, self._files, tree) or "")
        if other != self._files[file]:
            data = self._data_of(file, self._files[file])
            yield from fields.leaves(data) if other is None else fields.moved(data, self._data_of(file, other))

    def _data_of(self, file: str, text: str) -> Any:  # noqa: ANN401 - any YAML value
        if text not in self._parsed:
            self._parsed[text] = fields.data_of(file, text)
        return self._parsed[text]

    def _others(self, path: Path) -> list[Tree]:
        if path not in self._trees:
            trees = (self._rendered(data) for data in self._data(path))
            self._trees[path] = [tree for tree in trees if tree is not None]
        return self._trees[path]

    def _data(self, path: Path) -> Iterator[dict[str, Any]]:
        """The document with each other value that is tried at a path, and without any."""
        for value in [] if is_addon(path) else variants(path, fields.at(self.values, path), self._schema):
            data = deepcopy(self._document.data)
            _put(data, path, value, self.values)
            yield data
        if _is_given(self._document.data, path):
            data = deepcopy(self._document.data)
            del fields.at(data, path[:-1])[path[-1]]
            yield data

    def _rendered(self, data: dict[str, Any]) -> Tree | None:
        root = self._document.root._replace(value=data)
        document = Document(self._document.file, self._document.text, root)
        try:
            cluster = assume(document, self._catalogue, self._cluster)
            return None if cluster is None else self._renderer.judged(cluster, document)[0]
        except Exception:  # noqa: BLE001 - a value that makes no sense here tells nothing
            return None


def _groups(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Values, and add-ons: without any add-on there is nothing left that a value could move."""
    found: tuple[list[Path], list[Path]] = ([], [])
    for path in paths:
        found[is_addon(path)].append(path)
    return found


def is_addon(path: Path) -> bool:
    """Whether it is the path of an add-on's section."""
    return len(path) == 2 and path[0] == "addons"  # noqa: PLR2004 - addons and a name


def _put(data: Any, path: Path, value: Any, filled: Any) -> None:  # noqa: ANN401 - any YAML value
    """Sets the value at a path; what is missing on the way is filled in as its defaults have it."""
    for step in path[:-1]:
        filled = filled[step]
        missing = data.get(step) is None if isinstance(data, dict) else False
        if missing:
            data[step] = _plain(filled)
        data = data[step]
    data[path[-1]] = value


def _is_given(data: Any, path: Path) -> bool:  # noqa: ANN401 - any YAML value
    try:
        fields.at(data, path)
    except (LookupError, TypeError):
        return False
    return True


def _plain(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
