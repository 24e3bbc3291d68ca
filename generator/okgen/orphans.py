"""Finds trees that okgen wrote and that no cluster.yaml renders any more, because it was deleted or renamed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen.problem import Refused, Unable
from okgen.read import inputs
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.read.inputs import Input


class Orphans:
    """Is told of every cluster of a run, and knows then which trees beside theirs nobody renders."""

    def __init__(self) -> None:
        self._folders: dict[str, set[str]] = {}  # by the folder that holds one folder a cluster: their names
        self._inputs: dict[str, str] = {}  # path of an input -> root of its repository

    def add(self, given: Input, folder: str) -> None:
        """A cluster that is right, and its own folder."""
        parent, name = os.path.split(folder)
        self._folders.setdefault(parent, set()).add(name)
        self._inputs[given.path] = given.root

    def find(self) -> list[str]:
        """The folders of such trees, absolute and sorted.

        A tree counts as rendered when any other cluster.yaml of the repository has its name, be it wrong otherwise or
        not part of this run; when one of them cannot be read, so that nobody knows its name, there are none.
        """
        trees = sorted(each for parent, names in self._folders.items() for each in _trees(parent, names))
        names = self._other_names() if trees else set()
        return [] if names is None else [each for each in trees if os.path.basename(each) not in names]

    def _other_names(self) -> set[str] | None:
        names = set()
        try:
            for given in inputs.find(sorted(set(self._inputs.values()))):
                if given.path not in self._inputs:
                    names.add(_name(given))
        except (Refused, Unable):
            return None
        return None if "" in names else names


def _trees(parent: str, names: set[str]) -> Iterator[str]:
    """The folders with an index in ``parent``, those of these names left out."""
    try:
        entries = os.scandir(parent)
    except OSError:
        return  # not rendered yet, or not to be read
    with entries:
        for entry in entries:
            if entry.name not in names and entry.is_dir(follow_symlinks=False):
                place = os.path.join(entry.path, index.NAME)
                if os.path.isfile(place) and not os.path.islink(place):
                    yield entry.path


def _name(given: Input) -> str:
    """The name of a cluster that may be wrong in all else; "" when it has none. Raises Refused, Unable."""
    from okgen.read import source  # there is rarely a tree that nobody of the run renders

    data = source.read(given.path, given.file).data
    metadata = data.get("metadata") if isinstance(data, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""
