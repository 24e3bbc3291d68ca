"""Reads and writes the folder of a cluster; nothing else does.

Whatever moment a run is killed at, the next one completes the tree, be it from another cluster.yaml:

1. All new files are written beside the index, into a stage, and flushed to the disk. Up to here nothing has changed.
2. The index is replaced by one that lists the bytes in place and, as pending, those to come.
3. Files are deleted, and the new ones moved into their places, each in one step.
4. The index is replaced by the final one.

When the power fails, the same states are left: file systems keep the order of moves (ext4, XFS, Btrfs, APFS), and no
file moves before its bytes are on the disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from typing import TYPE_CHECKING

from okgen import __version__, index, stage
from okgen.folders import Folders, enter, kind_of, naming
from okgen.plan import FILE, FOLDER, SPECIAL, SYMLINK, Plan, Snapshot
from okgen.problem import Problem, Refused, Unable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

# Neither waits for the other end of a pipe, nor takes a terminal for its own.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CHUNK = 1 << 20
_BEFORE, _PENDING = "/before", "/pending"  # no paths of a tree
PATIENCE = 2.0  # seconds to wait for another okgen


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
        _lock(top, fcntl.LOCK_SH, folder)
        with naming("read", folder):
            leftover = stage.is_left(top)
        recorded = _recorded(top, folder)
        known = _index(recorded, wanted, os.path.join(folder, index.NAME))
        places: dict[str, bytes | None] = {**dict.fromkeys((*known.files, *known.pending)), **contents}
        found = _found(folders, places, wanted, folder)
        replaceable = _replaceable(folders, [path for path in wanted if found.get(path) == FOLDER], places, found)
        return Snapshot(folder, root, known, recorded, wanted, found, folders.blocked, replaceable, leftover)
    finally:
        folders.close()


def _lock(top: int, how: int, folder: str) -> None:
    """Locks a folder until it is closed: many may read, one may write."""
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
            return  # a file system without locks; a change in between is still noticed before the first write
        else:
            return


def _recorded(top: int, folder: str) -> bytes | None:
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
        file = os.open(index.NAME, _READ, dir_fd=top)
        with open(file, "rb") as stream:
            return stream.read(index.MOST_BYTES + 1)


def _index(recorded: bytes | None, wanted: Mapping[str, str], place: str) -> index.Index:
    """The index; the bytes that it should have are not parsed first."""
    if recorded is None:
        return index.EMPTY
    expected = index.Index(__version__, wanted, {})
    return expected if recorded == index.text(expected) else index.parse(recorded, place)


def _found(
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
        file = os.open(name, _READ, dir_fd=above)
    except FileNotFoundError:
        return None
    except OSError:
        kind = kind_of(above, name)
        if kind == FILE:
            raise
        return kind
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return FOLDER if stat.S_ISDIR(status.st_mode) else SPECIAL
        # Comparing costs less than hashing, and a read of the right size a quarter of one with room to spare.
        if data is not None and status.st_size == len(data) and os.read(file, len(data)) == data:
            return digest
        return _hash(file)
    finally:
        os.close(file)


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
                    with open(os.open(name, _READ, dir_fd=above), "rb") as stream:
                        found[path] = stream.read(most + 1)
                    most_together -= len(found[path])
    finally:
        folders.close()
    return found


def _hash(file: int) -> str:
    """The SHA-256 of an open file, in bounded memory."""
    os.lseek(file, 0, os.SEEK_SET)
    state = hashlib.sha256()
    while chunk := os.read(file, _CHUNK):
        state.update(chunk)
    return state.hexdigest()


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


def content(folder: str, root: str, path: str, most: int) -> bytes:
    """The first ``most`` bytes of a file in a cluster's folder, none where no file is; no symbolic link is followed.

    Raises Refused and Unable as ``snapshot`` does.
    """
    top = enter(folder, root)
    if top is None:
        return b""
    folders = Folders(top)
    parent, _, name = path.rpartition("/")
    try:
        with naming("read", os.path.join(folder, path)):
            above = folders.find(parent)
            if above is None or kind_of(above, name) != FILE:
                return b""
            with open(os.open(name, _READ, dir_fd=above), "rb") as stream:
                return stream.read(most)
    finally:
        folders.close()


def apply(plan: Plan) -> None:
    """Carries a plan out, and writes nothing where it is empty.

    Raises Unable when the system refuses, another okgen is at work there, or the folder is not any more what the plan
    was made for; ValueError for a plan with conflicts.
    """
    if plan.conflicts:
        raise ValueError("a plan with conflicts cannot be carried out")
    if plan.is_empty:
        return
    top = enter(plan.folder, plan.root, make=True)
    assert top is not None, "it was made"
    folders = Folders(top)
    try:
        _lock(top, fcntl.LOCK_EX, plan.folder)
        _check_unchanged(plan, folders, top)
        with stage.Stage(top, plan.folder) as staged:
            if plan.final is not None:
                indexes = {_BEFORE: plan.recorded, _PENDING: plan.pending, index.NAME: plan.final}
                staged.put({**plan.files, **{path: data for path, data in indexes.items() if data is not None}})
                _announce(plan, folders, staged)
                _change(plan, folders, staged)
    finally:
        folders.close()


def _check_unchanged(plan: Plan, folders: Folders, top: int) -> None:
    """Makes sure that what the plan was made for is still there: an edit in between must not be lost."""
    changed = "changed while okgen was at work: run it again"
    if _recorded(top, plan.folder) != plan.recorded:
        raise Unable(f"{os.path.relpath(os.path.join(plan.folder, index.NAME))} {changed}")
    if not plan.before and not os.listdir(top):
        return  # a new folder
    places = dict.fromkeys((*plan.files, *plan.delete))
    found = _found(folders, places, {}, plan.folder)
    for path in places:
        if found.get(path) != plan.before.get(path):
            raise Unable(f"{os.path.relpath(os.path.join(plan.folder, path))} {changed}")


def _announce(plan: Plan, folders: Folders, staged: stage.Stage) -> None:
    """Puts the pending index into place and makes the new folders: what can fail for want of space or rights.

    If it does, all is as before.
    """
    folder_of = {path.rpartition("/")[0]: path for path in (*plan.delete, *plan.files)}
    if plan.pending is not None:
        staged.move(folders, {_PENDING: index.NAME})
    try:
        for folder, path in folder_of.items():
            if any(f"{folder}/".startswith(f"{gone}/") for gone in plan.delete):
                continue  # a file is there now, and goes
            with naming("write", os.path.join(plan.folder, path)):
                folders.check_writable(folder)
    except BaseException:
        for made in reversed(folders.made):
            folders.remove(made)
        if plan.recorded is not None:
            staged.move(folders, {_BEFORE: index.NAME})
        else:
            os.unlink(index.NAME, dir_fd=folders.make(""))
        raise


def _change(plan: Plan, folders: Folders, staged: stage.Stage) -> None:
    """Brings the tree from the pending index to the final one."""
    for path in plan.delete:
        with naming("delete", os.path.join(plan.folder, path)):
            parent, _, name = path.rpartition("/")
            os.unlink(name, dir_fd=folders.make(parent))
    for folder in plan.emptied:
        folders.remove(folder)
    staged.move(folders, {path: path for path in (*plan.files, index.NAME)})
