"""Shows how far downloads are: a bar on a terminal, a line a file elsewhere."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

from okgen.counter import CLEAR, bar, is_watched

_REDRAW = 0.1  # s


class Lines:
    """One line for each finished file: what logs of pipelines want to hold."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, name: str) -> None:
        """A download begins."""

    def advance(self, done: int, total: int | None) -> None:
        """So many bytes are here, of so many where that is known."""

    def finish(self, line: str) -> None:
        """The download is over; the line says how."""
        self._stream.write(f"{line}\n")
        self._stream.flush()


class Bar(Lines):
    """A bar that is redrawn in place and makes room for the line of the finished file."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._name = ""
        self._drawn = 0.0

    def start(self, name: str) -> None:
        """A download begins: an empty bar."""
        self._name = name
        self._draw(0, None)

    def advance(self, done: int, total: int | None) -> None:
        """Redraws, ten times a second at most and when complete."""
        if done == total or time.monotonic() - self._drawn >= _REDRAW:
            self._draw(done, total)

    def finish(self, line: str) -> None:
        """The bar gives way to the line."""
        self._stream.write(CLEAR)
        super().finish(line)

    def _draw(self, done: int, total: int | None) -> None:
        self._drawn = time.monotonic()
        size = amount(done)
        if total:
            size = f"{bar(done, total)} {size} of {amount(total)}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"{CLEAR}{f'{self._name} {size}'[:width]}")
        self._stream.flush()


def progress(stream: TextIO) -> Lines:
    """A bar where somebody watches and the terminal can redraw a line, else lines."""
    return Bar(stream) if is_watched(stream) else Lines(stream)


def amount(size: int) -> str:
    """A number of bytes for people: ``3.2 kB``, ``1.4 MB``."""
    return f"{size / 1_000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"  # noqa: PLR2004 - a million
