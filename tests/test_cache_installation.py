"""What an okgen remembers counts for that very okgen only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import okgen
import rendering
from okgen import resources
from okgen.cache.installation import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IMPORT = "from okgen.cache.installation import fingerprint; print(fingerprint() and fingerprint().hex())"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Okgen in a folder of its own, old enough to be relied on."""
    for name in ("generator/okgen", "overlays", "schemas"):
        shutil.copytree(rendering.REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    time.sleep(0.1)
    return tmp_path


def python(checkout: Path, *arguments: str, cwd: Path) -> tuple[int, str]:
    """Exit code and output of Python with that okgen, which remembers."""
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(checkout / "generator"), "OKGEN_CACHE_DIR": str(checkout / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def change(place: Path, old: bytes, new: bytes) -> None:
    """In a file whose size and time of the last change stay what they were."""
    stat = place.stat()
    data = place.read_bytes()
    assert old in data
    assert len(old) == len(new)
    place.write_bytes(data.replace(old, new))
    os.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    time.sleep(0.1)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("overlays/cert-manager/addon.yaml", b"sha256:", b"sha265:"),
        ("schemas/cluster.schema.json", b"production", b"prodaction"),
        ("generator/okgen/render/readme.py", b"nothing else there", b"NOTHING else there"),
    ],
)
def test_a_changed_okgen_is_another(checkout: Path, file: str, old: bytes, new: bytes) -> None:
    _, before = python(checkout, "-c", IMPORT, cwd=checkout)
    assert len(before.strip()) == 64
    assert python(checkout, "-c", IMPORT, cwd=checkout)[1] == before

    change(checkout / file, old, new)

    _, after = python(checkout, "-c", IMPORT, cwd=checkout)
    assert len(after.strip()) == 64
    assert after != before


def test_what_a_changed_template_makes_of_a_cluster_is_drift(checkout: Path) -> None:
    """Though cluster.yaml, the tree, and sizes and times of okgen's files are as they were."""
    work = checkout / "work"
    work.mkdir()
    (work / "cluster.yaml").write_text(rendering.written(rendering.minimal()), encoding="utf-8")
    for command in ("render", "check"):
        assert python(checkout, "-m", "okgen", command, cwd=work)[0] == 0
    assert list((checkout / "cache").iterdir())

    change(checkout / "generator/okgen/render/readme.py", b"nothing else there", b"NOTHING else there")

    code, said = python(checkout, "-m", "okgen", "check", cwd=work)
    assert (code, said.splitlines()[0]) == (1, "output/demo/README.md: stale")


@pytest.fixture
def installed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package of that okgen, for this process."""
    monkeypatch.setattr(resources, "PACKAGE", str(checkout / "generator/okgen"))
    monkeypatch.setattr(okgen, "LOADED", time.time_ns())
    assert fingerprint() is not None
    return checkout / "generator/okgen"


def being_edited(package: Path) -> None:
    """What runs has read its modules by then, and may work with what they held before."""
    (package / "render/readme.py").touch()


def locked_by_emacs(package: Path) -> None:
    (package / ".#codes.py").symlink_to("me@here.4711")


def with_a_loop(package: Path) -> None:
    (package / "here").symlink_to(".")


@pytest.mark.parametrize("state", [being_edited, locked_by_emacs, with_a_loop])
def test_nothing_is_relied_on_while_okgen_is_not_plain(installed: Path, state: Callable[[Path], None]) -> None:
    state(installed)

    assert fingerprint() is None


def test_files_that_change_places_are_others(installed: Path) -> None:
    """Though all of them have the same size, and the times they had."""
    one, two = installed / "one", installed / "two"
    for folder, text in ((one, "1"), (two, "2")):
        folder.mkdir()
        (folder / "file").write_text(text, encoding="utf-8")
    time.sleep(0.1)
    okgen.LOADED = time.time_ns()
    before = fingerprint()

    one.rename(installed / "three")
    two.rename(one)
    (installed / "three").rename(two)

    assert before is not None
    assert fingerprint() != before


def test_what_another_okgen_may_have_rendered_is_not_remembered(checkout: Path) -> None:
    """The installation is exchanged while a run is at work."""
    work = checkout / "work"
    work.mkdir()
    (work / "cluster.yaml").write_text(rendering.written(rendering.minimal()), encoding="utf-8")
    script = """
import os, sys
from okgen import pipeline
from okgen.cache.memory import Memory
from okgen.read import inputs
memory = Memory.open(None, alone=True)
assert list(pipeline.planning(inputs.find([]), pipeline.Findings(), None, memory, alone=True))
if sys.argv[1]:
    os.utime(sys.argv[1])
memory.save()
"""
    changed = str(checkout / "schemas/cluster.schema.json")
    for file, count in ((changed, 0), ("", 1)):
        time.sleep(0.1)
        assert python(checkout, "-c", script, file, cwd=work) == (0, "")
        assert len(list((checkout / "cache").iterdir())) == count
