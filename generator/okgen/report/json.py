"""One JSON object, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from okgen.problem import Problem
    from okgen.report import Report
    from okgen.write.drift import Drift

_KEYS = ("code", "severity", "file", "line", "column", "path", "message", "help")


def text(report: Report) -> str:
    """The problems and the drift, lists empty when there is none."""
    return dumped(
        {
            "version": 1,
            "problems": [_problem(each) for each in report.problems],
            "drift": [_drift(each) for each in report.drift],
        }
    )


def _problem(problem: Problem) -> dict[str, Any]:
    return {key: getattr(problem, key) for key in _KEYS} | {"related": [each._asdict() for each in problem.related]}


def _drift(drift: Drift) -> dict[str, str]:
    return {"file": drift.file, "kind": drift.kind} | ({"diff": drift.diff} if drift.diff else {})


def dumped(data: dict[str, Any]) -> str:
    """JSON that steers neither a terminal nor a pipeline, see ``harmless``.

    What is not ASCII is escaped, so that only DEL and ``##`` are left to see to, which stand in strings only.
    """
    return json.dumps(data, indent=2).replace("\x7f", "\\u007f").replace("##", "#\\u0023") + "\n"
