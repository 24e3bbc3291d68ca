"""Vendored folders are whole and right, or as they were; downloads come from a real https server on loopback."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import loopback
from loopback import Authority, Server
from okgen.problem import Unable
from okgen.progress import Lines
from okgen.upstream import vendor as engine
from okgen.upstream.fetch import Fetcher
from okgen.upstream.vendor import Outcome, Source, check_vendored, exit_code, mirrored, parse_mirrors, summary, vendor
from rendering import tool
from trees import in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

CRD = b"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: %ss.example.com
spec:
  group: example.com
  names: {kind: %s, plural: %ss}
  scope: Namespaced
  versions: []
"""
ONE, TWO = CRD % (b"one", b"One", b"one"), CRD % (b"two", b"Two", b"two")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "localhost")
    with loopback.https_server(authority) as running:
        running.answers |= {"/one.yaml": ONE, "/two.yaml": TWO}
        yield running


class Vendoring:
    """`okgen vendor` with everything but the command line."""

    def __init__(self, server: Server, authority: Authority, folder: Path) -> None:
        self.server, self.folder, self.log = server, folder, io.StringIO()
        self.place = folder / "demo" / "1.0"
        self.wanted = [self.source("one.yaml", ONE), self.source("two.yaml", TWO)]
        self.fetcher = Fetcher(str(authority.ca_file), pauses=())

    def source(self, file: str, content: bytes, *, system: str = "demo", version: str = "1.0") -> Source:
        """A pin of what the server has at /FILE."""
        return Source(system, version, file, f"{self.server.url}/{file}", hashlib.sha256(content).hexdigest())

    def run(self, wanted: list[Source] | None = None, **mirrors: str) -> list[Outcome]:
        """The outcomes; by default of one folder with two files."""
        self.log = io.StringIO()
        sources = self.wanted if wanted is None else wanted
        return vendor(sources, str(self.folder), mirrors, Lines(self.log), self.fetcher)

    def one(self) -> Outcome:
        """The outcome of the one folder."""
        (outcome,) = self.run()
        return outcome

    @property
    def tree(self) -> dict[str, bytes]:
        """Every file, by its path."""
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    @property
    def problems(self) -> list[str]:
        """What render would complain about."""
        return check_vendored(self.wanted, str(self.folder))


@pytest.fixture
def demo(server: Server, authority: Authority, tmp_path: Path) -> Vendoring:
    return Vendoring(server, authority, tmp_path / "output" / "_vendor")


def whole(demo: Vendoring) -> bool:
    listing = demo.tree.get("demo/1.0/kustomization.yaml", b"")
    right = {"demo/1.0/one.yaml": ONE, "demo/1.0/two.yaml": TWO, "demo/1.0/kustomization.yaml": listing}
    return demo.tree == right and not demo.problems and not list(demo.folder.rglob(".*"))


def test_a_folder_is_fetched(demo: Vendoring) -> None:
    assert demo.one() == Outcome("demo/1.0", "fetched", 0, ())
    assert whole(demo)
    assert yaml.safe_load(demo.tree["demo/1.0/kustomization.yaml"]) == {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["one.yaml", "two.yaml"],
    }
    assert demo.log.getvalue() == (
        f"demo 1.0 one.yaml: 0.2 kB from {demo.server.url}/one.yaml\n"
        f"demo 1.0 two.yaml: 0.2 kB from {demo.server.url}/two.yaml\n"
    )


@pytest.mark.tools
def test_kustomize_builds_it(demo: Vendoring) -> None:
    demo.one()
    built = subprocess.run([tool("kustomize"), "build", demo.place], check=True, capture_output=True).stdout
    assert [each["metadata"]["name"] for each in yaml.safe_load_all(built)] == ["ones.example.com", "twos.example.com"]


def test_nothing_is_fetched_twice(demo: Vendoring) -> None:
    demo.one()
    asked, times = list(demo.server.asked), {p: p.stat().st_mtime_ns for p in demo.folder.rglob("*")}
    assert demo.one() == Outcome("demo/1.0", "up to date", 0, ())
    assert demo.server.asked == asked
    assert {p: p.stat().st_mtime_ns for p in demo.folder.rglob("*")} == times
    assert not demo.log.getvalue()


