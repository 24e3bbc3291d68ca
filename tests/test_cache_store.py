"""Where bytes are kept for the next run, and that nothing of it is ever in the way."""

from __future__ import annotations

import os
import resource
import signal
import time
from typing import TYPE_CHECKING

import pytest

import rendering
from okgen.cache import store
from okgen.cache.store import Store
from trees import in_child

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY = 24 * 60 * 60
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "cache"
    monkeypatch.setenv("OKGEN_CACHE_DIR", str(place))
    return place


def opened() -> Store:
    found = Store.open()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "/home/me/.cache/okgen"),
        ({"XDG_CACHE_HOME": "/var/cache/me"}, "/var/cache/me/okgen"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/okgen"),
        ({"OKGEN_CACHE_DIR": "/c"}, "/c"),
        ({"OKGEN_CACHE_DIR": ""}, None),
        ({"HOME": "relative"}, None),
    ],
)
def test_the_place(variables: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OKGEN_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "/home/me"} | variables).items():
        monkeypatch.setenv(name, value)

    assert store.place() == expected


def test_what_is_put_is_got(folder: Path) -> None:
    assert opened().get(ONE) is None
    opened().put(ONE, b"1")
    opened().put(TWO, b"")
    opened().put(ONE, b"11")

    assert (opened().get(ONE), opened().get(TWO)) == (b"11", b"")
    assert sorted(path.name for path in folder.iterdir()) == [ONE, TWO]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ONE).stat().st_mode & 0o777 == 0o600


def test_what_has_not_been_used_for_a_month_goes(folder: Path) -> None:
    """Of what is okgen's: somebody may have named a folder that has other things in it."""
    ages = {"a" * 64: 31, "b" * 64: 31, "c" * 64: 29, "d" * 64 + ".4711": 31}
    for name in ages:
        opened().put(name, b"1")
    for name in ("id_rsa", "cluster.yaml"):
        (folder / name).write_text("mine\n", encoding="utf-8")
    for place in folder.iterdir():
        os.utime(place, (time.time() - ages.get(place.name, 400) * DAY,) * 2)
    opened().get("b" * 64)

    found = opened()
    found.put(ONE, b"1")
    found.prune()

    assert sorted(path.name for path in folder.iterdir()) == [ONE, "b" * 64, "c" * 64, "cluster.yaml", "id_rsa"]


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: who has become root. To test it: run the tests as root")
def test_nothing_is_made_in_the_home_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKGEN_CACHE_DIR", str(tmp_path / "home/.cache/okgen"))
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 4711, 4711)

    assert Store.open() is None
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o722])
def test_a_folder_that_others_can_write_to_is_none(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)

    assert Store.open() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: a folder of another user. To test it: run the tests as root")
def test_the_folder_of_another_user_is_none(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, 4711, 4711)

    assert Store.open() is None


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    opened().put(ONE, b"1")
    (folder / ONE).rename(tmp_path / "elsewhere")
    (folder / ONE).symlink_to(tmp_path / "elsewhere")

    assert opened().get(ONE) is None


def unusable(folder: Path) -> None:
    folder.write_text("a file\n", encoding="utf-8")


def folders(folder: Path) -> None:
    """In the place of files."""
    work = folder.parent / "work"
    rendering.okgen("render", "cluster.yaml", cwd=work)
    (place,) = folder.iterdir()
    place.unlink()
    place.mkdir()


@pytest.mark.parametrize("fault", [unusable, folders])
def test_a_cache_that_cannot_be_had_is_not_missed(folder: Path, tmp_path: Path, fault: Callable[[Path], None]) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "cluster.yaml").write_text(rendering.written(rendering.minimal()), encoding="utf-8")
    fault(folder)

    assert rendering.okgen("render", "cluster.yaml", cwd=work)[0] == 0
    assert rendering.okgen("check", "cluster.yaml", cwd=work) == (0, "", "1 cluster is up to date\n")


def test_a_full_disk_leaves_nothing_behind(folder: Path) -> None:
    opened().put(ONE, b"1")

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        opened().put(ONE, b"x" * 1000)
        opened().put(TWO, b"x" * 1000)

    assert in_child(work) == 0
    assert opened().get(ONE) == b"1"
    assert [path.name for path in folder.iterdir()] == [ONE]
