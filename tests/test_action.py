"""The GitHub Action: its steps run as a runner runs them, in a shallow clone of a pull request's merge."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import rendering
import repositories
from okgen import __version__
from repositories import commit_all, git

DOCS = (rendering.REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", DOCS, flags=re.DOTALL))
BOTH = {"cert-manager": None, "external-secrets": None}


def action() -> dict[str, Any]:
    found = yaml.safe_load((rendering.REPOSITORY / "action.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


class Outcome(NamedTuple):
    """What the steps did: exit codes by name, what they printed, the summary of the job."""

    codes: dict[str, int]
    said: str
    summary: str


class Runner(NamedTuple):
    """A runner with a checkout, okgen's copy, and a `gh` that keeps comments in a file."""

    folder: Path
    checkout: Path
    source: Path
    base: str

    def run(self, event: dict[str, str], **inputs: str) -> Outcome:
        """The steps with a `run`, the first failure notwithstanding, with the inputs and the event filled in."""
        summary = self.folder / "summary.md"
        summary.write_text("", encoding="utf-8")
        values = {f"inputs.{name}": each["default"] for name, each in action()["inputs"].items()}
        values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        values |= {"github.token": "job-token", "github.event.pull_request.number": "7"}
        values |= {"github.event.pull_request.base.sha": self.base}
        codes, said = {}, ""
        for step in action()["runs"]["steps"]:
            if step["name"] == "Install okgen" and (self.folder / "temp" / "okgen").exists():
                continue  # it takes a while, and once is enough
            own = {name: _filled(value, values) for name, value in step.get("env", {}).items()}
            folder = self.checkout / _filled(step.get("working-directory", "."), values)
            run = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=folder,
                env=repositories.environment(**(self.environment() | event | own)),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            codes[step["name"]] = run.returncode
            said += run.stdout
        return Outcome(codes, said, summary.read_text(encoding="utf-8"))

    def environment(self) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        return {
            "PATH": path,
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_ACTION_PATH": str(self.source),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_REPOSITORY": "acme/platform",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_ACTIONS": "true",
            "GH_RECORD": str(self.folder / "gh.json"),
        }

    def comments(self) -> list[dict[str, Any]]:
        found = json.loads((self.folder / "gh.json").read_text(encoding="utf-8"))["comments"]
        assert isinstance(found, list)
        return found

    def calls(self) -> list[list[str]]:
        found = json.loads((self.folder / "gh.json").read_text(encoding="utf-8"))["calls"]
        assert isinstance(found, list)
        return found


