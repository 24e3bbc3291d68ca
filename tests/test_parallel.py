"""What a check of many clusters says does not depend on how many processes there are, nor on what becomes of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

import rendering
from okgen import parallel
from okgen.write.drift import Differences
from test_fleet import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*fork.*:DeprecationWarning"
)  # pytest-xdist has threads, okgen has none

NAMES = tuple("abcdefg")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git repository, as far as okgen looks, whose clusters are rendered, and few enough to be many."""
    monkeypatch.setattr(parallel, "LEAST", len(NAMES))
    (tmp_path / ".git").mkdir()
    for name in NAMES:
        write(
            tmp_path,
            name,
            addons={"external-dns": None},
            dns={"zones": [{"name": f"{name}.com", "id": "Z" + name.upper() * 12}]},
        )
    assert rendering.okgen("render", ".", cwd=tmp_path)[0] == 0
    return tmp_path


@pytest.fixture
def checked(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[int, str, str]]:
    """Exit code, stdout and stderr of a check by so many processes, and that each is started and none is left."""

    def check(processes: int) -> tuple[int, str, str]:
        started: list[int] = []

        def fork(real: Callable[[], int] = os.fork) -> int:
            pid = real()
            started.append(pid)
            return pid

        with monkeypatch.context() as patch:
            patch.setattr(parallel, "_processors", lambda: processes)
            patch.setattr(os, "fork", fork)
            try:
                return rendering.okgen("check", ".", cwd=repository)
            finally:
                assert len(started) == processes - 1
                for pid in started:
                    with pytest.raises(ChildProcessError):
                        os.waitpid(pid, 0)

    return check


def nothing(_: Path) -> None:
    """All is as it would be rendered."""


def edited(repository: Path) -> None:
    (repository / "output/f/README.md").write_text("mine\n", encoding="utf-8")


def mistaken(repository: Path) -> None:
    write(repository, "c", aws={"region": "eu-wset-1"})
    (repository / "g/cluster.yaml").write_text("[", encoding="utf-8")


def warned(repository: Path) -> None:
    """By each cluster alone, and by two of them together."""
    for name in ("b", "f", "g"):
        write(repository, name, kubernetesVersion="1.29", addons={"external-secrets": None})
    rendering.okgen("render", ".", cwd=repository)


def at_odds(repository: Path) -> None:
    """Two clusters far from one another have the same EKS cluster."""
    for name in ("b", "f"):
        write(repository, name, aws={"clusterName": "same"})
    rendering.okgen("render", "b", cwd=repository)
    rendering.okgen("render", "f", cwd=repository)


def one_folder(repository: Path) -> None:
    """The first is to be rendered, the others are as they should be, for the first."""
    for name in ("c", "e", "g"):
        write(repository, name, metadata={"name": "a"})


def inside(repository: Path) -> None:
    write(repository, "e", gitops={"path": "output/b"})


def left(repository: Path) -> None:
    (repository / "e/cluster.yaml").unlink()
    write(repository, "h")


def excused(repository: Path) -> None:
    at_odds(repository)
    rule = "rules:\n  OKG330:\n    reason: one of them is on its way out\n    until: 2100-01-31\n"
    (repository / "okgen.yaml").write_text(rule, encoding="utf-8")


WRONG = (edited, mistaken, at_odds, one_folder, inside, left)
RIGHT = (nothing, warned, excused)


@pytest.mark.parametrize("change", [*RIGHT, *WRONG])
def test_the_number_of_processes_makes_no_difference(
    repository: Path, checked: Callable[[int], tuple[int, str, str]], change: Callable[[Path], None]
) -> None:
    change(repository)
    alone = checked(1)
    assert alone[0] == (change in WRONG), alone
    assert [checked(2), checked(4), checked(len(NAMES))] == [alone] * 3


@pytest.mark.parametrize("fault", ["raises", "ends", "says nothing of use", "is killed"])
def test_a_helper_that_fails_is_not_missed(
    repository: Path,
    checked: Callable[[int], tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    edited(repository)
    alone = checked(1)

    def failing(*_: object) -> object:
        if fault == "raises":
            raise RuntimeError
        if fault == "ends":
            os._exit(3)
        if fault == "is killed":
            os.kill(os.getpid(), 9)
        return []

    monkeypatch.setattr(parallel, "_sound", failing)
    assert checked(3) == alone


def test_none_is_left_behind_after_ctrl_c(
    repository: Path, checked: Callable[[int], tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    edited(repository)
    monkeypatch.setattr(Differences, "add", interrupt)
    assert checked(4) == (130, "", "okgen: interrupted\n")


def test_few_clusters_are_checked_by_one_process(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(os, "fork", fork)
    monkeypatch.setattr(parallel, "_processors", lambda: 8)
    assert rendering.okgen("check", *NAMES[1:], cwd=repository)[0] == 0
