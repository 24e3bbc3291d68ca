"""Folders of a tree, opened one below the other so that no symbolic link is ever followed."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING

from okgen.problem import Problem, Refused, Unable
from okgen.write.plan import FILE, FOLDER, SPECIAL, SYMLINK

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

# Neither waits for the other end of a pipe, nor takes a terminal for its own.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o755  # less the umask
PATIENCE = 2.0  # seconds to wait for another okgen
_EFFECTIVE = os.access in os.supports_effective_ids
_REFUSED = {
    True: ("OKG506", "a symbolic link, and okgen follows none on the way to a rendered tree", "use a real folder"),
    False: ("OKG507", "okgen is to write into this folder, and it is none", "move it away"),
}


class naming:  # noqa: N801 - reads as a statement: with naming("write", path)
    """Turns what the system refuses into Unable, which says what okgen could not do with which file.

    For many files in one folder: ``with naming("write", folder) as place`` and ``place.name = …`` before each.
    """

    def __init__(self, verb: str, path: str) -> None:
        self._verb = verb
        self._path = path
        self.name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            path = os.path.relpath(os.path.join(self._path, self.name))
            raise Unable(f"cannot {self._verb} {path}: {error.strerror}") from error


class Folders:
    """The folders below an open one; a path of "" is that one, others have "/" between their parts.

    ``blocked`` says what stands in the place of a folder that was asked for: SYMLINK, FILE or SPECIAL; ``made`` lists
    the folders that were not there before.
    """

    def __init__(self, top: int) -> None:
        self._open: dict[str, int | None] = {"": top}
        self.blocked: dict[str, str] = {}
        self.made: list[str] = []

    def find(self, path: str) -> int | None:
        """The descriptor of a folder; None when it is not there, or something else is in its place. Raises OSError."""
        try:
            return self._open[path]
        except KeyError:
            parent, _, name = path.rpartition("/")
            above = self.find(parent)
            found = self._open[path] = None if above is None else self._enter(above, name, path)
            return found

    def _enter(self, above: int, name: str, path: str) -> int | None:
        try:
            return os.open(name, OPEN, dir_fd=above)
        except FileNotFoundError:
            return None
        except OSError:
            kind = kind_of(above, name)
            if kind is None or kind == FOLDER:
                raise
            self.blocked[path] = kind
            return None

    def make(self, path: str) -> int:
        """The descriptor of a folder, which is made if it is not there. Raises OSError."""
        found = self._open.get(path)
        if found is None:
            parent, _, name = path.rpartition("/")
            above = self.make(parent)
            if kind_of(above, name) is None:
                os.mkdir(name, _MODE, dir_fd=above)
                self.made.append(path)
            found = self._open[path] = os.open(name, OPEN, dir_fd=above)
        return found

    def check_writable(self, path: str) -> None:
        """Raises PermissionError when this process may not add files to a folder, which is made if it is not there."""
        here = self.make(path)
        if not os.access(os.curdir, os.W_OK | os.X_OK, dir_fd=here, effective_ids=_EFFECTIVE):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def remove(self, path: str) -> None:
        """Removes a folder if it is there and empty."""
        parent, _, name = path.rpartition("/")
        above, here = self.find(parent), self._open.pop(path, None)
        if here is not None:
            os.close(here)
        if above is not None:
            try:
                os.rmdir(name, dir_fd=above)
            except OSError:
                return  # it holds something, or is gone already

    def release(self) -> None:
        """Closes all but the first, for the time being: descriptors are few."""
        top = self._open.pop("")
        self.close()
        self._open[""] = top

    def close(self) -> None:
        """Closes all of them, the first included."""
        for found in self._open.values():
            if found is not None:
                os.close(found)
        self._open.clear()


def kind_of(above: int, name: str) -> str | None:
    """What has a name in an open folder: SYMLINK, FOLDER, FILE, SPECIAL, None when nothing has. Raises OSError."""
    try:
        mode = os.stat(name, dir_fd=above, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None
    kinds = {stat.S_IFLNK: SYMLINK, stat.S_IFDIR: FOLDER, stat.S_IFREG: FILE}
    return kinds.get(stat.S_IFMT(mode), SPECIAL)


def make_below(above: int, name: str) -> int:
    """The descriptor of a folder in an open one, made if it is not there. Raises OSError."""
    if kind_of(above, name) is None:
        os.mkdir(name, _MODE, dir_fd=above)
    return os.open(name, OPEN, dir_fd=above)


def enter(folder: str, root: str, *, make: bool = False) -> int | None:
    """The descriptor of a cluster's folder, None when it is not there and not to be made.

    Links are followed up to ``root``, which is at or above ``folder``, and not from there on.
    Raises Refused when a link or a file stands in the place of a folder, Unable when the system refuses,
    ValueError when ``folder`` is not below ``root``.
    """
    place = root
    parts = _below(folder, root)
    try:
        if make:
            os.makedirs(root, _MODE, exist_ok=True)
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts:
            place = os.path.join(place, part)
            here = _step(here, part, place, make=make)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not make:
            return None
        raise Unable(f"cannot open {os.path.relpath(place)}: {error.strerror}") from error
    return here


def _below(folder: str, root: str) -> list[str]:
    """The names on the way from ``root`` down to ``folder``."""
    way = os.path.relpath(folder, root)
    parts = [] if way == os.curdir else way.split(os.sep)
    if os.pardir in parts:
        raise ValueError(f"{folder} is not below {root}")
    return parts


def _step(above: int, name: str, place: str, *, make: bool) -> int:
    """Goes from an open folder, which is closed, into one in it."""
    try:
        return make_below(above, name) if make else os.open(name, OPEN, dir_fd=above)
    except OSError:
        kind = kind_of(above, name)
        if kind is None or kind == FOLDER:
            raise
        code, message, way_out = _REFUSED[kind == SYMLINK]
        raise Refused([Problem(os.path.relpath(place), 1, 1, code, "error", message, help=way_out)]) from None
    finally:
        os.close(above)


def lock(top: int, how: int, folder: str) -> bool:
    """Locks a folder until it is closed: many may read, one may write. False where the file system has no locks.

    Raises Unable while another okgen is at work there.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(top, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Unable(
                    f"another okgen is at work in {os.path.relpath(folder)}: run this again when it is done"
                ) from None
            time.sleep(0.02)
        except OSError:
            return False  # a change in between is still noticed before the first write
        else:
            return True