def test_an_altered_file_gets_its_pinned_content_back(demo: Vendoring) -> None:
    demo.one()
    (demo.place / "two.yaml").write_bytes(b"edited\n")
    (demo.place / "kustomization.yaml").unlink()
    (demo.place / "notes.md").write_bytes(b"ours\n")
    demo.server.asked.clear()
    assert demo.problems == [f"{demo.place}/two.yaml has been altered", f"{demo.place}/kustomization.yaml is missing"]
    message = f"{demo.place}/two.yaml had been altered; its pinned content is back"
    assert demo.one() == Outcome("demo/1.0", "restored", 0, (message,))
    assert demo.server.asked == ["/two.yaml"]
    assert demo.tree["demo/1.0/notes.md"] == b"ours\n", "what okgen does not know stays"
    (demo.place / "notes.md").unlink()
    assert whole(demo)


def test_several_folders_and_the_same_source_twice(demo: Vendoring) -> None:
    other = demo.source("one.yaml", ONE, version="2.0")
    outcomes = demo.run([*demo.wanted, other, demo.wanted[0]])
    assert [(each.place, each.state) for each in outcomes] == [("demo/1.0", "fetched"), ("demo/2.0", "fetched")]
    assert summary(outcomes) == "2 fetched"
    outcomes = demo.run([*demo.wanted, other, demo.source("none.yaml", ONE, system="lost")])
    assert summary(outcomes) == "2 up to date, 1 failed"
    assert exit_code(outcomes) == 2
    assert not (demo.folder / "lost").exists()


def test_nothing_lands_before_all_of_a_folder_is_right(demo: Vendoring) -> None:
    demo.server.answers["/two.yaml"] = b"something else\n"
    outcome = demo.one()
    assert (outcome.state, outcome.exit, len(outcome.messages)) == ("failed", 1, 1)
    assert outcome.messages[0].startswith(f"{demo.server.url}/two.yaml: sha256 is ")
    assert not demo.folder.exists()
    assert demo.problems == [f"{demo.place}/ is missing"]
    assert demo.log.getvalue().endswith("demo 1.0 two.yaml: failed\n")


def test_what_is_there_stays_when_the_server_is_down(demo: Vendoring) -> None:
    demo.one()
    (demo.place / "two.yaml").write_bytes(b"edited\n")
    demo.server.answers["/two.yaml"] = 404
    before = demo.tree
    outcome = demo.one()
    assert (outcome.state, outcome.exit) == ("failed", 2)
    assert demo.tree == before


@pytest.mark.parametrize(
    ("answers", "code"),
    [((404, 404), 2), ((b"wrong", 404), 1), ((404, b"wrong"), 1), ((b"wrong", b"wrong"), 1)],
)
def test_wrong_content_outweighs_an_unreachable_server(demo: Vendoring, answers: tuple[object, ...], code: int) -> None:
    demo.server.answers |= dict(zip(("/one.yaml", "/two.yaml"), answers, strict=True))
    outcome = demo.one()
    assert (outcome.exit, len(outcome.messages)) == (code, 2)
    assert exit_code([outcome, outcome._replace(exit=2)]) == code
    assert exit_code([]) == 0


def test_a_mirror_is_asked_instead(demo: Vendoring) -> None:
    demo.server.answers["/github/acme/one.yaml"] = ONE
    source = demo.wanted[0]._replace(url="https://github.invalid/acme/one.yaml")
    mirrors = {"https://github.invalid": f"{demo.server.url.replace('://', '://me:secret@')}/github/"}
    assert vendor([source], str(demo.folder), mirrors, Lines(demo.log), demo.fetcher)[0].state == "fetched"
    assert demo.log.getvalue() == f"demo 1.0 one.yaml: 0.2 kB from {demo.server.url}/github/acme/one.yaml\n"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x/y", "https://m.example/x/y"),
        ("https://a.example/x/z/y", "https://deep.example/base/y"),
        ("https://a.example/x/zz/y", "https://m.example/x/zz/y"),
        ("https://a.example/x/z", "https://deep.example/base"),
        ("https://a.example.evil/x", "https://a.example.evil/x"),
        ("https://b.example/x", "https://b.example/x"),
    ],
)
def test_the_longest_prefix_wins_at_whole_parts_of_the_path(url: str, expected: str) -> None:
    mirrors = parse_mirrors(["a.example/=https://m.example", "https://a.example/x/z=https://deep.example/base/"])
    assert mirrored(url, mirrors) == expected


