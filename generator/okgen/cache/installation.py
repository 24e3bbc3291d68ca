"""Tells one installation of okgen from another, as everything in it decides what is rendered."""

from __future__ import annotations

import os
import sys
from functools import cache
from hashlib import sha256
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

import okgen
from okgen import resources

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICK = 50_000_000  # ns: file systems stamp changes by a clock that may be a few hundredths of a second behind


@cache
def fingerprint() -> bytes | None:
    """A digest that changes when a file of okgen's or of PyYAML's does, or the Python they run on.

    Files are told by size and by the times of their last changes, of which the system keeps one that nobody can set.
    None while that cannot be relied on: a file has changed since this process has begun to read okgen's modules, so
    that what it works with may be older.
    """
    digest = sha256(f"{okgen.__version__}\0{sys.version}".encode())
    for folder in _folders():
        digest.update(f"\0{folder}".encode(errors="surrogateescape"))
        for path, size, modified, changed in sorted(_files(folder)):
            if changed + _TICK > okgen.LOADED:
                return None
            digest.update(f"\0{path}\0{size}\0{modified}\0{changed}".encode(errors="surrogateescape"))
    return digest.digest()


def _folders() -> Iterator[str]:
    yield resources.PACKAGE
    for name in ("overlays", "schemas"):
        folder = resources.folder(name)
        if os.path.dirname(folder) != resources.PACKAGE:
            yield folder
    parser = PathFinder.find_spec("yaml")  # not imported for this
    yield from (parser.submodule_search_locations or ()) if parser else ()


def _files(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """Path, size and times of the last changes, of content and of anything, in ns. Bytecode is Python's own matter."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            else:
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns, found.st_ctime_ns
