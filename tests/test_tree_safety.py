"""A tree survives kills, full disks, missing rights and other runs: no half file, no lost edit or foreign file."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from okgen import index, plan, stage, tree
from okgen.problem import Refused, Unable
from rendering import REPOSITORY, unavailable
from trees import Files, contents, edited, fill, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAGE = ".okgen.tmp"
CHANGES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")

OLD: Files = {f"addons/{name}/{number}.yaml": f"old {number}\n" for name in "abc" for number in range(4)}
OLD |= {
    "README.md": "old\n",
    "gone/x/y.yaml": "old\n",
    "same.yaml": "same\n",
    "swap": "old\n",
    "flip/a": "old\n",
    "z/a": "old\n",
}
NEW: Files = {f"addons/{name}/{number}.yaml": f"new {number}\n" for name in "bcd" for number in range(4)}
NEW |= {
    "README.md": "new, and longer\n",
    "same.yaml": "same\n",
    "swap/a": "new\n",
    "flip": "new\n",
    "empty": "",
    "z/a": "new\n",
}
LATER: Files = {
    "README.md": "later\n",
    "addons/a/0.yaml": "later\n",
    "addons/e/0.yaml": "later\n",
    "same.yaml": "same\n",
}
FOREIGN: Files = {"note": "mine\n", "addons/b/note": "mine\n", "gone/note": "mine\n"}


def as_bytes(files: Files) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def in_child(work: Callable[[], None]) -> int:
    """Does the work in a child process and returns its exit code: 0 done, 9 killed, 99 failed."""
    pid = os.fork()
    if pid:
        return abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    code = 99
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def killed_at(step: int, folder: str, files: Files, *, force: bool = False) -> bool:
    """Renders in a child that kills itself before it opens, moves or removes something for the ``step``-th time.

    Whether it came to be killed.
    """

    def work() -> None:
        todo = plan.make(files, tree.snapshot(folder, files), force=force)
        left = step

        def count(event: str, _arguments: object) -> None:
            nonlocal left
            if event in CHANGES:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        tree.apply(todo)

    code = in_child(work)
    assert code in (0, 9)
    return code == 9


def assert_whole(folder: str, *, before: Files, after: Files) -> None:
    """Each file holds one or the other, nothing between, and nothing of others is lost."""
    found = contents(folder)
    for path, data in found.items():
        if not path.startswith(f"{STAGE}/"):
            either = [files[path].encode() for files in (before, after, FOREIGN) if path in files]
            assert data in either, path
    assert found.items() >= as_bytes(FOREIGN).items()
    recorded = os.path.join(folder, index.NAME)
    if os.path.exists(recorded):
        with open(recorded, encoding="utf-8") as stream:
            json.load(stream)


def assert_rendered(folder: str, files: Files) -> None:
    """The tree holds these files and the foreign ones, its index lists them, and there is nothing left to do."""
    assert contents(folder) == as_bytes(FOREIGN | files)
    assert STAGE not in os.listdir(folder)
    assert render(folder, files).is_empty
    for place, folders, names in os.walk(folder):
        assert folders or names, f"{place} is empty"


# ----------------------------------------------------------------------------------------------------------- killed


@pytest.mark.parametrize("later", [OLD, NEW, LATER], ids=["back", "again", "another cluster.yaml"])
@pytest.mark.parametrize("before", [OLD, {}], ids=["update", "first render"])
def test_killed_before_every_step(tmp_path: Path, before: Files, later: Files) -> None:
    step, killed = 0, True
    while killed:
        folder = str(tmp_path / str(step))
        fill(folder, FOREIGN)
        if before:
            render(folder, before)
        killed = killed_at(step, folder, NEW)
        assert_whole(folder, before=before, after=NEW)
        render(folder, later)
        assert_rendered(folder, later)
        shutil.rmtree(folder)
        step += 1
    assert step > 50


def test_killed_again_and_again(tmp_path: Path) -> None:
    """Each run is killed a step later than the one before, each wants other files."""
    folder = str(tmp_path / "demo")
    fill(folder, FOREIGN)
    wants = [OLD, NEW, LATER]
    for step in range(120):
        files = wants[step % 3]
        killed_at(step, folder, files)
    render(folder, NEW)
    assert_rendered(folder, NEW)


def test_killed_while_an_edit_is_overwritten_by_force(tmp_path: Path) -> None:
    """The edit is there whole, and found to be one, until it is overwritten."""
    step, killed = 0, True
    while killed:
        folder = str(tmp_path / str(step))
        fill(folder, FOREIGN | {"empty": "foreign\n"})
        render(folder, OLD)
        edited(folder, "README.md")
        killed = killed_at(step, folder, NEW, force=True)
        found = contents(folder)
        try:
            render(folder, NEW)
        except Refused as refused:
            places = [os.path.relpath(problem.file, folder) for problem in refused.problems]
            assert places == [
                path
                for path, text in (("README.md", b"old\n# by hand\n"), ("empty", b"foreign\n"))
                if found[path] == text
            ]
            render(folder, NEW, force=True)
        assert_rendered(folder, NEW)
        shutil.rmtree(folder)
        step += 1


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """As a machine does it, from outside, also within a write; then another cluster.yaml is rendered."""
    chance = random.Random(4)  # noqa: S311 - not for secrets
    big = {f"{number % 5}/{number}": f"{number}\n" * 5000 for number in range(60)}
    folder = str(tmp_path / "demo")
    fill(folder, FOREIGN)
    started = time.monotonic()
    render(folder, big)
    took = time.monotonic() - started
    before, killed = big, 0
    for turn in range(60):
        after = {path: f"turn {turn}\n{text}" for path, text in big.items() if chance.random() < 0.9}
        pid = os.fork()
        if not pid:
            try:
                render(folder, after)
            finally:
                os._exit(0)
        time.sleep(chance.random() * took)
        os.kill(pid, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        assert_whole(folder, before=before, after=after)
        before = {path: f"after {turn}\n{text}" for path, text in big.items() if chance.random() < 0.9}
        render(folder, before)
        assert_rendered(folder, before)
    assert killed >= 40


def test_interrupted(tmp_path: Path) -> None:
    """Control-C, wherever it comes: the next render completes the tree.

    Nothing of okgen's is left lying about, unless Control-C comes while it tidies up.
    """
    step = 0
    code = 3
    while code == 3:
        folder = str(tmp_path / str(step))
        fill(folder, FOREIGN)
        render(folder, OLD)

        def work(folder: str = folder, step: int = step) -> None:
            todo = plan.make(NEW, tree.snapshot(folder, NEW))
            left = step

            def count(event: str, _arguments: object) -> None:
                nonlocal left
                if event in CHANGES:
                    left -= 1
                    if left == -1:
                        raise KeyboardInterrupt

            sys.addaudithook(count)
            try:
                tree.apply(todo)
            except KeyboardInterrupt:
                os._exit(3)

        code = in_child(work)
        assert_whole(folder, before=OLD, after=NEW)
        left = [path for path in contents(folder) if path.startswith(STAGE)]
        assert not left or index.parse(Path(folder, index.NAME).read_bytes(), "").pending == {}
        render(folder, NEW)
        assert_rendered(folder, NEW)
        step += 1
    assert code == 0
    assert step > 50


def test_leftovers_are_recognised_by_their_name_alone(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    fill(folder, {f"{STAGE}/0": "half", f"{STAGE}/17": "", f"{STAGE}/note": "mine", f"{STAGE}/7a": "mine"})
    assert not plan.drift(plan.make(OLD, tree.snapshot(folder, OLD)))
    render(folder, OLD)
    assert contents(folder) == as_bytes(OLD | {f"{STAGE}/note": "mine", f"{STAGE}/7a": "mine"})
    assert render(folder, OLD).is_empty
    render(folder, NEW)
    assert contents(folder) == as_bytes(NEW | {f"{STAGE}/note": "mine", f"{STAGE}/7a": "mine"})


# -------------------------------------------------------------------------------------------- the system says no


def unable(work: Callable[[], object]) -> str:
    with pytest.raises(Unable) as caught:
        work()
    return str(caught.value)


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
    monkeypatch.setitem(sys.modules, "ctypes", None)  # as in an interpreter that was built without it
    assert stage.flush_all() is None
    render(str(tmp_path / "demo"), OLD)
    assert contents(str(tmp_path / "demo")) == as_bytes(OLD)


# ------------------------------------------------------------------------------------------------- others at work


def test_an_edit_between_reading_and_writing_is_not_lost(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    for path in ("README.md", "gone/x/y.yaml", "addons/d/0.yaml"):
        todo = plan.make(NEW, tree.snapshot(folder, NEW))
        before = contents(folder)
        fill(folder, {path: "edited in between\n"})
        assert f"demo/{path} changed" in unable(lambda todo=todo: tree.apply(todo))  # type: ignore[misc]
        assert contents(folder) == before | {path: b"edited in between\n"}
        fill(folder, {path: OLD.get(path, NEW.get(path, ""))})
    os.unlink(os.path.join(folder, "addons/d/0.yaml"))
    render(folder, NEW)


def test_another_render_between_reading_and_writing(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    todo = plan.make(NEW, tree.snapshot(folder, NEW))
    render(folder, LATER)
    assert f"demo/{index.NAME} changed" in unable(lambda: tree.apply(todo))
    assert contents(folder) == as_bytes(LATER)


def test_another_run_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "PATIENCE", 0.1)
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    todo = plan.make(NEW, tree.snapshot(folder, NEW))
    here = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(here, fcntl.LOCK_EX)
        for work in (lambda: tree.snapshot(folder, NEW), lambda: tree.apply(todo)):
            assert "another okgen is at work in " in unable(work)
        fcntl.flock(here, fcntl.LOCK_SH)
        tree.snapshot(folder, NEW)
        assert "another okgen is at work in " in unable(lambda: tree.apply(todo))
        assert contents(folder) == as_bytes(OLD)
    finally:
        os.close(here)
    tree.apply(todo)
    assert contents(folder) == as_bytes(NEW)


def test_a_run_waits_for_another_that_is_soon_done(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    render(folder, OLD)
    here = os.open(folder, os.O_RDONLY)
    fcntl.flock(here, fcntl.LOCK_EX)
    pid = os.fork()
    if not pid:
        time.sleep(0.1)
        os._exit(0)  # which lets go of the lock, as nobody else has it open
    os.close(here)
    render(folder, NEW)
    os.waitpid(pid, 0)
    assert contents(folder) == as_bytes(NEW)


def test_many_runs_at_once(tmp_path: Path) -> None:
    """Whoever comes first: each either renders its own files or says why not, and no state between is ever seen."""
    folder = str(tmp_path / "demo")
    fill(folder, FOREIGN)
    render(folder, OLD)
    pids = []
    for number in range(4):
        pid = os.fork()
        if not pid:
            code = 99
            try:
                for turn in range(15):
                    files = (OLD, NEW, LATER)[(number + turn) % 3]
                    with contextlib.suppress(Unable):
                        render(folder, files)
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 4
    render(folder, NEW)
    assert_rendered(folder, NEW)


# ------------------------------------------------------------------------------------- any order of all of these


PATHS = ["a", "a/b", "a/b/c", "d", "d/e", "f/g", "f/h", "i"]
TEXTS = st.sampled_from(["", "1", "22", "other\n"])


def pruned(files: Files) -> Files:
    return {path: text for path, text in files.items() if not any(path.startswith(f"{other}/") for other in files)}


TREES = st.dictionaries(st.sampled_from(PATHS), TEXTS, max_size=6).map(pruned)


class AnyOrder(RuleBasedStateMachine):
    """Renders, kills, edits, deletions and foreign files in any order, against a model of a few lines.

    ``known``: by path, what okgen may have written there. All else is foreign or edited, and never lost without force.
    """

    def __init__(self) -> None:
        super().__init__()
        self.above = tempfile.mkdtemp()
        self.folder = os.path.join(self.above, "demo")
        self.known: dict[str, set[bytes]] = {}
        self.edits = 0

    def teardown(self) -> None:
        shutil.rmtree(self.above)

    def found(self) -> dict[str, bytes]:
        return {path: data for path, data in contents(self.folder).items() if not path.startswith(STAGE)}

    def is_listed(self, path: str) -> bool:
        """Whether the index lists it: a killed run took a foreign file over once its index says so."""
        recorded = Path(self.folder, index.NAME)
        return recorded.exists() and path in index.parse(recorded.read_bytes(), "").files

    def in_the_way(self, files: Files, found: dict[str, bytes], *, force: bool) -> bool:
        """Whether a render must stop, told from what is there."""
        for path, data in found.items():
            own = data in self.known.get(path, set())
            listed = path in self.known
            if path in files:
                if data != files[path].encode() and not own and not force:
                    return True
            elif listed and not own and not force:
                return True
            for wanted in files:
                if path.startswith(f"{wanted}/") and not listed:
                    return True  # a folder with something else in it, where a file has to be
                if wanted.startswith(f"{path}/") and not (own or (listed and force)):
                    return True
        return False

    @rule(files=TREES, force=st.booleans())
    def render(self, files: Files, *, force: bool) -> None:
        found = self.found()
        if self.in_the_way(files, found, force=force):
            with pytest.raises(Refused):
                render(self.folder, files, force=force)
            assert self.found() == found
            return
        render(self.folder, files, force=force)
        foreign = {path: data for path, data in found.items() if path not in self.known and path not in files}
        assert contents(self.folder) == as_bytes(files) | foreign
        assert render(self.folder, files).is_empty
        self.known = {path: {text.encode()} for path, text in files.items()}

    @rule(files=TREES, then=TREES, step=st.integers(0, 40))
    def render_killed_then_another(self, files: Files, then: Files, step: int) -> None:
        found = self.found()
        if self.in_the_way(files, found, force=False):
            return
        killed_at(step, self.folder, files)
        between = self.found()
        foreign = {path: data for path, data in found.items() if path not in self.known and path not in files}
        assert foreign.items() <= between.items()
        for path, text in files.items():
            taken_over = found.get(path) == text.encode() and self.is_listed(path)
            if path in self.known or taken_over or (path not in found and path in between):
                self.known.setdefault(path, set()).add(text.encode())
        self.render(then, force=False)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.known)))
        if path in self.found():
            self.edits += 1
            fill(self.folder, {path: f"edit {self.edits}"})

    @rule(path=st.sampled_from(PATHS), text=TEXTS)
    def add_foreign(self, path: str, text: str) -> None:
        found = self.found()
        if path not in self.known and not any(path.startswith(f"{other}/") for other in found):
            with contextlib.suppress(IsADirectoryError):
                fill(self.folder, {path: text})

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from([*self.found(), ""]))
        if path:
            os.unlink(os.path.join(self.folder, path))
            with contextlib.suppress(OSError):
                while path := os.path.dirname(path):
                    os.rmdir(os.path.join(self.folder, path))

    @rule()
    def lose_the_index(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, index.NAME))
        self.known = {}


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=200,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    report_multiple_bugs=False,
)
