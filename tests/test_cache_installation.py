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
from okgen.cache import installation

if TYPE_CHECKING:
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


def test_nothing_is_relied_on_while_okgen_is_being_changed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs has read its modules by then, and may work with what they held before."""
    monkeypatch.setattr(resources, "PACKAGE", str(checkout / "generator/okgen"))
    monkeypatch.setattr(okgen, "LOADED", time.time_ns())
    installation.fingerprint.cache_clear()
    try:
        assert installation.fingerprint() is not None
        (checkout / "generator/okgen/render/readme.py").touch()
        installation.fingerprint.cache_clear()
        assert installation.fingerprint() is None
    finally:
        installation.fingerprint.cache_clear()
