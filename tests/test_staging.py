"""What `okgen render --fail-on-change` says of Git, in real repositories."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

import rendering
import repositories
from repositories import commit_all, git

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.tools
TWO = {"cert-manager": None, "external-secrets": None}


def render(folder: Path, *arguments: str, addons: dict[str, None] | None = None) -> rendering.Result:
    cluster = rendering.minimal(addons=addons or {"cert-manager": None})
    return rendering.render(folder, cluster, "--fail-on-change", *arguments)


def pasted(folder: Path, said: str) -> int:
    """Runs the lines that okgen printed, as a user pastes them; how many there were."""
    lines = [line.strip() for line in said.splitlines() if line.startswith("  git ")]
    for line in lines:
        run = subprocess.run(
            ["sh", "-ec", line], cwd=folder, env=repositories.environment(), capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, line + run.stderr
    return len(lines)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one rendered cluster, all committed."""
    folder = repositories.init(tmp_path / "a repository")
    rendering.rendered(folder, rendering.minimal(addons={"cert-manager": None}))
    commit_all(folder)
    return folder


def test_nothing_to_say_when_all_is_committed(repository: Path) -> None:
    result = render(repository)

    assert result.code == 0
    assert "git" not in result.err


def test_created_files_stop_it_until_they_are_staged(repository: Path) -> None:
    first, second = render(repository, addons=TWO), render(repository, addons=TWO)

    assert (first.code, second.code) == (1, 1)
    assert "no change" in second.err
    assert second.err.endswith(first.err[first.err.index("not staged") :])
    assert pasted(repository, second.err) == 1
    assert render(repository, addons=TWO).code == 0
    assert git(repository, "status", "--porcelain", "output").count("\nA  ") > 5


def test_few_files_are_named_one_by_one(repository: Path) -> None:
    cluster = rendering.minimal(profile="development")

    result = rendering.render(repository, cluster, "--fail-on-change")

    add, remove = [line.strip() for line in result.err.splitlines() if line.startswith("  git ")]
    assert add.startswith("git add -- output/demo/.okgen.json output/demo/")
    assert remove.startswith("git rm --quiet -- output/demo/addons/cert-manager/poddisruptionbudget-")
    assert pasted(repository, result.err) == 2
    assert rendering.render(repository, cluster, "--fail-on-change").code == 0
    states = {line[:2] for line in git(repository, "status", "--porcelain", "output").splitlines()}
    assert states == {"M ", "D "}


def test_many_files_are_named_by_their_folders(repository: Path) -> None:
    render(repository, addons=TWO)
    commit_all(repository)

    result = render(repository)

    assert result.err.endswith("not staged, so not in a commit yet:\n  git add --all -- output/demo\n")
    assert pasted(repository, result.err) == 1
    assert git(repository, "status", "--porcelain", "output").count("\nD  ") > 12


def test_names_are_quoted(repository: Path) -> None:
    rendering.okgen("render", "--output", "it's; $HOME", cwd=repository)
    commit_all(repository)
    (repository / "it's; $HOME" / "demo" / "README.md").write_text("edited", encoding="utf-8")

    code, _, err = rendering.okgen("render", "--force", "--fail-on-change", "--output", "it's; $HOME", cwd=repository)
    assert code == 1
    assert "git" not in err
    git(repository, "rm", "--cached", "--quiet", "it's; $HOME/demo/README.md")
    code, _, err = rendering.okgen("render", "--fail-on-change", "--output", "it's; $HOME", cwd=repository)
    assert code == 1
    assert pasted(repository, err) == 1
    assert git(repository, "status", "--porcelain") == ""


def test_files_of_others_are_not_named(repository: Path) -> None:
    (repository / "output" / "demo" / "notes.txt").write_text("mine", encoding="utf-8")
    (repository / "new.txt").write_text("mine", encoding="utf-8")

    assert render(repository).code == 0


def test_ignored_trees_are_not_asked_for(repository: Path) -> None:
    (repository / ".gitignore").write_text("/build/\n", encoding="utf-8")

    call = ("render", "--fail-on-change", "--output", "build")

    assert [rendering.okgen(*call, cwd=repository)[0] for _ in range(2)] == [1, 0]


def test_a_tree_in_another_repository(repository: Path, tmp_path: Path) -> None:
    other = repositories.init(tmp_path / "the other")

    result = render(repository, "--output", "../the other/x y")

    assert f"  git -C '{other}' add --all -- 'x y/demo'\n" in result.err
    assert pasted(repository, result.err) == 1
    assert git(other, "status", "--porcelain").startswith("A  ")


def test_outside_a_repository_only_changes_count(tmp_path: Path) -> None:
    assert render(tmp_path).code == 1
    second = render(tmp_path)

    assert (second.code, "git" in second.err) == (0, False)


def test_without_git_only_changes_count(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert [render(repository, addons=TWO).code for _ in range(2)] == [1, 0]


def test_what_git_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    codes = [render(tmp_path).code, render(tmp_path).code]

    assert codes == [1, 0]
    assert "cannot tell what is staged: git status in " in render(tmp_path).err
