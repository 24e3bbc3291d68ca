"""``okgen diff``: diffs/NAME/ holds what a cluster.yaml was and is, and what is said of the change in each format."""

from __future__ import annotations

from pathlib import Path

import pytest

import diffing
import rendering

HERE = Path(__file__).resolve().parent / "diffs"
NAMES = sorted(path.parent.name for path in HERE.glob("*/after.yaml"))
ENDINGS = {"full": "txt", "markdown": "md"}
AS_JSON = "policy"  # one is enough: the schema, and that it leads to the new tree, are held for all


def repository(name: str, folder: Path) -> str:
    """Lays a case out; its new cluster.yaml."""
    before, after = ((HERE / name / f"{which}.yaml").read_text(encoding="utf-8") for which in ("before", "after"))
    diffing.before_and_after(folder, before, after)
    return after


@pytest.mark.golden
@pytest.mark.parametrize("name", NAMES)
def test_what_is_said(name: str, tmp_path: Path, update_golden: bool) -> None:
    repository(name, tmp_path / name)
    for form, ending in (ENDINGS | ({"json": "json"} if name == AS_JSON else {})).items():
        code, out, err = rendering.okgen("diff", "--base", "HEAD", "--format", form, cwd=tmp_path / name)

        assert code == 1, err
        expected = HERE / name / f"expected.{ending}"
        if update_golden:
            expected.write_text(out, encoding="utf-8")
        assert out == expected.read_text(encoding="utf-8"), f"{expected.name} is not as expected; see --update-golden"


@pytest.mark.parametrize("name", NAMES)
def test_disk_and_revision_say_the_same_and_name_lines_that_are_there(name: str, tmp_path: Path) -> None:
    after = repository(name, tmp_path / name)

    disk, revision = diffing.said(tmp_path / name), diffing.said(tmp_path / name, "--base", "HEAD")

    assert disk == revision | {"base": None}
    for item in disk["items"]:
        assert item["causes"], item["subject"]
        assert all(0 < each["line"] <= after.count("\n") for each in item["causes"]), item


@pytest.mark.parametrize("name", NAMES)
def test_once_rendered_nothing_is_left(name: str, tmp_path: Path) -> None:
    repository(name, tmp_path / name)
    assert rendering.okgen("render", cwd=tmp_path / name)[0] == 0

    found = diffing.said(tmp_path / name)

    assert found["empty"]
    assert found["items"] == found["objects"] == []
    assert rendering.okgen("diff", "--expect-empty", cwd=tmp_path / name)[0] == 0
