"""Others are at work in a tree: people who edit, and other runs of okgen."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from okgen.problem import Unable
from okgen.write import folders, index, plan, tree
from trees import (
    FOREIGN,
    LATER,
    NEW,
    OLD,
    as_bytes,
    assert_rendered,
    contents,
    fill,
    render,
    unable,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_an_edit_between_reading_and_writing_is_not_lost(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    for path in ("README.md", "gone/x/y.yaml", "addons/d/0.yaml"):
        todo = plan.make(NEW, tree.snapshot(folder, NEW))
        before = contents(folder)
        fill(folder, {path: "edited in between\n"})
        assert f"demo/{path} changed" in unable(lambda todo=todo: tree.apply(todo))  # type: ignore[misc]
        assert contents(folder) == before | {path: b"edited in between\n"}
        fill(folder, {path: OLD.get(path, NEW.get(path, ""))})
    os.unlink(os.path.join(folder, "addons/d/0.yaml"))
    render(folder, NEW)


def test_another_render_between_reading_and_writing(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    todo = plan.make(NEW, tree.snapshot(folder, NEW))
    render(folder, LATER)
    assert f"demo/{index.NAME} changed" in unable(lambda: tree.apply(todo))
    assert contents(folder) == as_bytes(LATER)


def test_another_run_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "PATIENCE", 0.1)
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    todo = plan.make(NEW, tree.snapshot(folder, NEW))
    here = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(here, fcntl.LOCK_EX)
        for work in (lambda: tree.snapshot(folder, NEW), lambda: tree.apply(todo)):
            assert "another okgen is at work in " in unable(work)
        fcntl.flock(here, fcntl.LOCK_SH)
        tree.snapshot(folder, NEW)
        assert "another okgen is at work in " in unable(lambda: tree.apply(todo))
        assert contents(folder) == as_bytes(OLD)
    finally:
        os.close(here)
    tree.apply(todo)
    assert contents(folder) == as_bytes(NEW)


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    folder = str(tmp_path / "demo")
    for files in (OLD, NEW):
        render(folder, files)
        assert contents(folder) == as_bytes(files)


def test_a_run_waits_for_another_that_is_soon_done(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    here = os.open(folder, os.O_RDONLY)
    fcntl.flock(here, fcntl.LOCK_EX)
    pid = os.fork()
    if not pid:
        time.sleep(0.1)
        os._exit(0)  # which lets go of the lock, as nobody else has it open
    os.close(here)
    render(folder, NEW)
    os.waitpid(pid, 0)
    assert contents(folder) == as_bytes(NEW)


def test_many_runs_at_once(tmp_path: Path) -> None:
    """Whoever comes first: each either renders its own files or says why not, and no state between is ever seen."""
    folder = str(tmp_path / "demo")
    fill(folder, FOREIGN)
    render(folder, OLD)
    pids = []
    for number in range(4):
        pid = os.fork()
        if not pid:
            code = 99
            try:
                for turn in range(15):
                    files = (OLD, NEW, LATER)[(number + turn) % 3]
                    with contextlib.suppress(Unable):
                        render(folder, files)
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 4
    render(folder, NEW)
    assert_rendered(folder, NEW)
