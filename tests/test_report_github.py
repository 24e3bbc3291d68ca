"""Workflow commands, read back as GitHub's runner reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

import rendering
import reports
from okgen import report
from okgen.problem import Problem, Related
from okgen.text import harmless
from okgen.write.drift import Drift

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

UNKNOWN = Problem("a, b/cluster.yaml", 3, 32, "OKG201", "error", 'unknown key "100%"', "dns", "did you mean\nthis?")
ARCHIVED = Problem("cluster.yaml", 1, 1, "OKG402", "warning", "the project is archived")


class Command(NamedTuple):
    """A workflow command as the runner understands it."""

    name: str
    properties: dict[str, str]
    message: str


def commands(said: str) -> list[Command]:
    """The commands of an output; every line must be one."""
    return [_command(line) for line in re.split(r"\r\n|\r|\n", said)[:-1]]


def _command(line: str) -> Command:
    found = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
    assert found, line
    pairs = (pair.split("=", 1) for pair in found[2].split(","))
    escapes = {"%3A": ":", "%2C": ",", "%0D": "\r", "%0A": "\n", "%25": "%"}
    return Command(found[1], {name: _undone(value, escapes) for name, value in pairs}, _undone(found[3], escapes))


def _undone(text: str, escapes: dict[str, str]) -> str:
    return re.sub("|".join(escapes), lambda match: escapes[match[0]], text)


def render(*problems: Problem, drift: tuple[Drift, ...] = ()) -> list[Command]:
    return commands(report.render(problems, "github", {}, color=True, drift=drift))


def test_a_problem() -> None:
    assert render(UNKNOWN) == [
        Command(
            "error",
            {"file": "a, b/cluster.yaml", "line": "3", "col": "32", "title": "okgen OKG201"},
            'a, b/cluster.yaml:3:32: OKG201 unknown key "100%"\nhelp: did you mean\nthis?',
        )
    ]


def test_the_escapes_are_the_runners() -> None:
    said = report.render([UNKNOWN], "github", {}, color=False)

    assert said == (
        "::error file=a%2C b/cluster.yaml,line=3,col=32,title=okgen OKG201::"
        'a, b/cluster.yaml:3:32: OKG201 unknown key "100%25"%0Ahelp: did you mean%0Athis?\n'
    )


def test_a_warning_and_other_places() -> None:
    (found,) = render(ARCHIVED._replace(related=(Related("b.yaml", 2, 3, "the other"),)))

    assert found.name == "warning"
    assert found.message.splitlines()[1:] == ["see b.yaml:2:3: the other"]


def test_drift() -> None:
    found = render(drift=(Drift("output/shop/README.md", "stale"), Drift("output/x.yaml", "edited", "-a\n+b\n")))

    assert [(each.name, each.properties) for each in found] == [
        ("error", {"file": "output/shop/README.md", "title": "okgen drift"}),
        ("error", {"file": "output/x.yaml", "title": "okgen drift"}),
    ]
    assert [each.message for each in found] == ["output/shop/README.md: stale", "output/x.yaml: edited\n-a\n+b"]


def test_files_are_named_from_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra").mkdir()
    monkeypatch.chdir(tmp_path / "infra")

    found = render(ARCHIVED, ARCHIVED._replace(file="../cluster.yaml"), ARCHIVED._replace(file="../../cluster.yaml"))

    assert {each.properties["file"] for each in found} == {"infra/cluster.yaml", "cluster.yaml", "../../cluster.yaml"}


def test_it_is_chosen_in_github_actions(tmp_path: Path) -> None:
    cluster = rendering.written(rendering.minimal(profile="prod"))
    (tmp_path / "cluster.yaml").write_text(cluster, encoding="utf-8")
    environment = {"GITHUB_ACTIONS": "true"}

    code, out, _ = rendering.okgen_process("validate", cwd=tmp_path, env=environment)
    assert code == 1
    assert [each.name for each in commands(out)] == ["error"]
    asked = rendering.okgen_process("validate", "--format", "concise", cwd=tmp_path, env=environment)
    assert asked[1].startswith("cluster.yaml:")


@given(st.lists(reports.PROBLEMS, max_size=3), st.lists(reports.DRIFT, max_size=2))
def test_no_text_starts_or_ends_a_command(problems: list[Problem], drift: list[Drift]) -> None:
    found = render(*problems, drift=tuple(drift))

    assert len(found) == len(set(problems)) + len(drift)
    for each in found:
        assert each.properties.keys() <= {"file", "line", "col", "title"}
    expected = [harmless(each.message) for each in sorted(set(problems))] + [each.kind for each in drift]
    assert all(wanted in each.message for wanted, each in zip(expected, found, strict=True))
