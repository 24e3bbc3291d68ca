"""docs/changes.md shows what okgen says: its blocks are compared, or rewritten with --update-golden."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import diffing
import rendering
from okgen.diff.facts import RISKS

if TYPE_CHECKING:
    from pathlib import Path

PAGE = rendering.REPOSITORY / "docs" / "changes.md"
EXAMPLE = rendering.REPOSITORY / "examples" / "shop" / "cluster.yaml"
STAGES = ("dev", "prod", "test")
EDITS = {
    "dev": (("upsert-only", "sync"),),
    "test": (("upsert-only", "sync"),),
    "prod": (
        ("  cert-manager:\n", "  cert-manager: {replicas: 3}\n"),
        ("    stores:", "    priorityClassName: system-cluster-critical\n    stores:"),
    ),
}


def cluster(root: Path, stage: str) -> Path:
    return root / "clusters" / f"shop-{stage}" / "cluster.yaml"


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The repository that the page tells of."""
    for number, stage in enumerate(STAGES):
        text = EXAMPLE.read_text(encoding="utf-8").replace("shop-prod", f"shop-{stage}")
        text = text.replace("/shop/prod/", f"/shop/{stage}/").replace("shop.example.com", f"{stage}.example.com")
        cluster(tmp_path, stage).parent.mkdir(parents=True)
        cluster(tmp_path, stage).write_text(text.replace("ABCDEFGHIJ", f"ABCDEFGHI{number}"), encoding="utf-8")
    (tmp_path / ".git").mkdir()
    assert rendering.okgen("render", ".", cwd=tmp_path)[0] == 0
    (tmp_path / ".git").rmdir()
    diffing.committed(tmp_path)
    for stage, edits in EDITS.items():
        text = cluster(tmp_path, stage).read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        cluster(tmp_path, stage).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.golden
def test_the_page_shows_what_is_said(edited: Path, update_golden: bool) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for call, shown in re.findall(r"```\n\$ okgen (diff[^\n]*)\n(.*?)```\n", page, flags=re.DOTALL):
        code, out, err = rendering.okgen(*call.split(), cwd=edited)
        assert (code, err) == (1, "")
        if update_golden:
            page = page.replace(f"$ okgen {call}\n{shown}```", f"$ okgen {call}\n{out}```")
            PAGE.write_text(page, encoding="utf-8")
        assert f"$ okgen {call}\n{out}```" in page
    assert page.count("$ okgen diff") == 1


def test_the_page_names_every_risk_in_order() -> None:
    rows = re.findall(r"^\| ([A-Z][A-Za-z ]+) \| ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows == [each.heading for each in RISKS.values()]