def _filled(text: str, values: dict[str, str]) -> str:
    """A text with the expressions replaced; only plain names are in use, so that an unknown one is an error."""
    filled = re.sub(r"\$\{\{ ([a-z_.-]+) \}\}", lambda found: values[found[1]], text)
    return _filled(filled, values) if "${{" in filled else filled


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What a runner fetches as the action, and a folder for what it installs once."""
    folder = tmp_path_factory.mktemp("action")
    repositories.copy_of_checkout(folder / "okgen")
    (folder / "temp").mkdir()
    return folder / "okgen", folder / "temp"


def _cluster(place: Path, name: str) -> str:
    place.write_text(rendering.written(rendering.minimal(metadata={"name": name})), encoding="utf-8")
    return str(place)


@pytest.fixture
def runner(tmp_path: Path, source: tuple[Path, Path]) -> Runner:
    """A pull request that turns an add-on on, merged as GitHub merges it, and checked out without its history."""
    work = repositories.init(tmp_path / "work")
    rendering.rendered(work, rendering.minimal(addons={"cert-manager": None}))
    stale = commit_all(work, "before the pull request")
    git(work, "switch", "--quiet", "--create", "change")
    rendering.rendered(work, rendering.minimal(addons=BOTH))
    commit_all(work, "the pull request")
    git(work, "switch", "--quiet", "main")
    rendering.okgen("render", _cluster(work / "zoo.okgen.yaml", "zoo"), cwd=work)
    commit_all(work, "main goes on")
    git(work, "switch", "--quiet", "--create", "merge")
    git(work, "merge", "--quiet", "--no-ff", "--message", "merged", "change")
    git(work, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=merge", work.as_uri(), str(tmp_path / "checkout"))
    (tmp_path / "gh.json").write_text('{"comments": [], "calls": []}', encoding="utf-8")
    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    gh.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("gh_recorder.py")}" "$@"\n')
    gh.chmod(0o755)
    (tmp_path / "temp").symlink_to(source[1])
    return Runner(tmp_path, tmp_path / "checkout", source[0], stale)


@pytest.mark.tools
def test_a_pull_request_is_checked_and_commented_once(runner: Runner) -> None:
    first, second = runner.run({}), runner.run({})

    assert set(first.codes.values()) == set(second.codes.values()) == {0}, first.said
    (comment,) = runner.comments()
    assert "external-secrets" in comment["body"]
    # What main got meanwhile is no change of the pull request.
    assert re.search(r"<code>zoo</code>[^\n]*no effect", comment["body"])
    assert comment["body"].startswith("<!-- okgen ")
    assert len(comment["body"]) <= 65_536
    assert "external-secrets" in first.summary
    assert [method for method, _, _ in runner.calls()] == ["GET", "POST", "GET", "PATCH"]
    assert {token for _, _, token in runner.calls()} == {"job-token"}


@pytest.mark.tools
def test_drift_and_problems_become_annotations(runner: Runner) -> None:
    (runner.checkout / "output" / "demo" / "README.md").unlink()
    assert "::error file=output/demo/README.md,title=okgen drift::" in runner.run({}).said

    (runner.checkout / "cluster.yaml").write_text("kind: Clutser\n", encoding="utf-8")
    outcome = runner.run({})
    assert outcome.codes["okgen check"] == 1
    assert "::error file=cluster.yaml,line=1," in outcome.said
    assert len(runner.comments()) == 1, "what cannot be rendered has no comment"


@pytest.mark.tools
def test_without_rights_the_summary_has_it(runner: Runner) -> None:
    outcome = runner.run({"GH_READ_ONLY": "1"})

    assert set(outcome.codes.values()) == {0}
    assert "external-secrets" in outcome.summary
    assert "::notice title=okgen diff::" in outcome.said
    assert runner.comments() == []


@pytest.mark.tools
def test_no_comment_is_written_when_nothing_changes(runner: Runner) -> None:
    git(runner.folder / "work", "switch", "--quiet", "main")
    shutil.rmtree(runner.checkout)
    url = (runner.folder / "work").as_uri()
    git(runner.folder, "clone", "--quiet", "--depth=1", "--branch=main", url, str(runner.checkout))

    latest = git(runner.folder / "work", "rev-parse", "main").strip()
    outcome = runner._replace(base=latest).run({"GITHUB_REF": "refs/heads/main"})

    assert set(outcome.codes.values()) == {0}, outcome.said
    assert runner.comments() == []


@pytest.mark.tools
def test_comments_of_others_are_left_alone(runner: Runner) -> None:
    runner.run({})
    (own,) = runner.comments()
    forged = own | {"id": 1, "user": {"type": "User"}}
    (runner.folder / "gh.json").write_text(json.dumps({"comments": [forged], "calls": []}), encoding="utf-8")

    runner.run({})
    runner.run({}, files="cluster.yaml")

    assert runner.comments()[0] == forged
    assert len(runner.comments()) == 3, "each use of the action has a comment of its own"


@pytest.mark.tools
def test_inputs_are_never_code(runner: Runner) -> None:
    outcome = runner.run({}, files='$(touch pwned)\n"; touch pwned; "', output="`touch pwned`")

    assert outcome.codes["okgen check"] == 2
    assert not list(runner.folder.rglob("pwned"))


def test_expressions_stand_only_where_no_shell_reads_them() -> None:
    for step in action()["runs"]["steps"]:
        assert "${{" not in step["run"]


@pytest.mark.tools
@pytest.mark.parametrize("step", action()["runs"]["steps"], ids=lambda step: step["name"])
def test_shellcheck_finds_no_fault(step: dict[str, Any]) -> None:
    if shutil.which("shellcheck") is None:
        rendering.unavailable(
            "the action's scripts by shellcheck, which is not installed", "apt-get install shellcheck"
        )
    call = ["shellcheck", "--shell=bash", "--severity=warning", "-"]

    run = subprocess.run(call, input=step["run"], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (0, "")


def actionlint(folder: Path, workflow: str) -> subprocess.CompletedProcess[str]:
    """What actionlint says of a workflow that takes the action from its own repository."""
    place = repositories.init(folder) / ".github" / "workflows" / "okgen.yml"
    place.parent.mkdir(parents=True)
    place.write_text(re.sub(r"uses: acme/okgen@\S+", "uses: ./", workflow), encoding="utf-8")
    shutil.copy(rendering.REPOSITORY / "action.yml", folder)
    call = [rendering.tool("actionlint"), "-no-color"]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


WORKFLOWS = {name: text for name, text in EXAMPLES.items() if name.startswith(".github/")}


@pytest.mark.tools
@pytest.mark.parametrize("name", WORKFLOWS)
def test_actionlint_accepts_the_examples_and_the_action(tmp_path: Path, name: str) -> None:
    run = actionlint(tmp_path, WORKFLOWS[name])

    assert (run.returncode, run.stdout) == (0, "")


@pytest.mark.tools
def test_actionlint_reads_the_action(tmp_path: Path) -> None:
    workflow = WORKFLOWS[".github/workflows/okgen.yml"].rstrip() + "\n        with:\n          no-such-input: a\n"

    assert 'input "no-such-input" is not defined in action "okgen"' in actionlint(tmp_path, workflow).stdout


def test_the_pages_inputs_are_those_of_the_action() -> None:
    table = re.search(r"\| input \|.*?\n\n", DOCS, flags=re.DOTALL)
    assert table
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in table[0].strip().splitlines()[2:]]
    listed = {name: default for _, name, default, *_ in rows}

    assert listed == {
        name: "the job's own" if name == "token" else each["default"] for name, each in action()["inputs"].items()
    }


def test_the_pages_hooks_are_there(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("pre-commit")
    if not program.exists():
        rendering.unavailable("the example of pre-commit", "pip install --group test")
    config = tmp_path / ".pre-commit-config.yaml"
    config.write_text(EXAMPLES[".pre-commit-config.yaml"], encoding="utf-8")
    manifest = rendering.REPOSITORY / ".pre-commit-hooks.yaml"
    for command, file in (("validate-config", config), ("validate-manifest", manifest)):
        assert subprocess.run([program, command, file], check=False).returncode == 0
    (repo,) = yaml.safe_load(EXAMPLES[".pre-commit-config.yaml"])["repos"]
    assert [each["id"] for each in repo["hooks"]] == [each["id"] for each in yaml.safe_load(manifest.read_text())]
    assert repo["rev"] == f"v{__version__}"
