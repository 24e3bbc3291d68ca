"""The table of programs that tests run, and what builds or fetches them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

import rendering
from tools import build

if TYPE_CHECKING:
    from pathlib import Path

BUILT = sorted(name for name, program in build.PROGRAMS.items() if "go" in program)


@pytest.mark.parametrize("name", BUILT)
def test_a_program_pins_what_it_is_built_from(name: str) -> None:
    folder = build.HERE / build.PROGRAMS[name].get("folder", name)
    module = (folder / "go.mod").read_text(encoding="utf-8")
    assert build.PROGRAMS[name]["go"] in module
    assert (folder / "go.sum").stat().st_size
    assert not re.findall(r"=>\s*[./]", module), "a path of some machine"


def test_no_folder_is_left_over() -> None:
    used = {build.PROGRAMS[name].get("folder", name) for name in BUILT}
    assert {path.parent.name for path in build.HERE.glob("*/go.mod")} == used


def test_kubernetes_is_told_its_version() -> None:
    *_, linker = build.flags(build.PROGRAMS["kubectl"])
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.1" in linker
    assert "-X k8s.io/client-go/pkg/version.gitMinor=36" in linker


def test_what_is_missing_is_said_and_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OKGEN_TOOLS", str(tmp_path / "tools"))
    assert build.main(["-n", "helm", "kubectl"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("to build: helm, kubectl: some ")
    assert not (tmp_path / "tools").exists()
    assert build.main(["-n", "no-such"]) == 2


def test_an_unpacked_program_finds_its_libraries(tmp_path: Path) -> None:
    for place in ("usr/lib/here/libmine.so.1", "usr/bin/mine"):
        (tmp_path / "root" / place).parent.mkdir(parents=True)
        (tmp_path / "root" / place).write_text('#!/bin/sh\nprintf "<%s>" "$LD_LIBRARY_PATH" "$@"\n', encoding="utf-8")
    (tmp_path / "root/usr/bin/mine").chmod(0o755)
    script = build.wrapped("mine", tmp_path)
    said = subprocess.run([script, "a b", "c"], capture_output=True, text=True, check=True).stdout
    assert said == f"<{tmp_path}/root/usr/lib/here><a b><c>"


def test_make_e2e_builds_and_then_tests() -> None:
    call = ["make", "--dry-run", "--no-print-directory", "e2e"]
    said = subprocess.run(call, cwd=rendering.REPOSITORY, capture_output=True, text=True, check=True).stdout
    lines = said.splitlines()
    runs = [each for each in lines if "-m pytest" in each]
    assert any(each.endswith("tests/tools/build.py > /dev/null") for each in lines[: lines.index(runs[0])])
    assert all("OKGEN_BUILD_TOOLS=1" in each for each in runs), "else what is missing would be skipped"
    run = [path.name for each in runs for path in rendering.REPOSITORY.glob(each.partition("-m pytest ")[2])]
    assert sorted(run) == sorted(path.name for path in (rendering.REPOSITORY / "tests/e2e").glob("test_*.py"))
