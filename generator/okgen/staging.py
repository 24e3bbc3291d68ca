"""What of the rendered trees is not staged in Git, and the commands that stage it: for hooks."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from okgen.problem import Refused, Unable
from okgen.repository import root_of
from okgen.text import harmless
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_NAMED = 12  # paths in a command; beyond that folders are named


class Unstaged(NamedTuple):
    """How the work tree differs from the index of one repository; paths are absolute.

    ``root``: the repository's. ``folders``: those of clusters in which something differs. ``write``: okgen's files that
    are new or changed. ``remove``: files that are gone.
    """

    root: str
    folders: tuple[str, ...]
    write: tuple[str, ...]
    remove: tuple[str, ...]


def unstaged(folders: Sequence[str]) -> list[Unstaged]:
    """What ``git status`` says of the clusters' folders, absolute ones, by repository; only what there is to stage.

    Ignored files do not count, nor does what lies in no repository, or where there is no Git to ask. Raises Unable when
    Git refuses, as it does in a folder of another user.
    """
    by_root: dict[str, set[str]] = {}
    for folder in folders:
        root = root_of(folder)
        if root is not None:
            by_root.setdefault(root, set()).add(folder)
    found = [_unstaged(root, below) for root, below in by_root.items()]
    return [each for each in found if each.folders]


def commands(found: Unstaged) -> list[str]:
    """The command lines that stage it, to be pasted into a shell in the current folder."""
    git = "git" if root_of(os.getcwd()) == found.root else f"git -C {_quoted([found.root])}"
    start = os.getcwd() if git == "git" else found.root
    if len(found.write) + len(found.remove) > _MOST_NAMED:
        return [f"{git} add --all -- {_quoted([os.path.relpath(each, start) for each in found.folders])}"]
    parts = (("add", found.write), ("rm --quiet", found.remove))
    return [
        f"{git} {verb} -- {_quoted([os.path.relpath(path, start) for path in paths])}" for verb, paths in parts if paths
    ]


def _quoted(paths: Sequence[str]) -> str:
    return harmless(shlex.join(paths))


def _unstaged(root: str, folders: set[str]) -> Unstaged:
    write: list[str] = []
    remove: list[str] = []
    own: dict[str, set[str]] = {}
    touched = set()
    for path, state in _status(root, sorted(folders)):
        folder = next((each for each in _above(path) if each in folders), root)
        if folder not in own:
            own[folder] = _of_okgen(folder)
        if state == "D":
            remove.append(path)
        elif os.path.relpath(path, folder) in own[folder]:
            write.append(path)
        else:
            continue  # not okgen's
        touched.add(folder)
    return Unstaged(root, tuple(sorted(touched)), tuple(write), tuple(remove))


def _above(path: str) -> Iterator[str]:
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        yield path


def _status(root: str, folders: list[str]) -> Iterator[tuple[str, str]]:
    """Path and how the work tree differs from Git's index there, one of Git's letters; nothing without Git.

    Raises Unable when Git refuses.
    """
    # No refresh of the index: the Git that runs the hook holds its lock.
    options = [
        "--no-optional-locks",
        "--literal-pathspecs",
        "-C",
        root,
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
    ]
    call = ["git", *options, "--untracked-files=all", "--", *folders]
    try:
        run = subprocess.run(call, capture_output=True, check=False)  # noqa: S603 - an argument list, paths behind --
    except OSError:
        return
    if run.returncode:
        raise Unable(f"git status in {root}: {run.stderr.decode(errors='replace').strip()}")
    for entry in run.stdout.split(b"\0"):
        state, path = entry[1:2].decode(), os.fsdecode(entry[3:])
        if state.strip():
            yield os.path.join(root, path), state


def _of_okgen(folder: str) -> set[str]:
    """The paths, below a cluster's folder, of the files that its index lists, and of the index."""
    place = os.path.join(folder, index.NAME)
    try:
        with open(place, "rb") as file:
            return {index.NAME, *index.parse(file.read(), place).files}
    except (OSError, Refused):
        return set()
