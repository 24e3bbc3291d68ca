"""The hooks, run by pre-commit itself when Git commits and pushes, with staged and unstaged changes mixed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

import rendering
import repositories
from okgen.read import inputs
from repositories import commit_all, git

BOTH = {"cert-manager": None, "external-secrets": None}
PRE_COMMIT = str(Path(sys.executable).with_name("pre-commit"))


class Hooks(NamedTuple):
    """A repository that has the hooks of this checkout, at a revision, and the home that pre-commit keeps."""

    source: Path
    revision: str
    home: Path

    def environment(self) -> dict[str, str]:
        return repositories.environment(PRE_COMMIT_HOME=str(self.home), PRE_COMMIT_COLOR="never")


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    """The files of this checkout as they are now, committed to a repository that pre-commit clones and installs."""
    if not Path(PRE_COMMIT).exists():
        pytest.skip("NOT TESTED: the pre-commit hooks. To test them: pip install --group test")
    folder = tmp_path_factory.mktemp("hooks")
    revision = repositories.copy_of_checkout(folder / "okgen")
    return Hooks(folder / "okgen", revision, folder / "home")


class Clone(NamedTuple):
    """A user's repository in which pre-commit is installed."""

    folder: Path
    hooks: Hooks

    def write(self, name: str = "cluster.yaml", **overrides: object) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(rendering.written(rendering.minimal(**overrides)), encoding="utf-8")

    def run(self, *call: str) -> tuple[int, str]:
        run = subprocess.run(
            call,
            cwd=self.folder,
            env=self.hooks.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return run.returncode, run.stdout

    def commit(self, *arguments: str) -> tuple[int, str]:
        return self.run("git", "commit", "--message", "a change", *arguments)

    def status(self) -> str:
        return git(self.folder, "status", "--porcelain")

    def is_right(self) -> bool:
        """Whether what HEAD holds is what would be rendered, seen in a clone of its own."""
        clone = self.folder.parent / "fresh"
        git(self.folder.parent, "clone", "--quiet", str(self.folder), str(clone))
        code, out, err = rendering.okgen("check", ".", cwd=clone)
        assert code == 0, out + err
        return True


def user(folder: Path, hooks: Hooks, *ids: str, **more: object) -> Clone:
    """A repository with a rendered and committed cluster, and these hooks."""
    clone = Clone(repositories.init(folder), hooks)
    clone.write(addons={"cert-manager": None})
    assert rendering.okgen("render", ".", cwd=folder)[0] == 0
    listed = [{"id": each, **more} for each in ids]
    config = {"repos": [{"repo": str(hooks.source), "rev": hooks.revision, "hooks": listed}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    commit_all(folder)
    code, said = clone.run(PRE_COMMIT, "install", "--hook-type", "pre-commit", "--hook-type", "pre-push")
    assert code == 0, said
    return clone


def test_validate_sees_every_cluster_file_and_no_other(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-validate")
    names = ["a/cluster.yaml", "a/x.cluster.yaml", "x.okgen.yaml", "a/y.okgen.yaml"]
    for name in [*names, "a/mycluster.yaml", "cluster.yml", "a/.x.okgen.yaml"]:
        clone.write(name, profile="prod", metadata={"name": name.replace("/", "-").replace(".", "-")})
    git(clone.folder, "add", ".")

    code, said = clone.commit()

    assert code == 1, said
    found = {line.split("--> ")[1].split(":")[0] for line in said.splitlines() if "--> " in line}
    assert found == set(names)
    below = inputs.find([str(clone.folder)])
    assert found | {"cluster.yaml"} == {Path(each.path).relative_to(clone.folder).as_posix() for each in below}


def test_validate_looks_at_all_clusters_when_okgen_yaml_changes(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-validate")
    zone = {"zones": [{"name": "shop.example.com"}]}
    owner = {"external-dns": {"txtOwnerId": "one"}}
    for name in ("a", "b"):
        clone.write(f"{name}/cluster.yaml", metadata={"name": name}, dns=zone, addons=owner)
    rules = "rules:\n  OKG331: {reason: one takes over from the other, until: 2099-01-31}\n"
    (clone.folder / "okgen.yaml").write_text(rules, encoding="utf-8")
    git(clone.folder, "add", ".")
    code, said = clone.commit()
    assert code == 0, said

    (clone.folder / "okgen.yaml").write_text("rules: {}\n", encoding="utf-8")
    git(clone.folder, "add", ".")
    code, said = clone.commit()

    assert code == 1, said
    assert "OKG331" in said


def test_validate_does_not_run_for_other_files(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-validate")
    (clone.folder / "notes.txt").write_text("a", encoding="utf-8")
    git(clone.folder, "add", ".")

    code, said = clone.commit()

    assert code == 0
    assert "(no files to check)Skipped" in said


def test_render_stops_a_commit_until_what_it_wrote_is_staged(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    clone.write(addons=BOTH)
    git(clone.folder, "add", "cluster.yaml")

    code, said = clone.commit()
    assert code == 1
    assert "git add --all -- output/demo" in said
    again, said = clone.commit()
    assert again == 1, "the files that were only created must not be forgotten"
    assert "git add --all -- output/demo" in said

    git(clone.folder, "add", "--all", "--", "output/demo")
    code, said = clone.commit()
    assert code == 0, said
    assert clone.is_right()


def test_a_new_cluster_only_creates_files(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    clone.write("zoo/cluster.yaml", metadata={"name": "zoo"})
    git(clone.folder, "add", "zoo")

    codes = [clone.commit()[0] for _ in range(2)]
    git(clone.folder, "add", "--all", "--", "output/zoo")

    assert [*codes, clone.commit()[0]] == [1, 1, 0]
    assert clone.is_right()


def test_a_removed_addon_only_deletes_and_updates_files(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    clone.write(addons=BOTH)
    rendering.okgen("render", cwd=clone.folder)
    commit_all(clone.folder)
    clone.write(addons={"cert-manager": None})
    git(clone.folder, "add", "cluster.yaml")

    assert clone.commit()[0] == 1
    git(clone.folder, "add", "--all", "--", "output/demo")
    code, said = clone.commit()

    assert code == 0, said
    assert "addons/external-secrets" not in git(clone.folder, "ls-files")
    assert clone.is_right()


def test_of_a_partly_staged_file_the_staged_part_counts(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    clone.write(addons=BOTH)
    rendering.okgen("render", cwd=clone.folder)
    git(clone.folder, "add", "cluster.yaml", "output")
    clone.write(addons=BOTH, profile="development")  # goes on, and is not staged
    later = (clone.folder / "cluster.yaml").read_text(encoding="utf-8")

    code, said = clone.commit()

    assert code == 0, said
    assert (clone.folder / "cluster.yaml").read_text(encoding="utf-8") == later
    assert clone.status() == " M cluster.yaml\n"
    assert clone.is_right()


def test_of_a_partly_staged_file_without_its_tree_nothing_is_lost(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    clone.write(addons=BOTH)
    git(clone.folder, "add", "cluster.yaml")
    clone.write(addons=BOTH, profile="development")
    later = (clone.folder / "cluster.yaml").read_text(encoding="utf-8")

    code, said = clone.commit()
    assert code == 1
    assert (clone.folder / "cluster.yaml").read_text(encoding="utf-8") == later

    git(clone.folder, "add", "--all", "--", "output/demo")
    code, said = clone.commit()
    assert code == 0, said
    assert clone.status() == " M cluster.yaml\n"
    assert clone.is_right()


def test_a_commit_that_only_deletes_a_rendered_file_is_stopped(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    git(clone.folder, "rm", "--quiet", "output/demo/README.md")

    code, said = clone.commit()

    assert code == 1
    assert "git add -- output/demo/README.md" in said


def test_an_edit_by_hand_stops_a_commit_and_stays(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    edited = clone.folder / "output" / "demo" / "README.md"
    edited.write_text("mine\n", encoding="utf-8")
    git(clone.folder, "add", ".")

    code, said = clone.commit()

    assert code == 1
    assert "OKG504" in said
    assert edited.read_text(encoding="utf-8") == "mine\n"


def test_an_untracked_cluster_is_rendered_too_and_stops_the_commit(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render")
    clone.write("zoo/cluster.yaml", metadata={"name": "zoo"})
    (clone.folder / "notes.txt").write_text("a", encoding="utf-8")
    git(clone.folder, "add", "notes.txt")

    code, said = clone.commit()

    assert code == 1
    assert "output/zoo" in said


def test_check_runs_before_a_push_and_on_request(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-check")
    upstream = tmp_path / "upstream.git"
    git(tmp_path, "init", "--quiet", "--bare", str(upstream))
    git(clone.folder, "remote", "add", "origin", str(upstream))
    clone.write(addons=BOTH)
    git(clone.folder, "add", ".")
    code, said = clone.commit()
    assert code == 0, said  # it is not one of pre-commit's own stage

    code, said = clone.run("git", "push", "--quiet", "origin", "main")
    assert code == 1
    assert "output/demo/README.md: stale" in said
    by_hand = clone.run(PRE_COMMIT, "run", "--all-files", "--hook-stage", "manual", "okgen-check")
    assert by_hand[0] == 1
    assert clone.status() == ""

    rendering.okgen("render", cwd=clone.folder)
    commit_all(clone.folder)
    code, said = clone.run("git", "push", "--quiet", "origin", "main")
    assert code == 0, said


def test_folders_and_options_are_given_as_args(tmp_path: Path, hooks: Hooks) -> None:
    clone = user(tmp_path / "work", hooks, "okgen-render", args=["zoo", "--output", "trees"])
    clone.write("zoo/cluster.yaml", metadata={"name": "zoo"})
    git(clone.folder, "add", ".")

    code, said = clone.commit()

    assert code == 1
    assert "git add --all -- trees/zoo" in said
    assert not (clone.folder / "output" / "zoo").exists()
