"""Problems as people read them: each with an excerpt of the source, its key and a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.report.concise import drift_line, place_and_label
from okgen.report.paint import BLUE, BOLD, DIFF, RED, YELLOW, Paint
from okgen.text import harmless, lines_of

if TYPE_CHECKING:
    from okgen.drift import Drift
    from okgen.problem import Problem
    from okgen.report import Report

_TAB = "    "
# How much of a line is shown, in characters before and behind the place of the problem.
_BEFORE, _BEHIND = 60, 40
_CUT = "..."
_STACKED, _WIDE = ("Mn", "Me"), ("W", "F")  # Unicode categories and widths


def text(report: Report) -> str:
    """A block for each problem, blank lines between, then the drift; "" when there is nothing."""
    paint = Paint(report.color)
    texts = report.texts
    lines = {file: lines_of(texts[file]) for file in {each.file for each in report.problems} if texts.get(file)}
    blocks = [_block(each, lines.get(each.file, []), paint) for each in report.problems]
    differing = "".join(_drift(each, paint) for each in report.drift)
    return "\n".join([*blocks, *([differing] if differing else [])])


def _drift(drift: Drift, paint: Paint) -> str:
    """The file, in which way it differs, and the diff in the colours that Git gives it."""
    lines = [harmless(line) for line in drift.diff.split("\n") if line]
    shown = [paint(DIFF[line[0]], line) if line[0] in DIFF else line for line in lines]
    return drift_line(drift, paint) + "".join(f"  {line}\n" for line in shown)


def _block(problem: Problem, lines: list[str], paint: Paint) -> str:
    """Code and message, place, excerpt, key path, other places, help."""
    margin = " " * len(str(problem.line))
    bar, arrow, equals = paint(BLUE, "|"), paint(BLUE, "-->"), paint(BLUE, "=")
    place = f"{harmless(problem.file)}:{problem.line}:{problem.column}"
    block = [f"{paint.code(problem)} {paint(BOLD, harmless(problem.message))}", f"{margin}{arrow} {place}"]
    if problem.line <= len(lines):
        excerpt, offset = _excerpt(lines[problem.line - 1], problem.column - 1)
        caret = paint(RED if problem.is_error else YELLOW, "^")
        number = paint(BLUE, str(problem.line))
        block += [f"{margin} {bar}", f"{number} {bar} {excerpt}".rstrip(), f"{margin} {bar} {' ' * offset}{caret}"]
    if problem.path:
        block.append(f"{margin} {equals} path: {harmless(problem.path)}")
    block += [f"{margin} {equals} see: {place_and_label(each)}" for each in problem.related]
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
