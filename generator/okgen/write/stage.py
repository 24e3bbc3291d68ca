"""A folder beside a tree's index where new files are written whole before they move into their places."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from okgen.write.folders import OPEN, kind_of, naming
from okgen.write.plan import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from okgen.write.folders import Folders

_NAME = ".okgen.tmp"
_FILE = re.compile(r"[0-9]+")
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o644  # less the umask


def is_left(top: int) -> bool:
    """Whether a killed run left its stage in this folder. Raises OSError."""
    if kind_of(top, _NAME) != FOLDER:
        return False
    here = os.open(_NAME, OPEN, dir_fd=top)
    try:
        names = os.listdir(here)
    finally:
        os.close(here)
    return not names or any(map(_FILE.fullmatch, names))


class Stage:
    """The stage of one run, in the folder of a cluster, which is locked.

    All of it raises Unable, which names the file, when the system refuses.
    """

    def __init__(self, top: int, folder: str) -> None:
        self._top = top
        self._folder = folder
        self._numbers: dict[str, str] = {}
        with naming("write", os.path.join(folder, _NAME)):
            if kind_of(top, _NAME) is None:
                os.mkdir(_NAME, 0o700, dir_fd=top)
            self._here = os.open(_NAME, OPEN, dir_fd=top)

    def close(self) -> None:
        """Removes the files that were not moved, and the stage."""
        try:
            self.clear()
        finally:
            os.close(self._here)
        try:
            os.rmdir(_NAME, dir_fd=self._top)
        except OSError:
            return  # it holds what okgen did not write

    def clear(self) -> None:
        """Removes what has a name that only this class gives."""
        for name in os.listdir(self._here):
            if _FILE.fullmatch(name):
                with naming("remove", os.path.join(self._folder, _NAME, name)):
                    os.unlink(name, dir_fd=self._here)

    def put(self, files: Mapping[str, bytes], *, sync: bool) -> None:
        """Writes files, by the path they are to have; ``sync``: each is on the disk then."""
        with naming("write", self._folder) as place:
            for path, data in files.items():
                place.name = path
                name = self._numbers[path] = str(len(self._numbers))
                write(self._here, name, data, sync=sync)

    def move(self, folders: Folders, places: Mapping[str, str]) -> None:
        """Moves files, by the path they were put under, to their places, over what is there."""
        with naming("write", self._folder) as place:
            for path, target in places.items():
                place.name = target
                parent, _, name = target.rpartition("/")
                os.replace(self._numbers[path], name, src_dir_fd=self._here, dst_dir_fd=folders.make(parent))


def write(above: int, name: str, data: bytes, *, sync: bool) -> None:
    """Writes a file that is not there yet into an open folder; ``sync``: it is on the disk then. Raises OSError."""
    file = os.open(name, _WRITE, _MODE, dir_fd=above)
    try:
        written = os.write(file, data)
        while written < len(data):
            written += os.write(file, memoryview(data)[written:])
        if sync:
            os.fsync(file)
    finally:
        os.close(file)


def flush_all() -> Callable[[int], None] | None:
    """Linux' syncfs, None elsewhere: one wait for a whole file system instead of one a file.

    Flushing file by file takes a disk 1 to 5 ms each, so seconds for a fleet that is rendered for the first time.
    Python has only os.sync(), which waits for all file systems of the machine.
    """
    try:
        import ctypes  # only a run that writes many files needs it
    except ImportError:  # an interpreter built without it
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        return None

    def flush(file: int) -> None:
        if library.syncfs(file):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return flush
