"""``okgen diff``: diffs/NAME/ holds what a cluster.yaml was and is, and what is said of the change in each format."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import rendering

HERE = Path(__file__).resolve().parent / "diffs"
NAMES = sorted(path.parent.name for path in HERE.glob("*/after.yaml"))
SCHEMA = json.loads((rendering.REPOSITORY / "schemas" / "diff.schema.json").read_text(encoding="utf-8"))
ENDINGS = {"full": "txt", "markdown": "md"}


def committed(folder: Path, message: str = "before") -> None:
    """Makes a folder a repository, if it is none yet, and commits all that is in it."""
    identity = ["-c", "user.email=test@example.com", "-c", "user.name=test", "-c", "commit.gpgsign=false"]
    for call in (
        ["init", "-q"],
        ["add", "--all", "--force"],
        [*identity, "commit", "-q", "--allow-empty", "-m", message],
    ):
        subprocess.run(["git", *call], cwd=folder, check=True, capture_output=True)


def before_and_after(folder: Path, before: Any, after: Any) -> None:
    """A repository with a committed cluster and its tree, and the cluster.yaml that it shall be."""
    rendering.rendered(folder, before)
    committed(folder)
    (folder / "cluster.yaml").write_text(rendering.written(after), encoding="utf-8")


def differing(folder: Path, *arguments: str) -> dict[str, Any]:
    """What ``okgen diff --format json`` says, which must be valid."""
    code, out, err = rendering.okgen("diff", "--format", "json", *arguments, cwd=folder)
    assert code in (0, 1), err
    found: dict[str, Any] = json.loads(out)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert (code == 0) is found["empty"]
    return found


@pytest.mark.golden
@pytest.mark.parametrize("form", ENDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_said(name: str, form: str, tmp_path: Path, update_golden: bool) -> None:
    texts = [(HERE / name / f"{which}.yaml").read_text(encoding="utf-8") for which in ("before", "after")]
    before_and_after(tmp_path / name, *texts)

    code, out, err = rendering.okgen("diff", "--base", "HEAD", "--format", form, cwd=tmp_path / name)

    assert code == 1, err
    expected = HERE / name / f"expected.{ENDINGS[form]}"
    if update_golden:
        expected.write_text(out, encoding="utf-8")
    assert out == expected.read_text(encoding="utf-8"), f"{expected.name} is not as expected; see --update-golden"


@pytest.mark.parametrize("name", NAMES)
def test_disk_and_revision_say_the_same(name: str, tmp_path: Path) -> None:
    texts = [(HERE / name / f"{which}.yaml").read_text(encoding="utf-8") for which in ("before", "after")]
    before_and_after(tmp_path / name, *texts)

    disk, revision = differing(tmp_path / name), differing(tmp_path / name, "--base", "HEAD")

    assert disk == revision | {"base": None}


@pytest.mark.parametrize("name", NAMES)
def test_every_item_has_a_cause_that_is_there(name: str, tmp_path: Path) -> None:
    texts = [(HERE / name / f"{which}.yaml").read_text(encoding="utf-8") for which in ("before", "after")]
    before_and_after(tmp_path / name, *texts)

    for item in differing(tmp_path / name)["items"]:
        assert item["causes"], item["subject"]
        assert all(0 < each["line"] <= texts[1].count("\n") for each in item["causes"] if each["file"]), item
