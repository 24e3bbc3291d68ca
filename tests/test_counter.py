"""How far a long run is, on a terminal and nowhere else."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
from itertools import count

import pytest

from okgen.counter import Counter

THINGS = ["thing"] * 40  # what is drawn for more fills the buffer of a pseudo-terminal


def test_no_terminal_no_bar() -> None:
    stream = io.StringIO()

    with Counter(stream, "rendering", "clusters") as shown:
        assert list(shown.each(THINGS)) == THINGS

    assert stream.getvalue() == ""


class Terminal:
    """A pseudo-terminal and what was written to it."""

    def __init__(self) -> None:
        self._read, write = pty.openpty()
        self.stream = os.fdopen(write, "w", encoding="utf-8")

    def written(self) -> str:
        """All of it; the terminal is closed."""
        self.stream.close()
        found = b""
        with contextlib.suppress(OSError):  # how a terminal says that nothing more will come
            while part := os.read(self._read, 1 << 20):
                found += part
        return found.decode()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal before which a tenth of a second passes each time that the clock is asked."""
    monkeypatch.setenv("TERM", "xterm")
    ticks = count()
    monkeypatch.setattr("okgen.counter.monotonic", lambda: next(ticks) / 10)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((60, 20)))
    return Terminal()


def test_a_bar_after_a_second(terminal: Terminal) -> None:
    with Counter(terminal.stream, "rendering", "clusters") as shown:
        for _ in shown.each(THINGS):
            pass

    drawn = terminal.written().split("\r\x1b[K")
    assert drawn[0] == ""
    assert drawn[1].startswith("rendering [#####...................] 9 of 40 clusters")
    assert drawn[-2] == "rendering [#######################.] 39 of 40 clusters"
    assert drawn[-1] == ""
    assert max(map(len, drawn)) < 60


def test_what_is_over_in_a_second_shows_none(terminal: Terminal) -> None:
    with Counter(terminal.stream, "rendering", "clusters") as shown:
        for _ in shown.each(THINGS[:5]):
            pass
        terminal.stream.write("end")

    assert terminal.written() == "end"


def test_nothing_of_it_stays_when_the_run_fails(terminal: Terminal) -> None:
    def fail() -> None:
        with Counter(terminal.stream, "rendering", "clusters") as shown:
            for number, _ in enumerate(shown.each(THINGS)):
                if number == 30:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert re.search(r"30 of 40 clusters\r\x1b\[K\Z", terminal.written())
