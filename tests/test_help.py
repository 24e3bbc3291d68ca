"""The help pages: complete, of one form, and every example on them works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import rendering
import repositories
from okgen.cli import COMMANDS, parser_for
from okgen.manual import Manual

NAMES = [command.name for command in COMMANDS]
# What needs the network, or goes on until it is stopped, is only parsed.
NOT_RUN = ("vendor", "watch")


def manual(name: str) -> Manual:
    found = import_module(f"okgen.commands.{name}").MANUAL
    assert isinstance(found, Manual)
    return found


EXAMPLES = [each.line for name in NAMES for each in manual(name).examples]


@pytest.mark.parametrize("name", NAMES)
def test_a_help_page_has_its_parts_and_fits(name: str, tmp_path: Path) -> None:
    code, out, _ = rendering.okgen(name, "--help", cwd=tmp_path)

    assert code == 0
    parts = [line for line in out.splitlines() if re.fullmatch(r"[a-z ]+:", line)]
    assert parts[-2:] == ["exit codes:", "examples:"]
    assert "options:" in parts
    assert max(map(len, out.splitlines())) <= 105
    assert set(manual(name).exits) <= {0, 1, 2, 130}
    assert all(example.line.startswith(f"okgen {name}") for example in manual(name).examples)


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_parses(line: str) -> None:
    words = shlex.split(line.split(" > ", maxsplit=1)[0])[1:]

    assert parser_for(words).parse_args(words).command == words[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with two rendered clusters, all committed, and nothing at the places that examples write to."""
    repositories.init(tmp_path)
    for place, name in ((tmp_path, "shop"), (tmp_path / "clusters", "other")):
        place.mkdir(exist_ok=True)
        cluster = rendering.enabled("external-dns", metadata={"name": name})
        cluster["addons"]["external-dns"] = {"policy": "sync"}
        (place / "cluster.yaml").write_text(rendering.written(cluster), encoding="utf-8")
    assert rendering.okgen("render", ".", cwd=tmp_path)[0] == 0
    repositories.commit_all(tmp_path)
    return tmp_path


def prepare(folder: Path, line: str) -> None:
    """What an example takes for granted."""
    if line == "okgen init":
        (folder / "cluster.yaml").unlink()
    if line.startswith("okgen adopt"):
        rendering.okgen("render", "--output", "build", cwd=folder)
        edited = folder / line.rsplit(maxsplit=1)[-1]
        edited.write_text(edited.read_text(encoding="utf-8").replace("replicas: 1", "replicas: 0"), encoding="utf-8")


@pytest.mark.tools
@pytest.mark.parametrize("line", [line for line in EXAMPLES if line.split()[1] not in NOT_RUN])
def test_an_example_runs(line: str, folder: Path) -> None:
    prepare(folder, line)
    environment = repositories.environment(PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    run = subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


PIPELINES = (rendering.REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
CALLS = re.findall(r"okgen (?:check|render|diff|validate)\b[^`\n|]*", PIPELINES)


@pytest.mark.parametrize("line", sorted(set(CALLS)))
def test_what_the_page_on_pipelines_calls_parses(line: str) -> None:
    words = shlex.split(line.split(" > ", maxsplit=1)[0])[1:]

    assert parser_for(words).parse_args(words).command == words[0]
