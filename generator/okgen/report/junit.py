"""JUnit's XML, which GitLab, Jenkins, Azure DevOps and others show as test results.

One suite a file; a problem is a test case that failed, a warning one that passed and has something to say. A file
without problems is a test case that passed: some readers take a report without any for a broken run. The elements and
attributes are those that Jenkins' schema admits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from okgen.report.excerpt import Sources
from okgen.report.full import block
from okgen.report.paint import Paint
from okgen.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.problem import Problem
    from okgen.report import Report
    from okgen.write.drift import Drift

_DRIFT = "drift"


def text(report: Report) -> str:
    """The document, in ASCII."""
    suites = ET.Element("testsuites", name="okgen")
    sources = Sources(report.texts)
    by_file: dict[str, list[Problem]] = {file: [] for file in report.texts}
    for problem in report.problems:
        by_file.setdefault(problem.file, []).append(problem)
    for file, problems in sorted(by_file.items()):
        cases = [_problem(each, sources) for each in problems]
        _suite(suites, file, cases if _fails(problems) else [*cases, _case(file, "valid")])
    if report.drift:
        _suite(suites, _DRIFT, map(_drift, report.drift))
    for name in ("tests", "failures"):
        suites.set(name, str(sum(int(suite.get(name, "")) for suite in suites)))
    ET.indent(suites)
    return str(ET.tostring(suites, "us-ascii", xml_declaration=True), "ascii") + "\n"


def _suite(suites: ET.Element, name: str, cases: Iterable[ET.Element]) -> None:
    suite = ET.SubElement(suites, "testsuite", name=harmless(name))
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in suite)))
    suite.set("errors", "0")
    suite.set("skipped", "0")


def _fails(problems: Iterable[Problem]) -> bool:
    return any(each.is_error for each in problems)


def _problem(problem: Problem, sources: Sources) -> ET.Element:
    # The place is left out of the name: readers compare names from run to run, and lines move.
    case = _case(problem.file, f"{problem.code} {problem.path or problem.message}")
    shown = block(problem, sources, Paint(color=False))
    if problem.is_error:
        _failure(case, problem.code, problem.message, shown)
    else:
        ET.SubElement(case, "system-out").text = shown
    return case


def _drift(drift: Drift) -> ET.Element:
    case = _case(_DRIFT, drift.file)
    lines = "\n".join(map(harmless, drift.diff.split("\n")))
    _failure(case, _DRIFT, f"{drift.file}: {drift.kind}", lines or f"{harmless(drift.file)}: {drift.kind}\n")
    return case


def _case(group: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=harmless(group), name=harmless(name))


def _failure(case: ET.Element, kind: str, message: str, shown: str) -> None:
    ET.SubElement(case, "failure", type=kind, message=harmless(message)).text = shown
