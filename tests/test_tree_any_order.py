"""Renders, kills, edits and foreign files in any order keep what a tree promises."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

import memory
from okgen.problem import Refused
from okgen.write import index
from trees import (
    STAGE,
    Files,
    as_bytes,
    contents,
    fill,
    killed_at,
    render,
)

PATHS = ["a", "a/b", "a/b/c", "d", "d/e", "f/g", "f/h", "i"]
TEXTS = st.sampled_from(["", "1", "22", "other\n"])


def pruned(files: Files) -> Files:
    return {path: text for path, text in files.items() if not any(path.startswith(f"{other}/") for other in files)}


TREES = st.dictionaries(st.sampled_from(PATHS), TEXTS, max_size=6).map(pruned)


pytestmark = pytest.mark.no_cover


class AnyOrder(RuleBasedStateMachine):
    """Renders, kills, edits, deletions and foreign files in any order, against a model of a few lines.

    ``known``: by path, what okgen may have written there. All else is foreign or edited, and never lost without force.
    """

    def __init__(self) -> None:
        super().__init__()
        self.above = tempfile.mkdtemp(dir=memory.folder())
        self.folder = os.path.join(self.above, "demo")
        self.known: dict[str, set[bytes]] = {}
        self.edits = 0

    def teardown(self) -> None:
        shutil.rmtree(self.above)

    def found(self) -> dict[str, bytes]:
        return {path: data for path, data in contents(self.folder).items() if not path.startswith(STAGE)}

    def is_listed(self, path: str) -> bool:
        """Whether the index lists it: a killed run took a foreign file over once its index says so."""
        recorded = Path(self.folder, index.NAME)
        return recorded.exists() and path in index.parse(recorded.read_bytes(), "").files

    def in_the_way(self, files: Files, found: dict[str, bytes], *, force: bool) -> bool:
        """Whether a render must stop, told from what is there."""
        for path, data in found.items():
            own = data in self.known.get(path, set())
            listed = path in self.known
            if path in files:
                if data != files[path].encode() and not own and not force:
                    return True
            elif listed and not own and not force:
                return True
            for wanted in files:
                if path.startswith(f"{wanted}/") and not listed:
                    return True  # a folder with something else in it, where a file has to be
                if wanted.startswith(f"{path}/") and not (own or (listed and force)):
                    return True
        return False

    @rule(files=TREES, force=st.booleans())
    def render(self, files: Files, *, force: bool) -> None:
        found = self.found()
        if self.in_the_way(files, found, force=force):
            with pytest.raises(Refused):
                render(self.folder, files, force=force)
            assert self.found() == found
            return
        render(self.folder, files, force=force)
        foreign = {path: data for path, data in found.items() if path not in self.known and path not in files}
        assert contents(self.folder) == as_bytes(files) | foreign
        assert render(self.folder, files).is_empty
        self.known = {path: {text.encode()} for path, text in files.items()}

    @rule(files=TREES, then=TREES, step=st.integers(0, 40))
    def render_killed_then_another(self, files: Files, then: Files, step: int) -> None:
        found = self.found()
        if self.in_the_way(files, found, force=False):
            return
        killed_at(step, self.folder, files)
        between = self.found()
        foreign = {path: data for path, data in found.items() if path not in self.known and path not in files}
        assert foreign.items() <= between.items()
        for path, text in files.items():
            taken_over = found.get(path) == text.encode() and self.is_listed(path)
            if path in self.known or taken_over or (path not in found and path in between):
                self.known.setdefault(path, set()).add(text.encode())
        self.render(then, force=False)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.known)))
        if path in self.found():
            self.edits += 1
            fill(self.folder, {path: f"edit {self.edits}"})

    @rule(path=st.sampled_from(PATHS), text=TEXTS)
    def add_foreign(self, path: str, text: str) -> None:
        found = self.found()
        if path not in self.known and not any(path.startswith(f"{other}/") for other in found):
            with contextlib.suppress(IsADirectoryError):
                fill(self.folder, {path: text})

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from([*self.found(), ""]))
        if path:
            os.unlink(os.path.join(self.folder, path))
            with contextlib.suppress(OSError):
                while path := os.path.dirname(path):
                    os.rmdir(os.path.join(self.folder, path))

    @rule()
    def lose_the_index(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, index.NAME))
        self.known = {}


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=200,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    report_multiple_bugs=False,
)
