"""Problems as people read them: each with an excerpt of the source, its key and a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.report.concise import drift_line, place_and_label
from okgen.report.excerpt import Sources, excerpt
from okgen.report.paint import BLUE, BOLD, DIFF, RED, YELLOW, Paint
from okgen.text import harmless, harmless_line

if TYPE_CHECKING:
    from okgen.problem import Problem
    from okgen.report import Report
    from okgen.write.drift import Drift


def text(report: Report) -> str:
    """A block for each problem, blank lines between, then the drift; "" when there is nothing."""
    paint, sources = Paint(report.color), Sources(report.texts)
    blocks = [block(each, sources, paint) for each in report.problems]
    differing = "".join(_drift(each, paint) for each in report.drift)
    return "\n".join([*blocks, *([differing] if differing else [])])


def block(problem: Problem, sources: Sources, paint: Paint) -> str:
    """Code and message, place, excerpt, key path, other places, help."""
    margin = " " * len(str(problem.line))
    bar, arrow, equals = paint(BLUE, "|"), paint(BLUE, "-->"), paint(BLUE, "=")
    place = f"{harmless(problem.file)}:{problem.line}:{problem.column}"
    lines = [f"{paint.code(problem)} {paint(BOLD, harmless(problem.message))}", f"{margin}{arrow} {place}"]
    line = sources.line(problem.file, problem.line)
    if line is not None:
        shown, offset = excerpt(line, problem.column - 1)
        caret = paint(RED if problem.is_error else YELLOW, "^")
        number = paint(BLUE, str(problem.line))
        lines += [f"{margin} {bar}", f"{number} {bar} {shown}".rstrip(), f"{margin} {bar} {' ' * offset}{caret}"]
    if problem.path:
        lines.append(f"{margin} {equals} path: {harmless(problem.path)}")
    lines += [f"{margin} {equals} see: {place_and_label(each)}" for each in problem.related]
    if problem.help:
        first, *more = problem.help.split("\n")
        lines.append(f"{margin} {equals} help: {harmless(first)}")
        lines += [f"{margin}         {harmless(line)}".rstrip() for line in more]
    return "\n".join(lines) + "\n"


def _drift(drift: Drift, paint: Paint) -> str:
    """The file, in which way it differs, and the diff in the colours that Git gives it."""
    lines = [harmless_line(line) for line in drift.diff.split("\n") if line]
    shown = [paint(DIFF[line[0]], line) if line[0] in DIFF else line for line in lines]
    return drift_line(drift, paint) + "".join(f"  {line}\n" for line in shown)
