"""Shows on a terminal how far a run over many clusters is, once it takes longer than people like to wait."""

from __future__ import annotations

import os
from time import monotonic
from typing import TYPE_CHECKING, TextIO, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Self

_Thing = TypeVar("_Thing")

_PATIENCE = 1.0  # s
_REDRAW = 0.1  # s
_BAR = 24  # characters
CLEAR = "\r\x1b[K"  # back to the start of the line, and what is on it away


def is_watched(stream: TextIO) -> bool:
    """Whether somebody looks at a stream that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def bar(done: int, total: int) -> str:
    """Such a part of a whole, as a picture of fixed width."""
    filled = _BAR * min(done, total) // total
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


class Counter:
    """Counts things as they are taken: ``with Counter(stream, "rendering", "clusters") as counter``.

    Nothing of it stays on the terminal when the run goes on, fails or is interrupted.
    """

    def __init__(self, stream: TextIO, verb: str, things: str) -> None:
        self._stream = stream if is_watched(stream) else None
        self._verb, self._things = verb, things
        self._started = monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.clear()

    def each(self, things: Sequence[_Thing]) -> Iterator[_Thing]:
        """The things; that one is asked for means that those before it are done."""
        for done, thing in enumerate(things):
            self._count(done, len(things))
            yield thing

    def clear(self) -> None:
        """Makes room for a line."""
        if self._drawn and self._stream:
            self._stream.write(CLEAR)
            self._stream.flush()
            self._drawn = 0.0

    def _count(self, done: int, total: int) -> None:
        if not self._stream:
            return
        now = monotonic()
        if now - self._started < _PATIENCE or now - self._drawn < _REDRAW:
            return
        self._drawn = now
        width = os.get_terminal_size(self._stream.fileno()).columns - 1
        self._stream.write(f"{CLEAR}{f'{self._verb} {bar(done, total)} {done} of {total} {self._things}'[:width]}")
        self._stream.flush()
