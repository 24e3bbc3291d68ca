"""Decides what a render does to a tree: the files to be against what is on disk. Reads and writes nothing."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, NamedTuple

from okgen import __version__
from okgen.problem import Problem
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# What can stand in a place instead of a file with its SHA-256, or instead of a folder.
SYMLINK = "symbolic link"
FOLDER = "folder"
FILE = "file"
SPECIAL = "special file"

# Conflicts and drift, as people read them.
EDITED = "edited by hand"
IN_THE_WAY = "in the way"
NOT_A_FILE = "not a file"
NOT_A_FOLDER = "not a folder"
MISSING = "missing"
STALE = "stale"
LEFT_OVER = "left over"
OF_CONTENT = frozenset((EDITED, IN_THE_WAY, MISSING, STALE, LEFT_OVER))  # where a diff says more

_PROBLEMS = {
    EDITED: (
        "OKG504",
        "edited by hand: it does not hold what okgen wrote there",
        "undo the edit, say it in cluster.yaml, or overwrite it with --force",
    ),
    IN_THE_WAY: (
        "OKG505",
        "in the way: okgen is to write a file here, and the one that is here is not its own",
        "move it away, or overwrite it with --force",
    ),
    SYMLINK: (
        "OKG506",
        "a symbolic link, and okgen follows none in a rendered tree",
        "replace it by what it points to, or remove it",
    ),
    NOT_A_FILE: ("OKG507", "okgen is to write a file here, and something else is here", "move it away"),
    NOT_A_FOLDER: ("OKG507", "okgen is to make a folder here, and something else is here", "move it away"),
}


class Snapshot(NamedTuple):
    """What a cluster's folder holds in the places that matter; all paths in it are relative to it, with "/".

    ``folder``: where it is. ``root``: a folder at or above it; below that no symbolic link is followed.
    ``known``: the index; ``recorded``: its bytes, None without one. ``wanted``: the SHA-256 of each file to be.
    ``found``: by path, the SHA-256 of the file there, or SYMLINK, FOLDER, SPECIAL; nothing there: no key.
    ``blocked``: by path of a folder that is looked into, what stands in its place: SYMLINK, FILE, SPECIAL.
    ``replaceable``: the FOLDERs of ``found`` in which there is nothing but files of the index.
    ``leftover``: whether temporary files of a killed run are there.
    """

    folder: str
    root: str
    known: index.Index
    recorded: bytes | None
    wanted: Mapping[str, str]
    found: Mapping[str, str]
    blocked: Mapping[str, str]
    replaceable: frozenset[str]
    leftover: bool


class Conflict(NamedTuple):
    """A place that okgen does not touch; ``kind`` is EDITED, IN_THE_WAY, SYMLINK, NOT_A_FILE or NOT_A_FOLDER."""

    path: str
    kind: str


class Plan(NamedTuple):
    """What is to be done in a cluster's folder; paths are relative to it, and sorted.

    ``files``: the bytes of all of ``create`` and ``update``. ``before``: what ``found`` says of all that is created,
    updated or deleted. ``emptied``: folders to remove when nothing is left in them, the deepest first.
    ``recorded``: the index that is there; ``pending``: the one while files change, ``final``: the one afterwards, None
    where it need not be written. ``rendered_by``: the okgen of what is there, empty when that is unknown.
    """

    folder: str
    root: str
    create: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    unchanged: int
    files: Mapping[str, bytes]
    before: Mapping[str, str]
    emptied: tuple[str, ...]
    recorded: bytes | None
    pending: bytes | None
    final: bytes | None
    rendered_by: str
    leftover: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do, and nothing that keeps okgen from doing it."""
        return self.final is None and not self.leftover and not self.conflicts


