"""Many clusters in one run: planned first, written when all are right, no more of them in memory than need be."""

from __future__ import annotations

import gc
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import rendering
from okgen import passes as fleet
from okgen import pipeline
from okgen.problem import Unable
from okgen.read import inputs
from okgen.read.source import Document

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a", "b", "c", "d", "e")


def write(folder: Path, name: str, **overrides: Any) -> Path:
    """A small cluster of that name in FOLDER/<name>/cluster.yaml."""
    place = folder / name / "cluster.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(rendering.written(rendering.minimal(**{"metadata": {"name": name}} | overrides)), encoding="utf-8")
    return place


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A Git repository, as far as okgen looks, with a cluster.yaml for each of NAMES."""
    (tmp_path / ".git").mkdir()
    for name in NAMES:
        write(tmp_path, name)
    return tmp_path


def test_one_run_renders_all(repository: Path) -> None:
    code, _, err = rendering.okgen("render", ".", cwd=repository)

    assert code == 0
    assert re.findall(r"^(\w+):", err, re.MULTILINE) == list(NAMES)
    assert sorted(path.name for path in (repository / "output").iterdir()) == list(NAMES)
    assert rendering.okgen("check", ".", cwd=repository) == (0, "", "5 clusters are up to date\n")


def test_nothing_is_written_while_one_is_wrong(repository: Path) -> None:
    write(repository, "c", aws={"region": "eu-wset-1"})

    code, out, err = rendering.okgen("render", ".", "--format", "concise", cwd=repository)

    assert (code, err) == (1, "")
    assert out.startswith("c/cluster.yaml:8:11: OKG304")
    assert not (repository / "output").exists()


def test_problems_conflicts_and_drift_of_all_are_shown_at_once(repository: Path) -> None:
    assert rendering.okgen("render", ".", cwd=repository)[0] == 0
    write(repository, "a", aws={"region": "eu-wset-1"})
    write(repository, "b", profile="development")
    (repository / "output" / "d" / "README.md").write_text("mine\n", encoding="utf-8")
    (repository / "output" / "e" / ".okgen.json").write_text("mine\n", encoding="utf-8")
    before = rendering.texts(repository)

    code, out, _ = rendering.okgen("check", ".", "--format", "concise", cwd=repository)

    assert code == 1
    problems = ["a/cluster.yaml:8:11: OKG304", "output/e/.okgen.json:1:1: OKG501"]
    assert [" ".join(line.split()[:2]) for line in out.splitlines() if "OKG" in line] == problems
    drift = {line.split("/")[1] for line in out.splitlines() if "OKG" not in line}
    assert drift == {"b", "d"}
    code, out, _ = rendering.okgen("render", ".", "--format", "concise", cwd=repository)
    assert code == 1
    problems.insert(1, "output/d/README.md:1:1: OKG504")
    assert [" ".join(line.split()[:2]) for line in out.splitlines()] == problems
    assert rendering.texts(repository) == before


def test_plans_that_were_not_kept_are_made_once_more(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "MOST_KEPT", 100_000)  # room for some of them
    write(repository, "b", profile="development")

    planned = fleet.planned(inputs.find([str(repository)]), pipeline.Findings(), None, force=False)
    code, _, err = rendering.okgen("render", ".", cwd=repository)

    assert {job.plan is None for job in planned} == {True, False}
    assert code == 0
    assert re.findall(r"^(\w+):", err, re.MULTILINE) == list(NAMES)
    monkeypatch.undo()
    assert rendering.okgen("check", ".", cwd=repository) == (0, "", "5 clusters are up to date\n")


@pytest.mark.parametrize("text", ["{", None])
def test_an_input_that_goes_wrong_between_the_passes(
    repository: Path, text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "MOST_KEPT", 0)
    jobs = fleet.planned(inputs.find([str(repository)]), pipeline.Findings(), None, force=False)
    work = fleet.written(jobs, None, force=False)

    if text is None:
        write(repository, "b", metadata={"name": "a"})
    else:
        (repository / "b" / "cluster.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(Unable, match=r"b/cluster\.yaml or its tree changed while okgen was at work"):
        next(work)
    assert not (repository / "output").exists()


CASES = sorted(path.parent for path in (rendering.REPOSITORY / "tests" / "cases").glob("*/cluster.yaml"))


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_kept_for_the_next_cluster_changes_nothing_in_it(tmp_path: Path, order: int) -> None:
    """All golden clusters in one run, forth and back, are what each is by itself."""
    for case in CASES:
        shutil.copytree(case, tmp_path / case.name, ignore=shutil.ignore_patterns("output"))
    given = inputs.find([str(tmp_path / case.name) for case in CASES])

    together = {each.input.file: each.files for each in pipeline.rendering(given[::order], pipeline.Findings())}

    assert len(together) == len(CASES)
    for one in given:
        (alone,) = pipeline.rendered([one], pipeline.Findings())
        assert together[one.file] == alone.files


def test_a_cluster_like_those_before_it_is_given_what_is_its_own(repository: Path) -> None:
    """Names, namespaces and owners of records differ; kinds, labels and the like are kept from one to the next."""
    for name in NAMES:
        zones = [{"name": f"{name}.example.com"}]
        write(repository, name, dns={"zones": zones}, addons={"external-dns": {"namespace": f"dns-{name}"}})
    given = inputs.find([str(repository)])

    together = {each.input.file: each.files for each in pipeline.rendering(given, pipeline.Findings())}

    for one, name in zip(given, NAMES, strict=True):
        (alone,) = pipeline.rendered([one], pipeline.Findings())
        assert together[one.file] == alone.files
        assert f"namespace: dns-{name}" in alone.files[f"argocd/appproject-{name}.yaml"]


def test_documents_of_clusters_that_are_done_are_let_go(repository: Path) -> None:
    findings = pipeline.Findings()
    gc.collect()
    before = sum(isinstance(each, Document) for each in gc.get_objects())

    alive = [
        sum(isinstance(each, Document) for each in gc.get_objects()) - before
        for _ in pipeline.planning(inputs.find([str(repository)]), findings)
    ]

    assert len(alive) == len(NAMES)
    assert max(alive) <= 2
