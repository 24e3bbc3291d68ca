"""Folders opened one below the other: found, made, removed, and told from what stands in their place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from okgen.problem import Unable
from okgen.write import plan
from okgen.write.folders import Folders, enter, kind_of
from trees import fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Folders]:
    """A folder with a file, a folder, a link to it and a pipe."""
    fill(str(tmp_path), {"file": "1", "folder/inner/file": "1"})
    os.symlink("folder", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    opened = Folders(os.open(tmp_path, os.O_RDONLY))
    yield opened
    opened.close()


def test_find(folders: Folders) -> None:
    inner = folders.find("folder/inner")
    assert inner is not None
    assert os.listdir(inner) == ["file"]
    assert folders.find("folder/inner") == inner
    for path in ("nothing", "nothing/at/all", "file", "file/x", "link", "link/inner", "pipe", "folder/inner/file"):
        assert folders.find(path) is None
    assert folders.blocked == {
        "file": plan.FILE,
        "link": plan.SYMLINK,
        "pipe": plan.SPECIAL,
        "folder/inner/file": plan.FILE,
    }


def test_make(folders: Folders, tmp_path: Path) -> None:
    for path in ("folder/inner", "folder/new/er", "new"):
        assert os.path.samestat(os.fstat(folders.make(path)), os.stat(tmp_path / path))
    assert folders.made == ["folder/new", "folder/new/er", "new"]
    for path in ("file", "link", "pipe/x"):
        with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
            folders.make(path)
    assert (tmp_path / "link").is_symlink()


def test_make_what_appeared_after_it_was_looked_for(folders: Folders, tmp_path: Path) -> None:
    assert folders.find("late") is None
    (tmp_path / "late").mkdir()
    folders.make("late")
    assert folders.made == []


def test_remove(folders: Folders, tmp_path: Path) -> None:
    folders.make("new/er")
    for path in ("folder/inner", "new", "new/er", "new", "nothing", "nothing/at/all", "link", "file"):
        folders.remove(path)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder", "link", "pipe"]
    assert os.listdir(tmp_path / "folder") == ["inner"]
    folders.make("new/er")
    assert (tmp_path / "new" / "er").is_dir()


def test_kinds(folders: Folders) -> None:
    here = folders.make("")
    kinds = {name: kind_of(here, name) for name in ("file", "folder", "link", "pipe", "nothing")}
    assert kinds == {
        "file": plan.FILE,
        "folder": plan.FOLDER,
        "link": plan.SYMLINK,
        "pipe": plan.SPECIAL,
        "nothing": None,
    }


def test_enter(tmp_path: Path) -> None:
    root = str(tmp_path / "root")
    assert enter(f"{root}/a/b", root) is None
    for make in (True, False):
        here = enter(f"{root}/a/b", root, make=make)
        assert here is not None
        assert os.path.samestat(os.fstat(here), os.stat(f"{root}/a/b"))
        os.close(here)
    fill(str(tmp_path), {"file": "1"})
    with pytest.raises(Unable, match=r"cannot open .*file: (Not a directory|File exists)"):
        enter(f"{tmp_path}/file/a", f"{tmp_path}/file")
