"""Keeps bytes by name in the user's cache folder. That something cannot be kept there is no fault."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from hashlib import sha256

from okgen.repository import above

VARIABLE = "OKGEN_CACHE_DIR"  # another folder; empty: none
_OWN = re.compile(r"[0-9a-f]{64}(\.[0-9]+)?")  # what is kept, and what a killed run has left of it
_SIZE = 32  # bytes of a SHA-256
_MOST_BYTES = 64 * 1024 * 1024  # some 40,000 clusters
_DAY = 24 * 60 * 60  # s
_KEPT = 30 * _DAY
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def place() -> str | None:
    """The absolute path of the folder, which need not be there; None where there is to be none."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return os.path.abspath(given) if given else None
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # as the specification of these folders wants it
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "okgen") if os.path.isabs(base) else None


class Store:
    """Files in a folder, named by SHA-256 in hexadecimal digits.

    Those that nobody has read or written for a month go when a new one comes. ``folder`` is the name it was given and
    ``real`` where that leads to.
    """

    def __init__(self, folder: str, real: str) -> None:
        self.folder, self.real = folder, real
        self._is_larger = False

    @classmethod
    def open(cls) -> Store | None:
        """The store of this user; None where there is to be none, or others could write to it."""
        folder = place()
        if folder is None:
            return None
        try:
            real = os.path.realpath(folder)
            if not os.path.isdir(real):
                if not _is_own(_nearest(real)):
                    return None  # for one, the home of a user who has become root for a while
                os.makedirs(real, 0o700, exist_ok=True)
            found = os.stat(real)
        except (OSError, ValueError):
            return None
        is_safe = found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return cls(folder, real) if is_safe else None

    def get(self, name: str) -> bytes | None:
        """What was put under a name; None when nothing was, or it has been damaged."""
        path = os.path.join(self.real, name)
        try:
            file = os.open(path, _READ)
            try:
                found = os.fstat(file)
                data = os.read(file, min(found.st_size, _MOST_BYTES))
            finally:
                os.close(file)
        except OSError:
            return None
        body = data[_SIZE:]
        if found.st_uid != os.geteuid() or data[:_SIZE] != sha256(body).digest():
            return None
        if found.st_mtime < time.time() - _DAY:
            with contextlib.suppress(OSError):
                os.utime(path)  # it is in use
        return body

    def put(self, name: str, body: bytes) -> None:
        """Keeps something under a name, which is one for a file, in place of what was there."""
        path = os.path.join(self.real, name)
        temporary = f"{path}.{os.getpid()}"
        try:
            self._is_larger = self._is_larger or not os.path.lexists(path)
            file = os.open(temporary, _WRITE, 0o600)
            try:
                written = os.write(file, sha256(body).digest() + body)
            finally:
                os.close(file)
            if written == _SIZE + len(body):
                os.replace(temporary, path)
            else:
                _remove(temporary)
        except OSError:
            _remove(temporary)  # half of it, where the disk is full

    def prune(self) -> None:
        """Removes what nobody needs any more, after something new has come; files of others are left alone."""
        if not self._is_larger:
            return
        self._is_larger = False
        oldest = time.time() - _KEPT
        with contextlib.suppress(OSError), os.scandir(self.real) as entries:
            for entry in entries:
                if _OWN.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < oldest:
                    _remove(entry.path)


def _nearest(path: str) -> str:
    """The nearest folder above an absolute path that is there."""
    return next(each for each in above(path) if os.path.lexists(each))


def _is_own(path: str) -> bool:
    return os.stat(path).st_uid == os.geteuid()


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
