"""Pipelines take lines of a log for commands: what an input says must not become one, whatever the format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import rendering
from okgen.report import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

# Azure Pipelines and GitHub's older commands are found anywhere in a line, TeamCity's at its start.
ANYWHERE = ("##vso[task.prependpath]evil", "##[set-output name=x]y", "##teamcity[buildStop]")


@pytest.mark.parametrize("command", ANYWHERE)
@pytest.mark.parametrize("form", FORMATS)
def test_a_key_is_no_command(tmp_path: Path, form: str, command: str) -> None:
    cluster = rendering.minimal(**{command: 1, "profile": command})

    result = rendering.render(tmp_path, cluster, "--format", form, command="validate")

    assert result.code == 1
    assert command[:6] not in result.out + result.err
    assert command[6:] in result.out
    if form == "json":
        assert command in [each["path"] for each in json.loads(result.out)["problems"]]


def test_a_line_of_a_diff_is_no_command(tmp_path: Path) -> None:
    """GitHub's runner drops the blanks before a command."""
    patch = (
        "kind: ServiceAccount\nmetadata:\n  name: any\n  annotations:\n    note: |\n      ::add-mask::a\n      last\n"
    )
    section = {"patches": [{"target": {"kind": "ServiceAccount"}, "patch": patch}]}
    cluster = rendering.minimal(addons={"cert-manager": section})
    rendering.rendered(tmp_path, cluster)
    place = next(tmp_path.rglob("addons/cert-manager/kustomization.yaml"))
    text = place.read_text(encoding="utf-8")
    assert "::add-mask::a" in text
    place.write_text(text.replace("last", "other"), encoding="utf-8")

    result = rendering.render(tmp_path, cluster, "--format", "full", "--diff", command="check")

    assert "add-mask::a" in result.out
    assert not [line for line in result.out.splitlines() if line.lstrip().startswith("::")]


def test_a_heading_stays_one(tmp_path: Path) -> None:
    result = rendering.render(tmp_path, "## Names [of things]\na: b\n", command="validate")

    assert "## Names [of things]" in result.out