@pytest.mark.parametrize(
    "text", ["", "=", "a", "a=", "=https://m", "a=http://m", "a=m", "a=file:///m", "a=https://", "a=https://[m"]
)
def test_what_is_no_mirror(text: str) -> None:
    with pytest.raises(Unable, match=r"^--mirror wants PREFIX=URL"):
        parse_mirrors([text])


def make_folder_a_link(demo: Vendoring) -> Path:
    return link(demo.folder)


def make_system_a_link(demo: Vendoring) -> Path:
    return link(demo.folder / "demo")


def make_version_a_link(demo: Vendoring) -> Path:
    return link(demo.place)


def make_file_a_link(demo: Vendoring) -> Path:
    return link(demo.place / "two.yaml")


def link(path: Path) -> Path:
    """Moves what is there aside and leaves a link to it."""
    target = path.with_name(f"{path.name}-target")
    path.rename(target)
    path.symlink_to(target)
    return path


@pytest.mark.parametrize("damage", [make_folder_a_link, make_system_a_link, make_version_a_link, make_file_a_link])
def test_links_are_not_followed(demo: Vendoring, damage: Callable[[Vendoring], Path]) -> None:
    demo.one()
    path = damage(demo)
    line = f"{path}: is a symbolic link, which okgen does not follow; remove it"
    assert demo.problems == [line]
    demo.wanted[0] = demo.source("one.yaml", b"new pin")
    assert demo.one() == Outcome("demo/1.0", "failed", 2, (line,))


def test_a_pipe_in_place_of_a_file_does_not_hang(demo: Vendoring) -> None:
    demo.place.mkdir(parents=True)
    os.mkfifo(demo.place / "one.yaml")
    line = f"{demo.place}/one.yaml: is no regular file; remove it"
    assert demo.problems == [line]
    assert demo.one().messages == (line,)


def test_a_file_of_a_terabyte_is_not_read(demo: Vendoring) -> None:
    demo.one()
    os.truncate(demo.place / "one.yaml", 1 << 40)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        assert demo.problems == [f"{demo.place}/one.yaml has been altered"]

    assert in_child(work) == 0


def test_a_file_in_place_of_a_folder(demo: Vendoring) -> None:
    demo.folder.parent.mkdir()
    demo.folder.write_bytes(b"")
    line = f"{demo.place}/one.yaml: Not a directory"
    assert demo.problems == [line]
    assert demo.one() == Outcome("demo/1.0", "failed", 2, (line,))


def test_a_folder_in_place_of_a_file(demo: Vendoring) -> None:
    (demo.place / "one.yaml").mkdir(parents=True)
    assert demo.one().messages == (f"{demo.place}/one.yaml: is no regular file; remove it",)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow beyond a few bytes. Not a fixture: pytest itself writes before those end."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_nothing_behind(demo: Vendoring) -> None:
    with full_disk():
        outcome = demo.one()
    assert outcome == Outcome("demo/1.0", "failed", 2, (f"{demo.place}: File too large",))
    assert not demo.tree
    assert not list(demo.folder.rglob(".*"))


PROGRAM = """
import sys
from okgen.upstream.fetch import Fetcher
from okgen.progress import Lines
from okgen.upstream.vendor import Source, vendor
folder, ca_file, *wanted = sys.argv[1:]
sources = [Source(*wanted[n:n + 5]) for n in range(0, len(wanted), 5)]
vendor(sources, folder, {}, Lines(sys.stderr), Fetcher(ca_file))
"""


