"""One line a problem, ``FILE:LINE:COLUMN: CODE message``, which editors and ``grep`` understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.report.paint import BOLD, Paint
from okgen.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from okgen.problem import Problem, Related
    from okgen.report import Report
    from okgen.write.drift import Drift


def text(report: Report) -> str:
    """The lines of the problems, then those of the drift."""
    paint = Paint(report.color)
    lines = [
        f"{paint(BOLD, harmless(each.file))}:{each.line}:{each.column}: {paint.code(each)} {_message(each)}\n"
        for each in report.problems
    ]
    return "".join(lines) + drift_lines(report.drift, paint)


def _message(problem: Problem) -> str:
    """What is wrong, and the other places it is about, in one line."""
    places = "; ".join(map(place_and_label, problem.related))
    return harmless(problem.message) + (f" ({places})" if places else "")


def place_and_label(related: Related) -> str:
    """Another place that a problem is about, as editors understand it, and what is there."""
    return harmless(f"{related.file}:{related.line}:{related.column}: {related.label}")


def drift_lines(drift: Sequence[Drift], paint: Paint) -> str:
    """One line for each file that is not as it would be rendered."""
    return "".join(drift_line(each, paint) for each in drift)


def drift_line(drift: Drift, paint: Paint) -> str:
    """The file and in which way it differs."""
    return f"{paint(BOLD, harmless(drift.file))}: {drift.kind}\n"
