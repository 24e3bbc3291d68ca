"""Reads the folder of a cluster, and has plans carried out in it; nothing else touches it."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from okgen import __version__
from okgen.write import creation, index, look, stage
from okgen.write.folders import READ, Folders, enter, kind_of, lock, naming
from okgen.write.plan import FILE, FOLDER, Plan, Snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping


def snapshot(folder: str, files: Mapping[str, str], *, trusted_root: str = "") -> Snapshot:
    """What a cluster's folder holds where these files are to be, texts by path, and where okgen wrote before.

    ``trusted_root`` is at or above the folder, by default the folder it is in; below that no symbolic link is followed.
    Neither need exist.
    Raises Refused for an index that cannot be read and for a link or a file on the way to the folder, Unable for what
    the system refuses or while another okgen writes there.
    """
    root = trusted_root or os.path.dirname(os.path.normpath(folder)) or os.curdir
    known_texts = {path: index.encoded(text) for path, text in files.items()}
    contents = {path: data for path, (data, _) in known_texts.items()}
    wanted = {path: digest for path, (_, digest) in known_texts.items()}
    top = enter(folder, root)
    if top is None:
        return Snapshot(folder, root, index.EMPTY, None, wanted, {}, {}, frozenset(), leftover=False)
    folders = Folders(top)
    try:
        leftover = _is_left(top, folder)
        recorded = look.recorded_in(top, folder)
        known = _index(recorded, wanted, os.path.join(folder, index.NAME))
        places: dict[str, bytes | None] = {**dict.fromkeys((*known.files, *known.pending)), **contents}
        found = look.found_in(folders, places, wanted, folder)
        replaceable = _replaceable(folders, [path for path in wanted if found.get(path) == FOLDER], places, found)
        return Snapshot(folder, root, known, recorded, wanted, found, folders.blocked, replaceable, leftover)
    finally:
        folders.close()


def is_as(recorded_as: str, folder: str, *, trusted_root: str) -> int:
    """How many files a cluster's folder holds, when it is exactly as an index with this SHA-256 says; else 0.

    ``folder`` and ``trusted_root``, and what is raised: as for ``snapshot``.
    """
    top = enter(folder, trusted_root)
    if top is None:
        return 0
    folders = Folders(top)
    try:
        if _is_left(top, folder):
            return 0
        recorded = look.recorded_in(top, folder)
        if recorded is None or index.digest(recorded) != recorded_as:
            return 0
        wanted = index.files_of(recorded)
        return len(wanted) if look.found_in(folders, dict.fromkeys(wanted), {}, folder) == wanted else 0
    finally:
        folders.close()


def _is_left(top: int, folder: str) -> bool:
    """Whether a killed run left files in or beside a cluster's folder, which is open and gets locked for reading."""
    lock(top, fcntl.LOCK_SH, folder)
    with naming("read", folder):
        return stage.is_left(top) or creation.is_left(top, folder)


def _index(recorded: bytes | None, wanted: Mapping[str, str], place: str) -> index.Index:
    """The index; the bytes that it should have are not parsed first."""
    if recorded is None:
        return index.EMPTY
    expected = index.Index(__version__, wanted, {})
    return expected if recorded == index.text(expected) else index.parse(recorded, place)


def contents(
    folder: str, paths: Iterable[str], most: int, most_together: int, *, trusted_root: str = ""
) -> dict[str, bytes]:
    """The bytes of those of these files in a cluster's folder that are there: of each the first ``most`` and one more.

    What comes after ``most_together`` is left out. Symbolic links count as nothing there.
    Raises Refused, Unable as ``snapshot`` does.
    """
    top = enter(folder, trusted_root or os.path.dirname(os.path.normpath(folder)) or os.curdir)
    if top is None:
        return {}
    folders = Folders(top)
    found = {}
    try:
        with naming("read", folder) as place:
            for path in paths:
                place.name = path
                parent, _, name = path.rpartition("/")
                above = folders.find(parent)
                if most_together > 0 and above is not None and kind_of(above, name) == FILE:
                    with open(os.open(name, READ, dir_fd=above), "rb") as stream:
                        found[path] = stream.read(most + 1)
                    most_together -= len(found[path])
    finally:
        folders.close()
    return found


def _replaceable(
    folders: Folders, paths: Collection[str], places: Iterable[str], found: Mapping[str, str]
) -> frozenset[str]:
    """Which of these folders hold nothing but files that the index lists."""
    if not paths:
        return frozenset()  # nearly always
    files = {path for path, kind in found.items() if kind != FOLDER}
    above = {path[:end] for path in places for end in range(len(path)) if path[end] == "/"}
    return frozenset(path for path in paths if _holds_only(folders, path, files, above))


def _holds_only(folders: Folders, path: str, files: set[str], above: set[str]) -> bool:
    here = folders.find(path)
    inner = [f"{path}/{name}" for name in os.listdir(here)] if here is not None else []
    return all(name in files or (name in above and _holds_only(folders, name, files, above)) for name in inner)


def apply(plan: Plan) -> None:
    """Carries a plan out, and writes nothing where it is empty.

    Raises Unable when the system refuses, another okgen is at work there, or the folder is not any more what the plan
    was made for; ValueError for a plan with conflicts.
    """
    for _ in apply_all([plan]):
        pass


def apply_all(plans: Iterable[Plan]) -> Iterator[Plan]:
    """The same for one plan after the other; each is given back when it has been carried out.

    Several are prepared before the first changes anything, so that they wait for the disk together.
    """
    from okgen.write import changes  # a check needs none of it

    return changes.carry_out(plans)
