"""Looks at places of a cluster's folder through open descriptors, so that no symbolic link is followed."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from okgen.problem import Problem, Refused, Unable
from okgen.write import index
from okgen.write.folders import READ, Folders, kind_of, naming
from okgen.write.plan import FILE, FOLDER, SPECIAL, SYMLINK

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK = 1 << 20
_MOST_BYTES = 64 << 20  # more than okgen can write into a file, as its inputs are limited
_TOO_LONG = "longer than any file of okgen's"  # stands for a SHA-256 and is none


def recorded_in(top: int, folder: str) -> bytes | None:
    """The bytes of the index, None when there is none."""
    place = os.path.join(folder, index.NAME)
    with naming("read", place):
        kind = kind_of(top, index.NAME)
        if kind is None:
            return None
        if kind != FILE:
            code, way_out = ("OKG506", "replace it by a file") if kind == SYMLINK else ("OKG507", "move it away")
            raise Refused(
                [Problem(os.path.relpath(place), 1, 1, code, "error", f"the index is a {kind}", help=way_out)]
            )
        file = os.open(index.NAME, READ, dir_fd=top)
        with open(file, "rb") as stream:
            return stream.read(index.MOST_BYTES + 1)


def found_in(
    folders: Folders, places: Mapping[str, bytes | None], wanted: Mapping[str, str], folder: str
) -> dict[str, str]:
    """What is in each of the places, as a snapshot says it; a place comes with the bytes that are expected there."""
    found = {}
    path = ""
    try:
        for path, data in places.items():
            parent, _, name = path.rpartition("/")
            above = folders.find(parent)
            here = None if above is None else _look(above, name, data, wanted.get(path, ""))
            if here is not None:
                found[path] = here
    except OSError as error:
        raise Unable(f"cannot read {os.path.relpath(os.path.join(folder, path))}: {error.strerror}") from error
    return found


def _look(above: int, name: str, data: bytes | None = None, digest: str = "") -> str | None:
    """What is in a place: SHA-256, SYMLINK, FOLDER, SPECIAL, None for nothing. ``digest`` is that of ``data``."""
    try:
        file = os.open(name, READ, dir_fd=above)
    except FileNotFoundError:
        return None
    except OSError:
        kind = kind_of(above, name)
        if kind == FILE:
            raise
        return kind
    try:
        if data and _holds(file, data):
            return digest
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return FOLDER if stat.S_ISDIR(status.st_mode) else SPECIAL
        return _hash(file, status.st_size) if status.st_size <= _MOST_BYTES else _TOO_LONG
    finally:
        os.close(file)


def _holds(file: int, data: bytes) -> bool:
    """Whether an open file is a regular one with these bytes.

    Comparing costs less than hashing, and a read of the right size a quarter of one with room to spare; the one byte
    more shows a longer file. Folders, pipes and terminals refuse to be read at a place.
    """
    try:
        return os.pread(file, len(data) + 1, 0) == data
    except OSError:
        return False


def _hash(file: int, size: int) -> str:
    """The SHA-256 of an open file that has not been read yet, in bounded memory.

    A read that asks for a byte more than there is left, and does not get it, has come to the end.
    """
    state = hashlib.sha256()
    while chunk := os.read(file, min(max(size, 0) + 1, _CHUNK)):
        state.update(chunk)
        size -= len(chunk)
        if size == 0:
            break
    return state.hexdigest()
