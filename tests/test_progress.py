"""How downloads are shown to people and to logs."""

from __future__ import annotations

import io

import pytest

from okgen.progress import Bar, Lines, amount, progress


class Terminal(io.StringIO):
    """A stream somebody watches."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def drawn(stream: io.StringIO) -> list[str]:
    return stream.getvalue().split("\r\x1b[K")[1:]


def test_a_bar_on_a_terminal() -> None:
    stream = Terminal()
    bar = progress(stream)
    assert isinstance(bar, Bar)
    bar.start("demo 1.0 crds.yaml")
    bar.advance(1, 2_000_000)  # too soon after the last one to be drawn
    bar.advance(2_000_000, 2_000_000)
    bar.finish("demo 1.0 crds.yaml: 2.0 MB")
    assert drawn(stream) == [
        "demo 1.0 crds.yaml 0.0 kB",
        "demo 1.0 crds.yaml [########################] 2.0 MB of 2.0 MB",
        "demo 1.0 crds.yaml: 2.0 MB\n",
    ]


def test_a_bar_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("okgen.progress._REDRAW", 0)
    stream = Terminal()
    bar = Bar(stream)
    bar.start("a")
    bar.advance(700_000, 1_400_000)
    bar.advance(700_000, None)
    assert drawn(stream)[1:] == ["a [############............] 700.0 kB of 1.4 MB", "a 700.0 kB"]


def test_a_bar_stays_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    stream = Terminal()
    Bar(stream).start("a name that is too long")
    assert drawn(stream) == ["a name th"]


def test_lines_elsewhere() -> None:
    stream = io.StringIO()
    lines = progress(stream)
    lines.start("a")
    lines.advance(1, 2)
    lines.finish("a: done")
    assert stream.getvalue() == "a: done\n"


@pytest.mark.parametrize("term", ["dumb", None])
def test_lines_on_a_terminal_that_cannot_redraw(monkeypatch: pytest.MonkeyPatch, term: str | None) -> None:
    monkeypatch.setenv("TERM", term) if term else monkeypatch.delenv("TERM")
    assert type(progress(Terminal())) is Lines


def test_amount() -> None:
    assert [amount(size) for size in (0, 3_210, 1_449_999, 20_000_000)] == ["0.0 kB", "3.2 kB", "1.4 MB", "20.0 MB"]
