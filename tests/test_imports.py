"""What a run imports is part of the design: each of these costs as much as rendering a cluster, or more."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import rendering

HEAVY = ("jinja2", "jsonschema", "ruamel", "logging", "subprocess", "importlib.metadata", "dataclasses", "pathlib")
SCRIPT = """
import json, sys
from okgen.{module} import main
try:
    code = main({arguments!r})
except SystemExit as end:
    code = end.code
print()
print(json.dumps([code or 0, sorted(set(sys.modules) - {{"__main__"}})]))
"""


def modules(folder: Path, *arguments: str, module: str = "__main__", cache: str = "") -> set[str]:
    """The names in sys.modules after okgen has run in an interpreter of its own that loads no site packages' hooks."""
    import subprocess

    run = subprocess.run(
        [sys.executable, "-S", "-c", SCRIPT.format(module=module, arguments=list(arguments))],
        cwd=folder,
        env={"PYTHONPATH": f"{rendering.REPOSITORY / 'generator'}:{Path(yaml_folder())}", "OKGEN_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    code, names = json.loads(run.stdout.splitlines()[-1])
    assert code == 0, run.stdout + run.stderr
    return set(names)


def yaml_folder() -> str:
    """Where PyYAML is installed; -S leaves that folder out of the path."""
    import yaml

    return str(Path(yaml.__file__).parent.parent)


def heavy(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(tuple(f"{each}." for each in HEAVY)) or name in HEAVY}


def test_version(tmp_path: Path) -> None:
    loaded = modules(tmp_path, "--version")

    assert heavy(loaded) == set()
    assert "yaml" not in loaded
    assert "argparse" not in loaded


@pytest.mark.parametrize("command", ["validate", "check", "render", "diff"])
def test_a_run_that_finds_nothing(command: str, tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.minimal())

    assert heavy(modules(tmp_path, command, "cluster.yaml")) == set()


@pytest.mark.parametrize("command", ["check", "render"])
def test_what_is_remembered_is_neither_parsed_nor_rendered(command: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        place = tmp_path / name / "cluster.yaml"
        place.parent.mkdir()
        place.write_text(rendering.written(rendering.minimal(metadata={"name": name})), encoding="utf-8")
    cache = str(tmp_path / "cache")
    first = modules(tmp_path, "render", ".", "--output", "out", cache=cache)

    again = modules(tmp_path, command, ".", "--output", "out", cache=cache)

    heavier = {"yaml", "okgen.render.renderer", "okgen.resolve.resolver", "okgen.addons.catalogue"}
    assert heavier <= first
    assert again & heavier == set()
    assert heavy(again) == set()


def test_a_first_render(tmp_path: Path) -> None:
    cluster = rendering.merged(rendering.enabled("external-dns"), rendering.enabled("external-secrets"))
    (tmp_path / "cluster.yaml").write_text(rendering.written(cluster), encoding="utf-8")

    assert heavy(modules(tmp_path, "render", "cluster.yaml")) == set()


def test_a_cluster_by_itself_pays_nothing_for_rules_about_many(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.minimal())
    rules = {
        "okgen.fleet.exemptions",
        "okgen.fleet.facts",
        "okgen.fleet.gathering",
        "okgen.fleet.rules",
        "okgen.fleet.versions",
        "okgen.fleet.zones",
    }

    assert modules(tmp_path, "check", "cluster.yaml") & rules == set()
    cluster = rendering.minimal(metadata={"name": "other"})
    (tmp_path / "other.okgen.yaml").write_text(rendering.written(cluster), encoding="utf-8")
    assert modules(tmp_path, "validate", "cluster.yaml", "other.okgen.yaml") & rules == rules - {
        "okgen.fleet.exemptions"
    }


@pytest.mark.parametrize("command", ["validate", "check", "render"])
def test_what_only_questions_need_is_not_there(command: str, tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.minimal())

    assert not [name for name in modules(tmp_path, command, "cluster.yaml") if name.startswith("okgen.provenance")]
