"""Problems as text: for people with an excerpt of the source, one a line, or as JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from okgen.problem import in_order
from okgen.text import harmless, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from okgen.problem import Problem

_TAB = "    "
# How much of a line is shown, in characters before and behind the place of the problem.
_BEFORE, _BEHIND = 60, 40
_CUT = "..."
_STACKED, _WIDE = ("Mn", "Me"), ("W", "F")  # Unicode categories and widths
_RED, _YELLOW, _BLUE, _BOLD, _OFF = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"


def render(
    problems: Iterable[Problem],
    form: str,
    texts: Mapping[str, str],
    color: bool,
    drift: Sequence[tuple[str, str]] = (),
) -> str:
    """Problems sorted by place, then what has drifted, in one of ``FORMATS``; "" for people when there is nothing.

    ``texts`` holds the text of each input file for the excerpts, ``drift`` pairs of file and kind of drift.
    """
    return _FORMS[form](in_order(problems), texts, _Paint(color), drift)


def wants_color(flag: str, stream: TextIO) -> bool:
    """Whether to print in colour: ``always``, ``never``, or ``auto``: on a terminal unless NO_COLOR is set."""
    if flag != "auto":
        return flag == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class _Paint:
    """Colours, or none."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, code: str, text: str) -> str:
        return f"{code}{text}{_OFF}" if self.color else text

    def code(self, problem: Problem) -> str:
        """The code of a problem, and that it is a warning if it is."""
        if problem.is_error:
            return self(_RED, problem.code)
        return f"{self(_YELLOW, problem.code)} warning:"


def _concise(
    problems: Sequence[Problem], _texts: Mapping[str, str], paint: _Paint, drift: Sequence[tuple[str, str]]
) -> str:
    lines = [
        f"{paint(_BOLD, harmless(each.file))}:{each.line}:{each.column}: {paint.code(each)} {harmless(each.message)}\n"
        for each in problems
    ]
    return "".join(lines) + _drift(drift, paint)


def _full(
    problems: Sequence[Problem], texts: Mapping[str, str], paint: _Paint, drift: Sequence[tuple[str, str]]
) -> str:
    lines = {file: lines_of(texts[file]) for file in {each.file for each in problems} if texts.get(file)}
    blocks = [_block(each, lines.get(each.file, []), paint) for each in problems]
    return "\n".join(blocks + ([_drift(drift, paint)] if drift else []))


def _block(problem: Problem, lines: list[str], paint: _Paint) -> str:
    """A problem as the Rust compiler shows it: code and message, place, excerpt, key path, help."""
    margin = " " * len(str(problem.line))
    bar, arrow, equals = paint(_BLUE, "|"), paint(_BLUE, "-->"), paint(_BLUE, "=")
    place = f"{harmless(problem.file)}:{problem.line}:{problem.column}"
    block = [f"{paint.code(problem)} {paint(_BOLD, harmless(problem.message))}", f"{margin}{arrow} {place}"]
    if problem.line <= len(lines):
        excerpt, offset = _excerpt(lines[problem.line - 1], problem.column - 1)
        caret = paint(_RED if problem.is_error else _YELLOW, "^")
        number = paint(_BLUE, str(problem.line))
        block += [f"{margin} {bar}", f"{number} {bar} {excerpt}".rstrip(), f"{margin} {bar} {' ' * offset}{caret}"]
    if problem.path:
        block.append(f"{margin} {equals} path: {harmless(problem.path)}")
    if problem.help:
        first, *more = problem.help.split("\n")
        block.append(f"{margin} {equals} help: {harmless(first)}")
        block += [f"{margin}         {harmless(line)}".rstrip() for line in more]
    return "\n".join(block) + "\n"


def _excerpt(line: str, column: int) -> tuple[str, int]:
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


def _drift(drift: Sequence[tuple[str, str]], paint: _Paint) -> str:
    return "".join(f"{paint(_BOLD, harmless(file))}: {kind}\n" for file, kind in drift)


def _json(
    problems: Sequence[Problem], _texts: Mapping[str, str], _paint: _Paint, drift: Sequence[tuple[str, str]]
) -> str:
    import json  # few runs ask for it

    names = ("code", "severity", "file", "line", "column", "path", "message", "help")
    listed = {
        "version": 1,
        "problems": [{name: getattr(each, name) for name in names} for each in problems],
        "drift": [{"file": file, "kind": kind} for file, kind in drift],
    }
    # Non-ASCII is escaped, so nothing but DEL could reach a terminal.
    return json.dumps(listed, indent=2).replace("\x7f", "\\u007f") + "\n"


_FORMS: dict[str, Callable[[Sequence[Problem], Mapping[str, str], _Paint, Sequence[tuple[str, str]]], str]] = {
    "full": _full,
    "concise": _concise,
    "json": _json,
}
FORMATS = tuple(_FORMS)
