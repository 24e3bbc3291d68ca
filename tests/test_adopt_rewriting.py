"""A person's file is replaced whole or not at all, and never over something that was not read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

import rendering
import test_adopt_text
from adopting import DEPLOYMENT, adopt, edit, render, replicas
from okgen.adopt import insertion, rewriting, spans
from okgen.problem import Unable

if TYPE_CHECKING:
    from pathlib import Path

AS_ROOT = os.geteuid() == 0


def test_a_file_that_has_changed_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text("b\n", encoding="utf-8")

    with pytest.raises(Unable, match="changed while okgen was at work"):
        rewriting.replace(str(path), "a\n", "c\n")

    assert [each.name for each in tmp_path.iterdir()] == ["cluster.yaml"]
    assert path.read_text(encoding="utf-8") == "b\n"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); "
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "from okgen.adopt.rewriting import replace; replace(sys.argv[1], 'a', 'b' * 1000)"
    )
    path = tmp_path / "cluster.yaml"
    path.write_text("a", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(rendering.REPOSITORY / "generator"), "PYTHONDONTWRITEBYTECODE": "1"}

    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], env=environment, capture_output=True, text=True, check=False
    )

    assert "Unable: cannot write" in run.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["cluster.yaml"]
    assert path.read_text(encoding="utf-8") == "a"


@pytest.mark.skipif(AS_ROOT, reason="NOT TESTED: a folder without rights. To test it: run the tests as another user")
def test_a_folder_without_rights(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    tmp_path.chmod(0o555)
    try:
        assert adopt(tmp_path)[0] == 2
    finally:
        tmp_path.chmod(0o755)


def test_an_edit_survives_a_kill_between_the_two_files(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    script = (
        "import os, signal, sys; from okgen.write import tree; "
        "tree.apply = lambda plan: os.kill(os.getpid(), signal.SIGKILL); "
        "from okgen.__main__ import main; main(['adopt', sys.argv[1]])"
    )
    environment = os.environ | {"PYTHONPATH": str(rendering.REPOSITORY / "generator")}
    run = subprocess.run([sys.executable, "-c", script, DEPLOYMENT], cwd=tmp_path, env=environment, check=False)
    assert run.returncode == -signal.SIGKILL
    text = (tmp_path / "cluster.yaml").read_bytes()
    assert b"replicas: 0" in text
    assert rendering.okgen("render", "cluster.yaml", cwd=tmp_path)[0] == 1, "the edit is still there as well"

    assert adopt(tmp_path)[0] == 0

    assert (tmp_path / "cluster.yaml").read_bytes() == text
    assert rendering.okgen("render", "cluster.yaml", cwd=tmp_path)[0] == 0


@pytest.mark.parametrize("case", test_adopt_text.CASES)
def test_places_are_the_same_without_libyaml(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = test_adopt_text.CASES[case][0]
    entry = {"target": {"kind": "Service"}, "patch": "- op: remove\n  path: /a\n"}
    found = [_squeezed(each) for each in insertion.with_entry(text, "external-dns", entry)]
    monkeypatch.setattr(spans, "_Loader", yaml.SafeLoader)

    assert [_squeezed(each) for each in insertion.with_entry(text, "external-dns", entry)] == found


def _squeezed(text: str) -> str:
    """Within brackets the two say of an empty value that it stands before or behind the space there."""
    return text.replace(" ,", ",")