def make(files: Mapping[str, str], snapshot: Snapshot, *, force: bool = False) -> Plan:
    """The plan that turns a folder into these files, texts by path, of which the snapshot was taken.

    ``force``: files that were edited by hand or are in the way are overwritten.
    Raises ValueError for a path that leads out of the folder, or through another file.
    """
    create, update, conflicts = _writes(snapshot, force=force)
    delete, stuck = _deletions(snapshot, force=force)
    folders = _folders((*create, *update))
    for path in (*create, *update, *(folders & files.keys())):
        if not index.is_path(path) or path in folders:
            raise ValueError(f"not the path of a file in a tree: {path!a}")
    writes = {path: index.encoded(files[path])[0] for path in sorted((*create, *update))}
    pending = _pending(snapshot, writes) if writes or delete else None
    final = _final(snapshot)
    return Plan(
        folder=snapshot.folder,
        root=snapshot.root,
        create=tuple(sorted(create)),
        update=tuple(sorted(update)),
        delete=tuple(sorted(delete)),
        conflicts=tuple(sorted((*conflicts, *stuck, *_obstacles(snapshot, delete)))),
        unchanged=len(files) - len(writes) - len(conflicts),
        files=writes,
        before={path: snapshot.found[path] for path in (*writes, *delete) if path in snapshot.found},
        emptied=_emptied(snapshot),
        recorded=snapshot.recorded,
        pending=pending,
        final=None if pending is None and snapshot.recorded == final else final,
        rendered_by=snapshot.known.okgen,
        leftover=snapshot.leftover,
    )


def _final(snapshot: Snapshot) -> bytes:
    """The index of the files to be; a tree that has it is not asked to write it once more."""
    if snapshot.recorded is not None and snapshot.known.files is snapshot.wanted:
        return snapshot.recorded  # known by its bytes
    return index.text(index.Index(__version__, snapshot.wanted, {}))


def restoring(files: Mapping[str, str], snapshot: Snapshot) -> Plan:
    """The plan that puts these files back as they are in the index, texts by path, and touches nothing else."""
    wanted = {path: text.encode() for path, text in sorted(files.items())}
    return nothing(snapshot.folder, snapshot.root, 0)._replace(
        update=tuple(wanted),
        files=wanted,
        before={path: snapshot.found[path] for path in wanted},
        recorded=snapshot.recorded,
        final=snapshot.recorded,
        rendered_by=snapshot.known.okgen,
        leftover=snapshot.leftover,
    )


def nothing(folder: str, root: str, unchanged: int) -> Plan:
    """The plan for a folder that has been found to hold just the files to be, so many."""
    return Plan(
        folder=folder,
        root=root,
        create=(),
        update=(),
        delete=(),
        conflicts=(),
        unchanged=unchanged,
        files={},
        before={},
        emptied=(),
        recorded=None,
        pending=None,
        final=None,
        rendered_by=__version__,
        leftover=False,
    )


def _writes(snapshot: Snapshot, *, force: bool) -> tuple[list[str], list[str], list[Conflict]]:
    """The files to create, those to update, and the places where neither may be done."""
    create, update, conflicts = [], [], []
    for path, digest in snapshot.wanted.items():
        found = snapshot.found.get(path)
        if found == digest:
            continue
        if found is None or path in snapshot.replaceable:
            create.append(path)
        elif found in (SYMLINK, FOLDER, SPECIAL):
            conflicts.append(Conflict(path, SYMLINK if found == SYMLINK else NOT_A_FILE))
        elif force or snapshot.known.knows(path, found):
            update.append(path)
        else:
            conflicts.append(Conflict(path, EDITED if path in snapshot.known.files else IN_THE_WAY))
    return create, update, conflicts


def _deletions(snapshot: Snapshot, *, force: bool) -> tuple[list[str], list[Conflict]]:
    """The files of the index that are no longer wanted, and those of them that are not okgen's any more."""
    delete, conflicts = [], []
    for path in _dropped(snapshot):
        found = snapshot.found.get(path)
        if found is None or found == FOLDER:
            continue  # gone already
        if snapshot.known.knows(path, found):
            delete.append(path)
        elif path not in snapshot.known.files:
            continue  # a killed run was to write there, did not come to it, and now it is someone else's
        elif found in (SYMLINK, SPECIAL):
            conflicts.append(Conflict(path, SYMLINK if found == SYMLINK else NOT_A_FILE))
        elif force:
            delete.append(path)
        else:
            conflicts.append(Conflict(path, EDITED))
    return delete, conflicts


