"""Add-on folders in compiled form: kept beside them, never stale, never needed."""

from __future__ import annotations

import os
import resource
import shutil
from typing import TYPE_CHECKING

import pytest

import rendering
from okgen.addons import precompiled
from okgen.addons.template import Template, new_scope
from trees import in_child

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    base = tmp_path / "addon" / "base"
    base.mkdir(parents=True)
    (base / "a.yaml").write_text("{kind: A, name: '${{ name }}'}", encoding="utf-8")
    (base.parent / "addon.yaml").write_text(
        "{title: T, checks: [{code: OKG401, when: '${{ name }}', at: '', message: 'no ${{ name }}'}],"
        " derived: {twice: '${{ name + name }}'}}",
        encoding="utf-8",
    )
    (base.parent / "iam.yaml").write_text("{statements: ['${{ name }}']}", encoding="utf-8")
    return base.parent


def kept(folder: Path) -> Path:
    (found,) = (folder / "__pycache__").iterdir()
    return found


def manifest(folder: Path) -> object:
    (parts,) = precompiled.load(str(folder), "")["manifests"]
    return Template(*parts).fill(new_scope({"name": "x"}))


def test_what_is_kept_is_what_was_compiled(folder: Path) -> None:
    first = precompiled.load(str(folder), "overlays/x/")
    before = kept(folder).stat().st_mtime_ns
    second = precompiled.load(str(folder), "overlays/x/")
    assert kept(folder).stat().st_mtime_ns == before
    assert second["definition"] == first["definition"]
    assert Template(*second["checks"]).fill(new_scope({"name": "x"}))[0][0]["message"] == "no x"
    for name in ("manifests", "derived"):
        assert len(first[name]) == len(second[name]) == 1
    assert Template(*second["statements"]).fill(new_scope({"name": "x"})) == [{"statements": ["x"]}]
    assert manifest(folder) == [{"kind": "A", "name": "x"}]


def test_another_byte_in_any_file_is_compiled_anew(folder: Path) -> None:
    assert manifest(folder) == [{"kind": "A", "name": "x"}]
    path = folder / "base" / "a.yaml"
    status = path.stat()
    path.write_text("{kind: B, name: '${{ name }}'}", encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # same size, same time
    assert manifest(folder) == [{"kind": "B", "name": "x"}]


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 200])
def test_a_damaged_file_is_compiled_anew(folder: Path, damage: bytes) -> None:
    manifest(folder)
    kept(folder).write_bytes(damage)
    assert manifest(folder) == [{"kind": "A", "name": "x"}]
    assert len(kept(folder).read_bytes()) > len(damage)


def test_a_truncated_file_is_compiled_anew(folder: Path) -> None:
    manifest(folder)
    path = kept(folder)
    path.write_bytes(path.read_bytes()[:-1])
    assert manifest(folder) == [{"kind": "A", "name": "x"}]


def test_nothing_is_kept_where_nothing_can_be_written(folder: Path) -> None:
    (folder / "__pycache__").write_text("a file in the way", encoding="utf-8")
    assert manifest(folder) == [{"kind": "A", "name": "x"}]
    assert (folder / "__pycache__").read_text(encoding="utf-8") == "a file in the way"


def test_a_full_disk_is_not_littered(folder: Path) -> None:
    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        assert manifest(folder) == [{"kind": "A", "name": "x"}]

    assert in_child(work) == 0
    assert list((folder / "__pycache__").iterdir()) == []


def test_an_installation_without_it_renders_the_same(tmp_path: Path) -> None:
    cluster = rendering.minimal(addons={"external-secrets": None})
    first = rendering.rendered(tmp_path / "a", cluster)
    for place in rendering.OVERLAYS.glob("*/__pycache__"):
        shutil.rmtree(place, ignore_errors=True)
    second = rendering.rendered(tmp_path / "b", cluster)
    assert first.tree == second.tree
