"""What the tests of rendered folders share: fill one by hand, render into it (also with a kill), say what it holds."""

from __future__ import annotations

import os
import signal
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from okgen.problem import Refused, Unable
from okgen.write import index, plan, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Files = dict[str, str]

STAGE = ".okgen.tmp"
CHANGES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")

OLD: Files = {f"addons/{name}/{number}.yaml": f"old {number}\n" for name in "abc" for number in range(4)}
OLD |= {
    "README.md": "old\n",
    "gone/x/y.yaml": "old\n",
    "same.yaml": "same\n",
    "swap": "old\n",
    "flip/a": "old\n",
    "z/a": "old\n",
}
NEW: Files = {f"addons/{name}/{number}.yaml": f"new {number}\n" for name in "bcd" for number in range(4)}
NEW |= {
    "README.md": "new, and longer\n",
    "same.yaml": "same\n",
    "swap/a": "new\n",
    "flip": "new\n",
    "empty": "",
    "z/a": "new\n",
}
LATER: Files = {
    "README.md": "later\n",
    "addons/a/0.yaml": "later\n",
    "addons/e/0.yaml": "later\n",
    "same.yaml": "same\n",
}
FOREIGN: Files = {"note": "mine\n", "addons/b/note": "mine\n", "gone/note": "mine\n"}


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


def as_bytes(files: Files) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def in_child(work: Callable[[], None]) -> int:
    """Does the work in a child process and returns its exit code: 0 done, 9 killed, 99 failed."""
    pid = os.fork()
    if pid:
        return abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    code = 99
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def killed_at(step: int, folder: str, files: Files, *, force: bool = False) -> bool:
    """Renders in a child that kills itself before it opens, moves or removes something for the ``step``-th time.

    Whether it came to be killed.
    """

    def work() -> None:
        todo = plan.make(files, tree.snapshot(folder, files), force=force)
        left = step

        def count(event: str, _arguments: object) -> None:
            nonlocal left
            if event in CHANGES:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        tree.apply(todo)

    code = in_child(work)
    assert code in (0, 9)
    return code == 9


def assert_rendered(folder: str, files: Files) -> None:
    """The tree holds these files and the foreign ones, its index lists them, and there is nothing left to do."""
    assert contents(folder) == as_bytes(FOREIGN | files)
    assert STAGE not in os.listdir(folder)
    assert render(folder, files).is_empty
    for place, folders, names in os.walk(folder):
        assert folders or names, f"{place} is empty"


def unable(work: Callable[[], object]) -> str:
    with pytest.raises(Unable) as caught:
        work()
    return str(caught.value)
