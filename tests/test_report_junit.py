"""JUnit's XML, judged by Jenkins' schema and read by a reader of test results."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

import junitparser
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

import rendering
import reports
from okgen import report
from okgen.problem import Problem
from okgen.write.drift import Drift
from tools import build

TEXT = "dns:\n  zones: 1\n"
WRONG = Problem("a.yaml", 2, 10, "OKG203", "error", "expected a list, found 1 & <more>", "dns.zones", "write a list")
RISKY = Problem("b.yaml", 1, 1, "OKG404", "warning", "risky", "dns")
DRIFT = [Drift("output/shop/x.yaml", "edited by hand", "-a\n+b\n"), Drift("output/shop/y.yaml", "missing")]


def read(said: str) -> dict[str, list[junitparser.TestCase]]:
    """The cases of each suite, their totals checked."""
    found = junitparser.JUnitXml.fromstring(said.encode())
    suites = {suite.name: list(suite) for suite in found}
    for suite in found:
        assert suite.tests == len(suites[suite.name])
        assert suite.failures == sum(map(failed, suites[suite.name]))
    assert found.tests == sum(map(len, suites.values()))
    return suites


def failed(case: junitparser.TestCase) -> bool:
    return any(isinstance(each, junitparser.Failure) for each in case.result)


def test_problems() -> None:
    texts = {"a.yaml": TEXT, "b.yaml": TEXT, "c.yaml": TEXT}

    suites = read(report.render([WRONG, RISKY], "junit", texts, color=True))

    (wrong,) = suites["a.yaml"]
    (failure,) = wrong.result
    assert (wrong.classname, wrong.name) == ("a.yaml", "OKG203 dns.zones")
    assert (failure.type, failure.message) == ("OKG203", WRONG.message)
    assert failure.text == (
        "OKG203 expected a list, found 1 & <more>\n --> a.yaml:2:10\n  |\n2 |   zones: 1\n  |          ^\n"
        "  = path: dns.zones\n  = help: write a list\n"
    )
    risky, valid = suites["b.yaml"]
    assert not failed(risky)
    assert str(risky.system_out).startswith("OKG404 warning: risky\n")
    assert (valid.name, failed(valid)) == ("valid", False)
    assert [(case.name, failed(case)) for case in suites["c.yaml"]] == [("valid", False)]


def test_drift() -> None:
    suites = read(report.render([], "junit", {"c.yaml": TEXT}, color=False, drift=DRIFT))

    assert [(case.name, case.result[0].message, case.result[0].text) for case in suites["drift"]] == [
        ("output/shop/x.yaml", "output/shop/x.yaml: edited by hand", "-a\n+b\n"),
        ("output/shop/y.yaml", "output/shop/y.yaml: missing", "output/shop/y.yaml: missing\n"),
    ]
    assert not failed(suites["c.yaml"][0])


def test_the_commands_print_it(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.minimal())
    (tmp_path / "output" / "demo" / "README.md").unlink()

    code, out, _ = rendering.okgen("check", "--format", "junit", cwd=tmp_path)

    suites = read(out)
    assert code == 1
    assert [case.name for case in suites["cluster.yaml"]] == ["valid"]
    assert [case.name for case in suites["drift"]] == ["output/demo/README.md"]


@given(st.lists(reports.PROBLEMS, max_size=3), st.lists(reports.DRIFT, max_size=2), reports.TEXTS)
def test_no_text_breaks_it(problems: list[Problem], drift: list[Drift], text: str) -> None:
    files = {each.file for each in problems}

    suites = read(report.render(problems, "junit", dict.fromkeys(files, text), color=False, drift=drift))

    cases = [case for cases in suites.values() for case in cases]
    wrong = sum(each.is_error for each in set(problems))
    assert sum(map(failed, cases)) == wrong + len(drift)


@cache
def jenkins() -> xmlschema.XMLSchema:
    """Jenkins' schema, which the Go module of kubeconform carries for its own tests."""
    command = build.go()
    if command is None:
        pytest.skip("Jenkins' schema of JUnit's XML comes with a Go module, and there is no Go: make test fetches it")
    call = [command, "mod", "download", "-json", "github.com/yannh/kubeconform"]
    where = Path(build.HERE) / "kubeconform"
    run = subprocess.run(call, cwd=where, env=build.environment(), capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip(f"the Go module with Jenkins' schema of JUnit's XML cannot be fetched: {run.stderr or run.stdout}")
    return xmlschema.XMLSchema(str(Path(json.loads(run.stdout)["Dir"]) / "fixtures" / "junit.xsd"))


@pytest.mark.tools
def test_jenkins_accepts_it() -> None:
    texts = {"a.yaml": TEXT, "c.yaml": TEXT}
    for problems, drift in (([], []), ([WRONG, RISKY], DRIFT)):
        jenkins().validate(report.render(problems, "junit", texts, color=False, drift=drift))
    with pytest.raises(xmlschema.XMLSchemaException):
        jenkins().validate('<testsuites><testsuite name="a" tests="1"><testcase/></testsuite></testsuites>')
