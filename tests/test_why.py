"""``okgen why``: the exact answer to a question, and what it does with questions that have none."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

import rendering

HERE = Path(__file__).resolve().parent
QUESTIONS = sorted(path.stem for path in (HERE / "why").glob("*.txt"))
DEPLOYMENT = "output/demo/addons/external-dns/deployment-external-dns.yaml"


@pytest.mark.golden
@pytest.mark.parametrize("name", QUESTIONS)
def test_answer(name: str, tmp_path: Path, update_golden: bool) -> None:
    """tests/why/NAME.txt: the case and the arguments, then the exit code and all that is said."""
    place = HERE / "why" / f"{name}.txt"
    asked = place.read_text(encoding="utf-8").partition("\n")[0]
    case, *arguments = shlex.split(asked)
    folder = tmp_path / case
    shutil.copytree(HERE / "cases" / case, folder, ignore=shutil.ignore_patterns("expected*"))
    assert rendering.okgen("render", "cluster.yaml", cwd=folder)[0] == 0

    code, out, err = rendering.okgen("why", *arguments, cwd=folder)

    said = f"{asked}\nexit {code}\n{err}{out}"
    if update_golden:
        place.write_text(said, encoding="utf-8")
    assert said == place.read_text(encoding="utf-8")


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A repository with a cluster that is rendered."""
    (tmp_path / ".git").mkdir()
    rendering.rendered(tmp_path, rendering.enabled("external-dns"))
    return tmp_path


def refusal(folder: Path, *arguments: str) -> str:
    """What is said when there is no answer."""
    code, out, err = rendering.okgen("why", *arguments, cwd=folder)
    assert (code, out) == (2, ""), out + err
    assert "internal error" not in err
    return err


def ask(folder: Path, *arguments: str) -> str:
    code, out, err = rendering.okgen("why", *arguments, cwd=folder)
    assert (code, err) == (0, "")
    return out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cluster.yaml"], "name a line of it, as in cluster.yaml:12, or a field"),
        (["cluster.yaml:9999"], "the file has"),
        (["cluster.yaml:99999999999999999999"], "the file has"),
        ([f"cluster.yaml:{'9' * 5000}"], "no such file"),
        ([f"{DEPLOYMENT}:9999"], "the file has"),
        ([f"{DEPLOYMENT}:0"], "count from 1"),
        ([f"{DEPLOYMENT}:12", "kind"], "name a line or a field, not both"),
        ([DEPLOYMENT, ".spec.nothing"], "no field .spec.nothing"),
        ([DEPLOYMENT, "spec.template[0]"], "no field spec.template[0]"),
        ([""], "the name of the file is empty"),
        (["output"], "a folder; name a file in it, and a line"),
        (["output/demo/addons/external-dns/other.yaml:1"], "not one of the files that cluster.yaml renders"),
        (["output/other/README.md:1"], "no cluster.yaml here renders into a folder that holds it"),
        (["output/demo/../../../secret:1"], "no cluster.yaml here renders"),
        (["/etc/passwd:1"], "no cluster.yaml here renders"),
        ([f"{DEPLOYMENT}:1", "--cluster", "other.yaml"], "no such file"),
    ],
)
def test_no_answer(arguments: list[str], said: str, demo: Path) -> None:
    assert said in refusal(demo, *arguments)


def test_nothing_of_the_input_steers_the_terminal(demo: Path) -> None:
    hostile = "a\x1b[31m\nb"
    for arguments in ([f"{hostile}:1"], [DEPLOYMENT, hostile], [f"{DEPLOYMENT}:1", "--cluster", hostile]):
        assert "\x1b" not in refusal(demo, *arguments)
    (demo / "cluster.yaml").write_text(
        rendering.written(rendering.enabled("external-dns", metadata={"name": "demo", "labels": {"a": "b"}})), "utf-8"
    )
    assert "\x1b" not in ask(demo, "cluster.yaml", "metadata.labels")


@pytest.mark.parametrize("link", ["output", "output/demo", "output/demo/addons", DEPLOYMENT])
def test_no_link_in_a_tree_is_followed(link: str, demo: Path) -> None:
    (demo / link).rename(demo / "elsewhere")
    (demo / link).symlink_to(demo / "elsewhere")

    assert "a symbolic link, and okgen follows none in a tree" in refusal(demo, f"{DEPLOYMENT}:1")


