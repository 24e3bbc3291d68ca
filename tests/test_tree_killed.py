"""A tree survives kills at any moment: no half file, no lost edit or foreign file, and the next render completes it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from okgen.problem import Refused
from okgen.write import index, plan, tree
from trees import (
    CHANGES,
    FOREIGN,
    LATER,
    NEW,
    OLD,
    STAGE,
    Files,
    as_bytes,
    assert_rendered,
    contents,
    edited,
    fill,
    in_child,
    killed_at,
    render,
)

pytestmark = pytest.mark.no_cover  # thousands of runs, of code that other tests reach line by line


def assert_whole(folder: str, *, before: Files, after: Files) -> None:
    """Each file holds one or the other, nothing between, and nothing of others is lost."""
    found = contents(folder)
    for path, data in found.items():
        if not path.startswith(f"{STAGE}/"):
            either = [files[path].encode() for files in (before, after, FOREIGN) if path in files]
            assert data in either, path
    assert found.items() >= as_bytes(FOREIGN).items()
    recorded = os.path.join(folder, index.NAME)
    if os.path.exists(recorded):
        with open(recorded, encoding="utf-8") as stream:
            json.load(stream)


@pytest.mark.parametrize("later", [OLD, NEW, LATER], ids=["back", "again", "another cluster.yaml"])
@pytest.mark.parametrize("before", [OLD, {}], ids=["update", "first render"])
def test_killed_before_every_step(in_memory: Path, before: Files, later: Files) -> None:
    step, killed = 0, True
    while killed:
        folder = str(in_memory / str(step))
        fill(folder, FOREIGN)
        if before:
            render(folder, before)
        killed = killed_at(step, folder, NEW)
        assert_whole(folder, before=before, after=NEW)
        render(folder, later)
        assert_rendered(folder, later)
        shutil.rmtree(folder)
        step += 1
    assert step > 50


def test_killed_again_and_again(in_memory: Path) -> None:
    """Each run is killed a step later than the one before, each wants other files."""
    folder = str(in_memory / "demo")
    fill(folder, FOREIGN)
    wants = [OLD, NEW, LATER]
    for step in range(120):
        files = wants[step % 3]
        killed_at(step, folder, files)
    render(folder, NEW)
    assert_rendered(folder, NEW)


def test_killed_while_an_edit_is_overwritten_by_force(in_memory: Path) -> None:
    """The edit is there whole, and found to be one, until it is overwritten."""
    step, killed = 0, True
    while killed:
        folder = str(in_memory / str(step))
        fill(folder, FOREIGN | {"empty": "foreign\n"})
        render(folder, OLD)
        edited(folder, "README.md")
        killed = killed_at(step, folder, NEW, force=True)
        found = contents(folder)
        try:
            render(folder, NEW)
        except Refused as refused:
            places = [os.path.relpath(problem.file, folder) for problem in refused.problems]
            assert places == [
                path
                for path, text in (("README.md", b"old\n# by hand\n"), ("empty", b"foreign\n"))
                if found[path] == text
            ]
            render(folder, NEW, force=True)
        assert_rendered(folder, NEW)
        shutil.rmtree(folder)
        step += 1


def test_killed_at_random_moments(in_memory: Path) -> None:
    """As a machine does it, from outside, also within a write; then another cluster.yaml is rendered."""
    chance = random.Random(4)  # noqa: S311 - not for secrets
    big = {f"{number % 5}/{number}": f"{number}\n" * 5000 for number in range(60)}
    folder = str(in_memory / "demo")
    fill(folder, FOREIGN)
    started = time.monotonic()
    render(folder, big)
    took = time.monotonic() - started
    before, killed = big, 0
    for turn in range(60):
        after = {path: f"turn {turn}\n{text}" for path, text in big.items() if chance.random() < 0.9}
        pid = os.fork()
        if not pid:
            try:
                render(folder, after)
            finally:
                os._exit(0)
        time.sleep(chance.random() * took)
        os.kill(pid, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        assert_whole(folder, before=before, after=after)
        before = {path: f"after {turn}\n{text}" for path, text in big.items() if chance.random() < 0.9}
        render(folder, before)
        assert_rendered(folder, before)
    assert killed >= 40


def test_interrupted(in_memory: Path) -> None:
    """Control-C, wherever it comes: the next render completes the tree.

    Nothing of okgen's is left lying about, unless Control-C comes while it tidies up.
    """
    step = 0
    code = 3
    while code == 3:
        folder = str(in_memory / str(step))
        fill(folder, FOREIGN)
        render(folder, OLD)

        def work(folder: str = folder, step: int = step) -> None:
            todo = plan.make(NEW, tree.snapshot(folder, NEW))
            left = step

            def count(event: str, _arguments: object) -> None:
                nonlocal left
                if event in CHANGES:
                    left -= 1
                    if left == -1:
                        raise KeyboardInterrupt

            sys.addaudithook(count)
            try:
                tree.apply(todo)
            except KeyboardInterrupt:
                os._exit(3)

        code = in_child(work)
        assert_whole(folder, before=OLD, after=NEW)
        left = [path for path in contents(folder) if path.startswith(STAGE)]
        assert not left or index.parse(Path(folder, index.NAME).read_bytes(), "").pending == {}
        render(folder, NEW)
        assert_rendered(folder, NEW)
        step += 1
    assert code == 0
    assert step > 50


def test_leftovers_are_recognised_by_their_name_alone(in_memory: Path) -> None:
    folder = str(in_memory / "demo")
    render(folder, OLD)
    fill(folder, {f"{STAGE}/0": "half", f"{STAGE}/17": "", f"{STAGE}/note": "mine", f"{STAGE}/7a": "mine"})
    assert not plan.drift(plan.make(OLD, tree.snapshot(folder, OLD)))
    render(folder, OLD)
    assert contents(folder) == as_bytes(OLD | {f"{STAGE}/note": "mine", f"{STAGE}/7a": "mine"})
    assert render(folder, OLD).is_empty
    render(folder, NEW)
    assert contents(folder) == as_bytes(NEW | {f"{STAGE}/note": "mine", f"{STAGE}/7a": "mine"})
