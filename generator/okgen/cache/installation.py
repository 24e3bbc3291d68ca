"""Tells one installation of okgen from another, as everything in it decides what is rendered."""

from __future__ import annotations

import errno
import os
import stat
import sys
from hashlib import sha256
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

import okgen
from okgen import resources

if TYPE_CHECKING:
    from collections.abc import Iterator

# ns by which the times of files may be behind the clock: most file systems count ticks, some whole seconds.
_TICK, _COARSE_TICK = 50_000_000, 2_000_000_000
_SECOND = 1_000_000_000


def fingerprint() -> bytes | None:
    """A digest that changes when a file of okgen's or of PyYAML's does, or the Python they run on.

    Files are told by inode, size and the times of their last changes, of which the system keeps one that nobody can
    set. Bytecode is left to Python, which tells sources by size and time.

    None while this cannot be relied on: a file could not be looked at, or has changed since this process began to read
    okgen's modules, so that what it works with may be older.
    """
    try:
        return _fingerprint()
    except OSError:
        return None


def _fingerprint() -> bytes | None:
    digest = sha256(f"{okgen.__version__}\0{sys.version}".encode())
    for folder in _folders():
        for path, found in sorted(_files(os.path.realpath(folder))):
            changed = found.st_ctime_ns
            if changed + (_TICK if changed % _SECOND else _COARSE_TICK) > okgen.LOADED:
                return None
            digest.update(os.fsencode(f"\0{path}\0{found.st_dev} {found.st_ino} {found.st_size} "))
            digest.update(f"{found.st_mtime_ns} {changed}".encode())
    return digest.digest()


def _folders() -> Iterator[str]:
    yield resources.PACKAGE
    for name in ("overlays", "schemas"):
        folder = resources.folder(name)
        if os.path.dirname(folder) != resources.PACKAGE:
            yield folder
    parser = PathFinder.find_spec("yaml")  # not imported for this
    yield from (parser.submodule_search_locations or ()) if parser else ()


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """The files below a folder by path; those behind links are what counts. Raises OSError."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            else:
                found = entry.stat()
                if stat.S_ISDIR(found.st_mode):
                    raise OSError(errno.ELOOP, "a link to a folder may lead anywhere", entry.path)
                yield entry.path, found
