"""Workflow commands, which GitHub Actions turns into annotations beside the code.

Facts: https://docs.github.com/actions/reference/workflow-commands-for-github-actions. The runner undoes the escapes of
https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts. It shows ten annotations of each severity
a step, and all lines in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.report.concise import place_and_label
from okgen.repository import named_from_root
from okgen.text import harmless

if TYPE_CHECKING:
    from okgen.problem import Problem
    from okgen.report import Report
    from okgen.write.drift import Drift

_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_OF_MESSAGES = str.maketrans(_ESCAPES)
_OF_PROPERTIES = str.maketrans(_ESCAPES | {":": "%3A", ",": "%2C"})


def text(report: Report) -> str:
    """A command for each problem, then one for each file that differs."""
    return "".join([*map(_problem, report.problems), *map(_drift, report.drift)])


def _problem(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}:{problem.column}"
    lines = [f"{place}: {problem.code} {problem.message}"]
    lines += [f"see {place_and_label(each)}" for each in problem.related]
    lines += [f"help: {line}" if not number else line for number, line in enumerate(_lines(problem.help))]
    where = {"line": problem.line, "col": problem.column}
    return _command(problem.severity, problem.file, problem.code, lines, **where)


def _drift(drift: Drift) -> str:
    lines = [f"{drift.file}: {drift.kind}", *(line for line in _lines(drift.diff) if line)]
    return _command("error", drift.file, "drift", lines)


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _command(severity: str, file: str, title: str, lines: list[str], **where: int) -> str:
    """One command on one line; ``severity`` is that of problems, which GitHub's commands share."""
    properties = {"file": harmless(named_from_root(file) or file), **where, "title": f"okgen {title}"}
    listed = ",".join(f"{name}={str(value).translate(_OF_PROPERTIES)}" for name, value in properties.items())
    message = "\n".join(map(harmless, lines)).translate(_OF_MESSAGES)
    return f"::{severity} {listed}::{message}\n"
