"""Tells when files that clusters are rendered from have changed; needs the package watchfiles."""

from __future__ import annotations

import os
from queue import Queue
from threading import Event, Thread
from typing import TYPE_CHECKING

from okgen.prerequisites import Prerequisites
from okgen.problem import Unable
from okgen.read.inputs import DEFAULT, below
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SUFFIXES = (".yaml", ".yml", ".json")  # of inputs, and of the patches they name
_SETTLED = 100  # ms without a change after which what was saved is taken for complete
_LATEST = 1_000  # ms
_FIRST = 200  # ms until the watch is taken to be in place
NOTHING_NEEDED = Prerequisites(frozenset(), frozenset())


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

    def covers(self, folder: str) -> bool:
        """Whether what is saved in a folder is told of anyway."""
        if folder in self.folders:
            return True
        return self.recursive and any(folder.startswith(each.rstrip(os.sep) + os.sep) for each in self.folders)

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


class Watch:
    """Tells of changes, in the folders of the arguments and, beside these, where ``follow`` says."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._found: Queue[list[str] | Unable] = Queue()
        self._beside: _Watcher | None = None
        self._needed = NOTHING_NEEDED

    def changes(self) -> Iterator[list[str]]:
        """First an empty list, then for each save the names of the files, relative to the current folder; never ends.

        What is saved from the first list on is never missed. Raises Unable without watchfiles, KeyboardInterrupt.
        """
        watched = self._watched
        _Watcher(watched.folders, watched.recursive, self._counts, self._found).begin()
        yield []
        while True:
            found = self._found.get()
            if isinstance(found, Unable):
                raise found
            yield sorted({os.path.relpath(path) for path in found})

    def follow(self, needed: Prerequisites) -> None:
        """Tell of changes of these, too, from now on, and no more of those before."""
        self._needed = needed
        last = self._beside
        places = sorted(each for each in needed.places() if not self._watched.covers(each))
        if last is not None and last.folders == places:
            return
        self._beside = None
        if places:
            self._beside = _Watcher(places, False, self._is_needed, self._found)
            self._beside.begin()
        if last is not None:
            last.stop()

    def _counts(self, path: str) -> bool:
        return self._watched.counts(path) or self._is_needed(path)

    def _is_needed(self, path: str) -> bool:
        return self._needed.has(path)


class _Watcher(Thread):
    """Puts what is saved in some folders into a queue; an error ends it and goes there, too."""

    def __init__(
        self, folders: list[str], recursive: bool, counts: Callable[[str], bool], found: Queue[list[str] | Unable]
    ) -> None:
        super().__init__(daemon=True)
        self.folders = folders
        self._recursive, self._counts, self._found = recursive, counts, found
        self._is_in_place, self._end = Event(), Event()

    def begin(self) -> None:
        """Start, and wait until nothing is missed any more. Raises Unable without watchfiles."""
        try:
            import watchfiles
        except ImportError:
            raise Unable("okgen watch needs the package watchfiles: pip install 'okgen[watch]'") from None
        self._ignored = watchfiles.DefaultFilter()
        self._watch = watchfiles.watch
        self.start()
        self._is_in_place.wait()

    def stop(self) -> None:
        """End soon."""
        self._end.set()

    def run(self) -> None:
        """What the thread does."""
        try:
            for found in self._watch(
                *self.folders,
                watch_filter=lambda change, path: self._ignored(change, path) and self._counts(path),
                debounce=_LATEST,
                step=_SETTLED,
                recursive=self._recursive,
                rust_timeout=_FIRST,
                yield_on_timeout=True,
                stop_event=self._end,
            ):
                self._is_in_place.set()
                if found:
                    self._found.put([path for _, path in found])
        except (OSError, RuntimeError) as error:  # the latter is what watchfiles raises of its own
            self._found.put(Unable(f"cannot watch {', '.join(map(os.path.relpath, self.folders))}: {error}"))
        finally:
            self._is_in_place.set()