def _dropped(snapshot: Snapshot) -> Iterator[str]:
    """The paths that okgen wrote once and does not want now."""
    for path in {**snapshot.known.files, **snapshot.known.pending}:
        if path not in snapshot.wanted:
            yield path


def _obstacles(snapshot: Snapshot, delete: list[str]) -> Iterator[Conflict]:
    """What stands where folders have to be; a file that goes anyway is none."""
    for folder, kind in snapshot.blocked.items():
        if kind == SYMLINK:
            yield Conflict(folder, SYMLINK)
        elif folder not in delete and any(path.startswith(f"{folder}/") for path in snapshot.wanted):
            yield Conflict(folder, NOT_A_FOLDER)


def _emptied(snapshot: Snapshot) -> tuple[str, ...]:
    """The folders that okgen has no more files for, the deepest first."""
    dropped = _folders(_dropped(snapshot))
    needed = _folders(snapshot.wanted) if dropped else set()
    folders = sorted((dropped - needed) | snapshot.replaceable)
    return tuple(sorted(folders, key=lambda folder: folder.count("/"), reverse=True))


def _folders(paths: Iterable[str]) -> set[str]:
    """The folders that these paths lead through."""
    nearest = {path.rpartition("/")[0] for path in paths}
    found = {folder[:end] for folder in nearest for end, each in enumerate(folder) if each == "/"}
    return (nearest | found) - {""}


def _pending(snapshot: Snapshot, writes: Iterable[str]) -> bytes:
    """The index while files change: whatever moment the run is killed at, it knows the bytes that are there.

    What is in place stands under ``files``, be it from the run before, from one that was killed, or found as wanted;
    what this run writes, under ``pending``. A file that is overwritten by force stays edited until it is.
    """
    in_place = {
        path: found
        for path, found in snapshot.found.items()
        if found == snapshot.wanted.get(path) or snapshot.known.knows(path, found)
    }
    pending = {path: digest for path, digest in snapshot.known.pending.items() if path not in in_place}
    pending |= {path: snapshot.wanted[path] for path in writes}
    return index.text(index.Index(snapshot.known.okgen or __version__, {**snapshot.known.files, **in_place}, pending))


def drift(plan: Plan, *, every_file: bool = False) -> list[tuple[str, str]]:
    """What is not as it would be rendered, as (path, kind), sorted; empty when all is.

    Kinds: MISSING, STALE, LEFT_OVER and those of conflicts. What another version of okgen rendered is one line, on the
    index, however many files differ, unless ``every_file`` is asked for; edits are listed nevertheless.
    """
    found: list[tuple[str, str]] = [*plan.conflicts]
    is_other = plan.rendered_by not in ("", __version__)
    if every_file or not is_other:
        for paths, kind in ((plan.create, MISSING), (plan.update, STALE), (plan.delete, LEFT_OVER)):
            found += [(path, kind) for path in paths]
    if is_other:
        found.append((index.NAME, f"rendered by okgen {plan.rendered_by}"))
    elif plan.final is not None and plan.recorded is None:
        found.append((index.NAME, MISSING))
    elif plan.final is not None and not found:
        found.append((index.NAME, STALE))  # else it merely follows the files
    return sorted(found)


def is_object(path: str) -> bool:
    """Whether the path of a tree is that of an object of an add-on, which the user's patches can reach."""
    return path.startswith("addons/") and not path.endswith("/kustomization.yaml")


def problems(plan: Plan) -> list[Problem]:
    """The conflicts of a plan as problems."""
    found = []
    for path, kind in plan.conflicts:
        code, message, way_out = _PROBLEMS[kind]
        file = os.path.relpath(os.path.join(plan.folder, path))
        if kind == EDITED and is_object(path):
            keep = f"okgen adopt {file} keeps the edit as a patch in cluster.yaml"
            way_out = f"{keep}; or undo it, or overwrite it with --force"
        found.append(Problem(file, 1, 1, code, "error", message, help=way_out))
    return found