def start(demo: Vendoring, authority: Authority) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    arguments = [str(demo.folder), str(authority.ca_file), *(field for source in demo.wanted for field in source)]
    path = str(Path(engine.__file__).parent.parent.parent)
    call = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.Popen(call, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_the_middle(demo: Vendoring, authority: Authority, number: signal.Signals) -> None:
    demo.server.answers["/two.yaml"] = demo.server.stall
    with start(demo, authority) as process:
        loopback.eventually(lambda: "/two.yaml" in demo.server.asked, "the second file is asked for")
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode
    assert ("two.yaml: stopped" in err) == (number == signal.SIGINT)
    assert not demo.folder.exists()
    demo.server.answers["/two.yaml"] = TWO
    assert demo.one().state == "fetched"
    assert whole(demo)


def test_interrupted_in_this_process(demo: Vendoring) -> None:
    def interrupt(handler: BaseHTTPRequestHandler) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        demo.server.stall(handler)

    demo.server.answers["/two.yaml"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        demo.one()
    assert demo.log.getvalue().endswith("demo 1.0 two.yaml: stopped\n")
    assert not demo.folder.exists()


def test_a_file_that_is_gone_comes_back(demo: Vendoring) -> None:
    demo.one()
    (demo.place / "one.yaml").unlink()
    assert demo.one() == Outcome("demo/1.0", "restored", 0, ())
    assert whole(demo)


def test_what_a_killed_run_left_is_swept(demo: Vendoring) -> None:
    demo.one()
    for parent in ("demo", "other"):
        left = demo.folder / parent / ".okgen-1"
        left.mkdir(parents=True)
        (left / "one.yaml").write_bytes(ONE[:10])
    (demo.folder / "demo" / ".okgen-file").write_bytes(b"no folder\n")
    assert demo.one().state == "up to date"
    assert [str(path.relative_to(demo.folder)) for path in sorted(demo.folder.rglob(".*"))] == [
        "demo/.okgen-file",
        "other/.okgen-1",
    ]


def test_another_run_is_left_alone(demo: Vendoring) -> None:
    busy = demo.folder / "demo" / ".okgen-1"
    busy.mkdir(parents=True)
    handle = os.open(busy, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert demo.one().state == "fetched"
    assert busy.exists()
    os.close(handle)
    assert demo.one().state == "up to date"
    assert not busy.exists()


def test_two_runs_at_once(demo: Vendoring, authority: Authority) -> None:
    demo.server.answers["/two.yaml"] = [demo.server.stall, TWO]
    with start(demo, authority) as process:
        loopback.eventually(lambda: "/two.yaml" in demo.server.asked, "the second file is asked for")
        assert demo.one().state == "fetched"
        process.kill()
    assert whole(demo)


@pytest.mark.parametrize(
    "field",
    [
        {"file": "kustomization.yaml"},
        {"file": "../one.yaml"},
        {"file": ""},
        {"system": ".hidden"},
        {"version": "a/b"},
        {"version": ".."},
        {"file": "one.yaml\n"},
    ],
)
def test_names_that_would_lead_elsewhere(demo: Vendoring, field: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a plain name"):
        check_vendored([demo.wanted[0]._replace(**field)], str(demo.folder))


def test_a_file_pinned_twice(demo: Vendoring) -> None:
    with pytest.raises(ValueError, match=r"^pinned twice, and differently: demo/1\.0/one\.yaml$"):
        check_vendored([demo.wanted[0], demo.wanted[0]._replace(sha256="0" * 64)], str(demo.folder))


def test_judging_needs_no_network_code() -> None:
    code = (
        "import sys, okgen.upstream.vendor as v; v.check_vendored([], '.'); "
        "print('ssl' in sys.modules, 'http' in sys.modules)"
    )
    path = str(Path(engine.__file__).parent.parent.parent)
    ran = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, check=True, capture_output=True, text=True
    )
    assert ran.stdout == "False False\n"
