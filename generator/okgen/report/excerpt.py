"""The line of a file that a problem points into, cut to what fits, and where on a terminal its column stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.text import harmless, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAB = "    "
# How much of a line is shown, in characters before and behind the place of the problem.
_BEFORE, _BEHIND = 60, 40
_CUT = "..."
_STACKED, _WIDE = ("Mn", "Me"), ("W", "F")  # Unicode categories and widths


class Sources:
    """The lines of the input files; a file is split when its first line is asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._lines: dict[str, list[str]] = {}

    def line(self, file: str, number: int) -> str | None:
        """A line by its number from 1; None where the text is not at hand or ends before."""
        if file not in self._lines:
            text = self._texts.get(file)
            self._lines[file] = lines_of(text) if text else []
        lines = self._lines[file]
        return lines[number - 1] if number <= len(lines) else None


def excerpt(line: str, column: int) -> tuple[str, int]:
    """The line, or the part of it around a column counted from 0, and how far to the right that is on a terminal."""
    column = min(column, len(line))
    start = column - _BEFORE if len(line) > _BEFORE + _BEHIND and column > _BEFORE else 0
    end = start + _BEFORE + _BEHIND
    before, behind = _printable(line[start:column]), _printable(line[column:end])
    if start:
        before = _CUT + before
    if end < len(line):
        behind += _CUT
    return before + behind, _width(before)


def _printable(text: str) -> str:
    return harmless(text.replace("\t", _TAB))


def _width(text: str) -> int:
    """How many columns a terminal takes for a text."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # most files do without

    return sum(0 if category(each) in _STACKED else 2 if east_asian_width(each) in _WIDE else 1 for each in text)
