"""Keeps bytes by name in the user's cache folder. That something cannot be kept there is no fault."""

from __future__ import annotations

import os
import stat
import time
from hashlib import sha256

VARIABLE = "OKGEN_CACHE_DIR"  # another folder; empty: none
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
    """Files in a folder; those that nobody has read or written for a month go when a new one comes."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @classmethod
    def open(cls) -> Store | None:
        """The store of this user; None where there is to be none, or others could write to it."""
        folder = place()
        if folder is None:
            return None
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            found = os.stat(folder)
        except (OSError, ValueError):
            return None
        is_own = found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return cls(folder) if is_own else None

    def get(self, name: str) -> bytes | None:
        """What was put under a name; None when nothing was, or it has been damaged."""
        path = os.path.join(self._folder, name)
        try:
            file = os.open(path, _READ)
            try:
                found = os.fstat(file)
                data = os.read(file, min(found.st_size, _MOST_BYTES))
            finally:
                os.close(file)
            if found.st_mtime < time.time() - _DAY:
                os.utime(path)  # it is in use
        except OSError:
            return None
        body = data[_SIZE:]
        return body if data[:_SIZE] == sha256(body).digest() else None

    def put(self, name: str, body: bytes) -> None:
        """Keeps something under a name, which is one for a file, in place of what was there."""
        path = os.path.join(self._folder, name)
        temporary = f"{path}.{os.getpid()}"
        try:
            if not os.path.lexists(path):
                self._prune()
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

    def _prune(self) -> None:
        oldest = time.time() - _KEPT
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    _remove(entry.path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