def test_a_pipe_is_not_waited_for(demo: Path) -> None:
    (demo / DEPLOYMENT).unlink()
    os.mkfifo(demo / DEPLOYMENT)

    assert "a named pipe, not a file" in refusal(demo, f"{DEPLOYMENT}:1")


def test_mistakes_in_cluster_yaml_come_first(demo: Path) -> None:
    (demo / "cluster.yaml").write_text((demo / "cluster.yaml").read_text().replace("eu-west-1", "eu-wset-1"))

    assert "OKG304 unknown AWS region eu-wset-1; see okgen validate" in refusal(demo, f"{DEPLOYMENT}:1")


def test_two_inputs_for_one_tree(demo: Path) -> None:
    shutil.copy(demo / "cluster.yaml", demo / "other.cluster.yaml")

    assert "say which by --cluster: cluster.yaml, other.cluster.yaml" in refusal(demo, f"{DEPLOYMENT}:1")
    assert "other.cluster.yaml:" in ask(demo, f"{DEPLOYMENT}:1", "--cluster", "other.cluster.yaml")


def test_a_tree_that_was_written_elsewhere(demo: Path) -> None:
    assert rendering.okgen("render", "--output", "build", cwd=demo)[0] == 0

    refusal(demo, "build/demo/README.md:1")
    assert "metadata.name: demo" in ask(demo, "build/demo/README.md:1", "--output", "build")


def test_outside_of_a_repository(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.enabled("external-dns"))

    assert "cluster.yaml:" in ask(tmp_path, f"{DEPLOYMENT}:1")


def test_a_tree_that_was_never_written(demo: Path) -> None:
    before = ask(demo, f"{DEPLOYMENT}:2")
    shutil.rmtree(demo / "output")

    assert ask(demo, f"{DEPLOYMENT}:2") == before


def test_an_edited_file_is_told_by_its_own_lines(demo: Path) -> None:
    expected = ask(demo, f"{DEPLOYMENT}:2").replace(":2  ", ":3  ")
    (demo / DEPLOYMENT).write_text("# mine\n" + (demo / DEPLOYMENT).read_text())

    code, out, err = rendering.okgen("why", f"{DEPLOYMENT}:3", cwd=demo)

    assert (code, out) == (0, expected)
    assert err == "the file on the disk is not what is rendered now, and the answer is about what is rendered\n"


def test_a_field_that_was_added_by_hand(demo: Path) -> None:
    (demo / DEPLOYMENT).write_text("mine: 1\n" + (demo / DEPLOYMENT).read_text())

    assert "mine stands in the file but is not rendered; see okgen check" in refusal(demo, f"{DEPLOYMENT}:1")


def test_a_column_chooses_among_the_values_of_a_line(tmp_path: Path) -> None:
    text = rendering.written(rendering.minimal(addons=None)) + "dns: {zones: [{name: a.example.com, id: Z0123}]}\n"
    (tmp_path / "cluster.yaml").write_text(text + "addons: {external-dns: }\n")
    line = text.count("\n")

    assert "dns.zones[0].id: Z0123" in ask(tmp_path, f"cluster.yaml:{line}:43").splitlines()[0]
    assert "dns.zones[0].name: a.example.com" in ask(tmp_path, f"cluster.yaml:{line}:25").splitlines()[0]


def test_json(demo: Path) -> None:
    found = json.loads(ask(demo, DEPLOYMENT, ".spec.template.spec.containers[0].args[0]", "--format", "json"))

    (answer,) = found["answers"]
    assert found["version"] == 1
    assert answer["field"]["value"] == "--log-level=info"
    (template, presence) = answer["causes"]
    assert (template["kind"], template["causes"][0]["path"]) == ("template", "addons.external-dns.logLevel")
    assert (presence["kind"], presence["path"], presence["condition"]) == ("given", "addons.external-dns", True)


def _shown() -> list[tuple[str, str]]:
    text = (rendering.REPOSITORY / "docs" / "why.md").read_text(encoding="utf-8")
    return re.findall(r"```console\n\$ okgen why ([^\n]*)\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize(("arguments", "said"), _shown(), ids=lambda text: text.splitlines()[0].rpartition("/")[2])
def test_the_page_shows_real_answers(arguments: str, said: str) -> None:
    assert ask(rendering.REPOSITORY, *shlex.split(arguments)) == said


def test_the_page_shows_answers() -> None:
    assert len(_shown()) > 3
