"""``okgen init``: the file it starts people with, and what it leaves when it cannot write."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import rendering

if TYPE_CHECKING:
    from pathlib import Path


def test_it_writes_a_file_that_only_lacks_what_the_user_knows(tmp_path: Path) -> None:
    code, out, err = rendering.okgen("init", cwd=tmp_path)
    assert (code, out) == (0, "")
    assert "cluster.yaml" in err
    path = tmp_path / "cluster.yaml"
    text = path.read_text(encoding="utf-8")
    assert "# yaml-language-server: $schema=" in text
    code, out, _ = rendering.okgen("validate", "--format", "concise", cwd=tmp_path)
    assert code == 1
    assert all("is still to be filled in" in line for line in out.splitlines())
    # what init shows in angle brackets are examples: taken out of them, they are values
    path.write_text(text.replace('"<', '"').replace('>"', '"'), encoding="utf-8")
    assert rendering.okgen("render", cwd=tmp_path)[0] == 0
    assert (tmp_path / "output" / "shop-prod" / ".okgen.json").exists()


def test_it_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("mine", encoding="utf-8")
    code, _, err = rendering.okgen("init", str(tmp_path), cwd=tmp_path)
    assert code == 2
    assert "never overwrites" in err
    assert (tmp_path / "cluster.yaml").read_text(encoding="utf-8") == "mine"
    assert rendering.okgen("init", "no/such/folder/x.yaml", cwd=tmp_path)[0] == 2


@pytest.mark.skipif(sys.platform == "darwin", reason="NOT TESTED: a full disk. To test it: use Linux")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "okgen", "init"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(rendering.REPOSITORY / "generator"), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert run.stderr.startswith("okgen: cannot write cluster.yaml: ")
    assert list(tmp_path.iterdir()) == []


def test_a_name_cannot_steer_the_terminal_or_leave_its_comment(tmp_path: Path) -> None:
    name = "a\nkind: \x1b[31mred.yaml"

    code, _, err = rendering.okgen("init", name, cwd=tmp_path)

    assert code == 0
    assert "wrote a\\nkind: \\x1b[31mred.yaml: " in err
    assert "\x1b" not in err
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert rendering.okgen("validate", "--format", "concise", name, cwd=tmp_path)[1].count("is still to be") > 3
    assert "`okgen render a\\nkind: \\x1b[31mred.yaml`" in text
