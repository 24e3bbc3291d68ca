"""Trees whose cluster.yaml is gone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

import rendering

if TYPE_CHECKING:
    from pathlib import Path

KIND = "no cluster.yaml renders this"


def write(folder: Path, name: str, text: str = "") -> None:
    place = folder / "clusters" / name / "cluster.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text or rendering.written(rendering.minimal(metadata={"name": name})), encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three clusters rendered, then the file of one deleted."""
    (tmp_path / ".git").mkdir()
    for name in ("a", "b", "old"):
        write(tmp_path, name)
    assert rendering.okgen("render", ".", cwd=tmp_path)[0] == 0
    shutil.rmtree(tmp_path / "clusters" / "old")
    return tmp_path


def drift(folder: Path, *arguments: str) -> list[tuple[str, str]]:
    """File and kind of what `okgen check` lists."""
    code, out, _ = rendering.okgen("check", *arguments, "--format", "json", cwd=folder)
    found = json.loads(out)["drift"]
    assert code in (int(bool(found)), 1)
    return [(each["file"], each["kind"]) for each in found]


@pytest.mark.parametrize("given", [".", "clusters", "clusters/a"])
def test_a_folder_shows_them(repository: Path, given: str) -> None:
    assert drift(repository, given) == [("output/old", KIND)]


@pytest.mark.parametrize("given", [["clusters/a/cluster.yaml"], ["clusters", "--output", "output"]])
def test_files_do_not_nor_another_output(repository: Path, given: list[str]) -> None:
    assert drift(repository, *given) == []


def test_render_leaves_them_and_says_so(repository: Path) -> None:
    before = rendering.texts(repository)

    code, _, err = rendering.okgen("render", ".", "--force", "--fail-on-change", cwd=repository)

    assert code == 0
    said = f"output/old: {KIND}; left as it is, see okgen's docs/argocd.md"
    assert any(line.startswith(said) for line in err.splitlines())
    assert rendering.texts(repository) == before


def test_one_that_is_wrong_otherwise_still_has_its_tree(repository: Path) -> None:
    write(repository, "new", "metadata: {name: old}\n")

    assert drift(repository, ".") == []


@pytest.mark.parametrize("text", ["{", "metadata: 1\n", "metadata: {name: 1}\n"])
def test_while_a_name_is_unknown_none_are_named(repository: Path, text: str) -> None:
    write(repository, "new", text)

    assert drift(repository, ".") == []


def test_what_is_no_tree_is_none(repository: Path) -> None:
    output = repository / "output"
    (output / "old" / ".okgen.json").unlink()
    (output / "note").write_text("mine\n", encoding="utf-8")
    (output / "link").symlink_to("a")
    (output / "linked").mkdir()
    (output / "linked" / ".okgen.json").symlink_to("../a/.okgen.json")

    assert drift(repository, ".") == []


def test_a_cluster_that_moved_leaves_one(repository: Path) -> None:
    shutil.rmtree(repository / "output" / "old")
    write(repository, "a", rendering.written(rendering.minimal(metadata={"name": "a"}, gitops={"path": "elsewhere"})))
    assert rendering.okgen("render", ".", cwd=repository)[0] == 0

    assert drift(repository, ".") == [("output/a", KIND)]
