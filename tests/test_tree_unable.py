"""What okgen does when the system says no: full disks, missing rights, names that are too long."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from okgen.write import index, stage, tree
from rendering import REPOSITORY, unavailable
from trees import (
    FOREIGN,
    NEW,
    OLD,
    Files,
    as_bytes,
    contents,
    fill,
    render,
    unable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def told(folder: str, files: Files, hindrance: contextlib.AbstractContextManager[None]) -> str:
    """What a render says that cannot write for this reason; it leaves everything as it was."""
    before = contents(folder), read_index(folder)
    folders = [place for place, _, _ in os.walk(folder)]
    with hindrance:
        message = unable(lambda: render(folder, files))
    assert (contents(folder), read_index(folder)) == before
    assert [place for place, _, _ in os.walk(folder)] == folders
    return message


def read_index(folder: str) -> bytes | None:
    path = Path(folder, index.NAME)
    return path.read_bytes() if path.exists() else None


@contextlib.contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """A while in which the system refuses larger files."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_a_file(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    files = NEW | {"addons/d/new.yaml": "x" * 10_000}
    message = told(folder, files, files_up_to(8000))
    assert message.startswith("cannot write ")
    assert message.endswith("demo/addons/d/new.yaml: File too large")
    render(folder, files)


@pytest.mark.parametrize("before", [OLD, {}])
def test_no_room_for_a_folder(tmp_path: Path, before: Files) -> None:
    """The last thing that can fail before files change: what was made until then is undone."""
    folder = str(tmp_path / "demo")
    fill(folder, FOREIGN)
    if before:
        render(folder, before)
    path = f"new/{'long' * 100}/a"
    message = told(folder, NEW | {path: "1"}, contextlib.nullcontext())
    assert message.startswith("cannot write ")
    assert message.endswith(f"demo/{path}: File name too long")
    render(folder, NEW)


FULL = """
import sys
from okgen.problem import Unable
from trees import contents, render
folder = sys.argv[1] + "/demo"
old = {f"{number}/a.yaml": "old" for number in range(10)}
render(folder, old)
for size in (1_000, 30_000):
    new = {path: "x" * size for path in old} | {"new/a.yaml": "new"}
    try:
        render(folder, new)
    except Unable as error:
        assert contents(folder) == {path: text.encode() for path, text in old.items()}
        print(error)
    else:
        old = new
render(folder, {"1/a.yaml": "x"})
print("made room:", contents(folder))
"""


def test_full_disk(tmp_path: Path) -> None:
    """A file system of 256 KiB of its own, in a mount namespace that ends with the program."""
    script = 'mount -t tmpfs -o size=256k none "$1" && shift && exec "$@"'
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY / 'generator'}:{REPOSITORY / 'tests'}"}
    unshare = shutil.which("unshare")
    command = [unshare or "", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path)]
    if unshare is None or subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        unavailable("a full disk", "run on Linux where unshare --map-root-user --mount is allowed")
    run = subprocess.run(
        [*command, sys.executable, "-c", FULL, tmp_path], check=True, capture_output=True, text=True, env=environment
    )
    refusal, room = run.stdout.splitlines()
    assert refusal.startswith("cannot write ")
    assert refusal.endswith("a.yaml: No space left on device")
    assert room == "made room: {'1/a.yaml': b'x'}"


@pytest.fixture
def others() -> Iterator[str]:
    """A folder that a user without special rights can reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103
        yield folder


@contextlib.contextmanager
def without_rights() -> Iterator[None]:
    """A while as a user whom the rights of files concern."""
    root = os.geteuid() == 0
    if root:
        os.setegid(65534)
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)


def hand_over(folder: str) -> None:
    """Makes all in a folder belong to the user that without_rights() turns this process into."""
    if os.geteuid() == 0:
        for place, _, names in os.walk(folder):
            for name in (".", *names):
                os.chown(os.path.join(place, name), 65534, 65534)


@contextlib.contextmanager
def mode(path: str, wanted: int) -> Iterator[None]:
    """A while as a user without special rights in which a file or folder has another mode."""
    before = os.stat(path).st_mode
    os.chmod(path, wanted)
    try:
        with without_rights():
            yield
    finally:
        os.chmod(path, before)


@pytest.mark.parametrize("place", [".", "addons/b", "addons", "gone/x", "z"])
def test_read_only_folder(others: str, place: str) -> None:
    folder = os.path.join(others, "demo")
    render(folder, OLD)
    hand_over(folder)
    message = told(folder, NEW, mode(os.path.join(folder, place), 0o555))
    assert message.startswith("cannot write ")
    assert os.path.normpath(os.path.join("demo", place)) in message
    assert message.endswith(": Permission denied")
    render(folder, NEW)


def test_read_only_folder_at_the_first_render(others: str) -> None:
    folder = os.path.join(others, "demo")
    fill(folder, FOREIGN)
    hand_over(folder)
    message = told(folder, OLD, mode(os.path.join(folder, "gone"), 0o555))
    assert message.endswith("demo/gone/x/y.yaml: Permission denied")


def test_read_only_from_the_start(others: str) -> None:
    with mode(others, 0o555):
        message = unable(lambda: render(os.path.join(others, "demo"), OLD))
    assert message.endswith("demo: Permission denied")
    assert os.listdir(others) == []


@pytest.mark.parametrize("path", ["README.md", "addons/b", index.NAME, "."])
def test_what_must_not_be_read(others: str, path: str) -> None:
    folder = os.path.join(others, "demo")
    render(folder, OLD)
    hand_over(folder)
    with mode(os.path.join(folder, path), 0):
        message = unable(lambda: tree.snapshot(folder, OLD))
    assert os.path.normpath(os.path.join("demo", path)) in message
    assert message.endswith(": Permission denied")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    fill(folder, FOREIGN)
    assert "File name too long" in unable(lambda: render(folder, {"a" * 300: "1"}))
    assert "File name too long" in unable(lambda: render(folder, {"b" * 300 + "/a": "1"}))
    assert contents(folder) == as_bytes(FOREIGN)


def test_disks_are_flushed_or_say_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = stage.flush_all()
    if flush is None:
        unavailable("syncfs", "run on Linux")
    with (tmp_path / "file").open("wb") as file:
        flush(file.fileno())
    with pytest.raises(OSError, match="Bad file descriptor"):
        flush(-1)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_names, **_options: None)  # as where the system has no such call
    assert stage.flush_all() is None
    monkeypatch.setitem(sys.modules, "ctypes", None)  # as in an interpreter that was built without it
    assert stage.flush_all() is None
    render(str(tmp_path / "demo"), OLD)
    assert contents(str(tmp_path / "demo")) == as_bytes(OLD)
