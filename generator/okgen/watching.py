"""Tells when files that clusters are rendered from have changed; needs the package watchfiles."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen.problem import Unable
from okgen.read.inputs import DEFAULT, below
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SUFFIXES = (".yaml", ".yml", ".json")  # of inputs, and of the patches they name
_SETTLED = 100  # ms without a change after which what was saved is taken for complete
_LATEST = 1_000  # ms
_FIRST = 200  # ms until the watch is taken to be in place


class Watched:
    """What is to be watched for the FILE arguments of a command: folders, and which changes in them count."""

    def __init__(self, files: Sequence[str]) -> None:
        self.shown = sorted(set(files)) or [DEFAULT]
        absolute = [os.path.abspath(name) for name in self.shown]
        # Editors replace files, so that it is the folder that has to be watched.
        self.folders = sorted({name if os.path.isdir(name) else os.path.dirname(name) for name in absolute})
        self.recursive = any(map(os.path.isdir, absolute))
        self._named = {name for name in absolute if not os.path.isdir(name)}

    def counts(self, path: str) -> bool:
        """Whether a change there can change what is rendered; in a rendered tree nothing can."""
        name = os.path.basename(path)
        if path in self._named:
            return True
        if os.path.isdir(path):
            return _holds_input(path)  # a new one: what is in it may have come before it was watched
        return name.endswith(_SUFFIXES) and not name.startswith(".") and not self._in_tree(path)

    def _in_tree(self, path: str) -> bool:
        folder = os.path.dirname(path)
        while len(folder) >= min(map(len, self.folders)):
            if os.path.lexists(os.path.join(folder, index.NAME)):
                return True
            folder = os.path.dirname(folder)
        return False


def _holds_input(folder: str) -> bool:
    try:
        return any(below(folder))
    except OSError:  # gone again, or not to be read
        return False


def changes(watched: Watched) -> Iterator[list[str]]:
    """First an empty list, then for each save the names of the files, relative to the current folder; never ends.

    What is saved from the first list on is never missed. Raises Unable without watchfiles, KeyboardInterrupt.
    """
    try:
        from watchfiles import DefaultFilter, watch
    except ImportError:
        raise Unable("okgen watch needs the package watchfiles: pip install 'okgen[watch]'") from None
    ignored = DefaultFilter()
    is_first = True
    for found in watch(
        *watched.folders,
        watch_filter=lambda change, path: ignored(change, path) and watched.counts(path),
        debounce=_LATEST,
        step=_SETTLED,
        recursive=watched.recursive,
        rust_timeout=_FIRST,
        yield_on_timeout=True,
    ):
        if is_first:
            yield []
        elif found:
            yield sorted({os.path.relpath(path) for _, path in found})
        is_first = False
