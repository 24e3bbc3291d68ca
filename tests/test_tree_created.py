"""A tree that was not there is made whole or not at all, whatever comes in between."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from okgen.problem import Unable
from okgen.write import folders, index, plan, tree
from trees import LATER, NEW, OLD, Files, as_bytes, contents, fill, in_child, killed_at, render, unable

if TYPE_CHECKING:
    from pathlib import Path

BESIDE = ".okgen.tmp.demo"


def planned(folder: str, files: Files = OLD) -> plan.Plan:
    return plan.make(files, tree.snapshot(folder, files))


def test_one_step_from_nothing_to_all(tmp_path: Path) -> None:
    render(str(tmp_path / "demo"), OLD)

    assert contents(str(tmp_path / "demo")) == as_bytes(OLD)
    assert os.listdir(tmp_path) == ["demo"]
    assert render(str(tmp_path / "demo"), OLD).is_empty


@pytest.mark.no_cover
@pytest.mark.parametrize("later", [OLD, LATER], ids=["again", "another cluster.yaml"])
def test_killed_before_every_step(in_memory: Path, later: Files) -> None:
    step, killed = 0, True
    while killed:
        parent = in_memory / str(step)
        parent.mkdir()
        folder = str(parent / "demo")
        killed = killed_at(step, folder, OLD)
        assert not os.path.exists(folder) or contents(folder) == as_bytes(OLD)
        render(folder, later)
        assert contents(folder) == as_bytes(later)
        assert os.listdir(parent) == ["demo"]
        shutil.rmtree(parent)
        step += 1
    assert step > 30


def test_killed_and_then_the_tree_comes_from_elsewhere(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    assert killed_at(20, folder, OLD)
    assert os.listdir(tmp_path) == [BESIDE]
    render(str(tmp_path / "elsewhere" / "demo"), OLD)
    shutil.copytree(tmp_path / "elsewhere" / "demo", folder)

    assert not plan.drift(planned(folder))
    render(folder, OLD)

    assert sorted(os.listdir(tmp_path)) == ["demo", "elsewhere"]
    assert render(folder, OLD).is_empty


def test_files_of_others_in_what_a_killed_run_left(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    assert killed_at(20, folder, OLD)
    fill(str(tmp_path / BESIDE), {"addons/note": "mine\n"})

    assert f"{BESIDE} is in the way: it holds what okgen did not write" in unable(lambda: render(folder, NEW))

    assert contents(str(tmp_path / BESIDE)) == {"addons/note": b"mine\n"}
    assert not os.path.exists(folder)
    render(str(tmp_path / "elsewhere" / "demo"), OLD)
    shutil.copytree(tmp_path / "elsewhere" / "demo", folder)
    assert render(folder, OLD).is_empty
    assert contents(str(tmp_path / BESIDE)) == {"addons/note": b"mine\n"}


def test_a_folder_that_appears_in_between(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    for moment in ("before", "after"):
        todo = planned(folder)
        if moment == "before":
            fill(folder, {"note": "mine\n"})
            tree.apply(todo)  # other files in a folder are no concern of okgen's
            assert contents(folder) == as_bytes(OLD | {"note": "mine\n"})
        else:
            fill(folder, {"README.md": "mine\n"})
            assert "README.md changed while okgen was at work" in unable(lambda todo=todo: tree.apply(todo))  # type: ignore[misc]
            assert contents(folder) == {"README.md": b"mine\n"}
        shutil.rmtree(folder)
        assert os.listdir(tmp_path) == []


def test_another_run_is_making_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "PATIENCE", 0.1)
    folder = str(tmp_path / "demo")
    todo = planned(folder)
    fill(str(tmp_path / BESIDE), {index.NAME: "half"})
    here = os.open(tmp_path / BESIDE, os.O_RDONLY)
    fcntl.flock(here, fcntl.LOCK_EX)

    assert "another okgen is at work in " in unable(lambda: tree.apply(todo))
    assert (tmp_path / BESIDE / index.NAME).read_bytes() == b"half"

    (tmp_path / BESIDE).rename(folder)
    os.close(here)
    assert "changed while okgen was at work" in unable(lambda: tree.apply(todo))
    assert os.listdir(tmp_path) == ["demo"]


def test_another_run_ends_while_this_one_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path / "demo")
    todo = planned(folder)

    def lock(_top: int, _how: int, _folder: str) -> bool:
        (tmp_path / BESIDE).rename(folder)
        return True

    monkeypatch.setattr("okgen.write.creation.lock", lock)

    assert "demo changed while okgen was at work" in unable(lambda: tree.apply(todo))
    assert os.listdir(tmp_path) == ["demo"]


@pytest.mark.no_cover
def test_many_runs_at_once(in_memory: Path) -> None:
    folder = str(in_memory / "demo")

    def work() -> None:
        for turn in range(20):
            try:
                render(folder, (OLD, NEW)[turn % 2])
            except Unable:
                continue

    for _ in range(3):
        pids = []
        for _ in range(4):
            pid = os.fork()
            if not pid:
                os._exit(in_child(work))
            pids.append(pid)
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 4
        assert contents(folder) in (as_bytes(OLD), as_bytes(NEW))
        assert os.listdir(in_memory) == ["demo"]
        shutil.rmtree(folder)


def test_without_locks_nobody_takes_what_another_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    folder = str(tmp_path / "demo")
    todo = planned(folder)
    fill(str(tmp_path / BESIDE), {index.NAME: "half"})

    assert f"{BESIDE} is in the way: remove it unless another okgen is at work" in unable(lambda: tree.apply(todo))

    assert contents(str(tmp_path)) == {f"{BESIDE}/{index.NAME}": b"half"}
    shutil.rmtree(tmp_path / BESIDE)
    tree.apply(todo)
    assert contents(folder) == as_bytes(OLD)


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")

    assert "File name too long" in unable(lambda: render(folder, OLD | {"b" * 300: "1"}))

    assert os.listdir(tmp_path) == []


def test_of_several_that_are_prepared_together_none_changes_when_one_fails(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    render(str(tmp_path / "b"), OLD)
    plans = [planned(str(tmp_path / name), NEW) for name in names]
    fill(str(tmp_path / "c"), {"README.md": "mine\n"})

    assert "c/README.md changed while okgen was at work" in unable(lambda: list(tree.apply_all(plans)))

    assert sorted(os.listdir(tmp_path)) == ["b", "c"]
    assert contents(str(tmp_path / "b")) == as_bytes(OLD)
    assert contents(str(tmp_path / "c")) == {"README.md": b"mine\n"}


def test_several_together(tmp_path: Path) -> None:
    names = [f"c{number:02}" for number in range(70)]  # more than are prepared at once
    for name in names[::3]:
        render(str(tmp_path / name), OLD)
    before = len(os.listdir("/proc/self/fd"))

    done = [todo.folder for todo in tree.apply_all([planned(str(tmp_path / name), NEW) for name in names])]

    assert done == [str(tmp_path / name) for name in names]
    assert sorted(os.listdir(tmp_path)) == names
    assert all(contents(str(tmp_path / name)) == as_bytes(NEW) for name in names)
    assert len(os.listdir("/proc/self/fd")) == before
