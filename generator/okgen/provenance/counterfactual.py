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
from okgen.render import Renderer
from okgen.resolve import assume, core_of
from okgen.source import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from okgen.catalogue import Catalogue
    from okgen.cluster import Cluster
    from okgen.problem import Path
    from okgen.schema import Schema

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
        self._moved: dict[tuple[Path, str], frozenset[Path]] = {}
        core = core_of(document.data, schema)
        self._values: dict[str, Any] = {**core, "addons": {each.addon.name: each.values for each in cluster.addons}}

    def paths(self) -> Iterator[Path]:
        """The path of every value of cluster.yaml, those with a default included, and of every add-on."""
        yield from fields.leaves({key: value for key, value in self._values.items() if key != "addons"})
        for enabled in self._cluster.addons:
            yield ("addons", enabled.addon.name)
            yield from fields.leaves(enabled.values, ("addons", enabled.addon.name))

    def moved(self, path: Path, file: str) -> frozenset[Path]:
        """The fields of a file that are others, or gone, when the value at a path of cluster.yaml is another."""
        key = path, file
        if key not in self._moved:
            text = self._files[file]
            others = {tree.get(file) for tree in self._others(path)} - {text}
            found: set[Path] = set()
            for other in others:
                data = fields.data_of(file, text)
                found.update(fields.leaves(data) if other is None else fields.moved(data, fields.data_of(file, other)))
            self._moved[key] = frozenset(found)
        return self._moved[key]

    def _others(self, path: Path) -> list[Tree]:
        if path not in self._trees:
            trees = (self._rendered(data) for data in self._data(path))
            self._trees[path] = [tree for tree in trees if tree is not None]
        return self._trees[path]

    def _data(self, path: Path) -> Iterator[dict[str, Any]]:
        """The document with each other value that is tried at a path."""
        if is_addon(path):
            data = deepcopy(self._document.data)
            del data["addons"][path[1]]
            yield data
            return
        for value in variants(path, fields.at(self._values, path), self._schema):
            data = deepcopy(self._document.data)
            _put(data, path, value, self._values)
            yield data

    def _rendered(self, data: dict[str, Any]) -> Tree | None:
        root = self._document.root._replace(value=data)
        document = Document(self._document.file, self._document.text, root)
        try:
            cluster = assume(document, self._catalogue, self._cluster)
            return None if cluster is None else self._renderer.judged(cluster, document)[0]
        except Exception:  # noqa: BLE001 - a value that makes no sense here tells nothing
            return None


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


def _plain(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
