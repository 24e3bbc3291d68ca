"""What the tests of rendered folders share: fill one by hand, render into it as okgen does, say what it holds."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from okgen import index, plan, tree
from okgen.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

Files = dict[str, str]


def render(folder: str, files: Mapping[str, str], *, force: bool = False, root: str = "") -> plan.Plan:
    """What `okgen render` does to one folder. Raises Refused and Unable."""
    todo = plan.make(files, tree.snapshot(folder, files, trusted_root=root), force=force)
    if todo.conflicts:
        raise Refused(plan.problems(todo))
    tree.apply(todo)
    return todo


def contents(folder: str) -> dict[str, bytes]:
    """Every regular file below a folder but okgen's own, by path; no link is followed."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as stream:
                    found[os.path.relpath(path, folder)] = stream.read()
    return {path: data for path, data in found.items() if path != index.NAME}


def fill(folder: str, files: Mapping[str, str]) -> None:
    """Writes files as a person would."""
    os.makedirs(folder, exist_ok=True)
    for path, text in files.items():
        place = os.path.join(folder, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as stream:
            stream.write(text)


def edited(folder: str, path: str) -> None:
    """Adds a line to a file by hand."""
    with open(os.path.join(folder, path), "a", encoding="utf-8") as stream:
        stream.write("# by hand\n")
