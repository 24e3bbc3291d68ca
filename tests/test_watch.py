"""`okgen watch` as a process of its own, beside an editor that saves real files."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import rendering
import upstream
from okgen.watching import Watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.tools
BOTH = {"cert-manager": None, "external-secrets": None}
PATCH = "kind: Deployment\nmetadata: {{name: any, annotations: {{a: '{}'}}}}\n"
PATIENCE = 60  # s


class Watch:
    """A watching process and what it has printed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.unread = ""
        self.first = ""

    def expect(self, text: str) -> str:
        """Reads until a text comes; what came until then."""
        assert self.process.stdout is not None
        while text not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert more, f"no {text!r} in {self.unread!r}"
            self.unread += more.decode()
        said, _, self.unread = self.unread.partition(text)
        return said

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; exit code and what was still printed."""
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, self.unread + rest.decode()


def started(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, [environment.get("PYTHONPATH"), str(rendering.REPOSITORY / "generator")]))
    return subprocess.Popen(
        [sys.executable, "-m", "okgen", "watch", *arguments],
        cwd=folder,
        env=os.environ | environment | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[Watch]:
    """A process that has rendered once and watches."""
    pytest.importorskip("watchfiles", reason="NOT TESTED: okgen watch. To test it: pip install --group test")
    process = started(folder, *arguments)
    try:
        watch = Watch(process)
        watch.first = watch.expect("Ctrl-C ends it\n")
        yield watch
    finally:
        process.kill()
        process.communicate()


def save(place: Path, **overrides: Any) -> None:
    """Saves as editors do: a file beside it takes its place."""
    place.parent.mkdir(exist_ok=True)
    beside = place.with_name(f".{place.name}.swp")
    beside.write_text(rendering.written(rendering.minimal(**overrides)), encoding="utf-8")
    beside.replace(place)


def files(folder: Path, name: str = "demo") -> set[str]:
    below = folder / "output" / name
    return {path.relative_to(below).as_posix() for path in below.rglob("*") if path.is_file()}


def test_renders_at_once_and_again_when_saved(tmp_path: Path) -> None:
    save(tmp_path / "cluster.yaml")
    with watching(tmp_path) as watch:
        assert "created" in watch.first
        assert "addons/cert-manager/kustomization.yaml" in files(tmp_path)

        save(tmp_path / "cluster.yaml", addons=BOTH)
        said = watch.expect("unchanged in output/demo\n")

        assert said.startswith("\ncluster.yaml\n")
        assert "external-secrets" in said
        assert "addons/external-secrets/kustomization.yaml" in files(tmp_path)


def test_one_save_is_one_render_and_what_it_writes_is_no_reason_for_another(tmp_path: Path) -> None:
    save(tmp_path / "cluster.yaml")
    with watching(tmp_path, ".") as watch:
        for addons in (BOTH, {"external-secrets": None, "cert-manager": None}, BOTH):
            save(tmp_path / "cluster.yaml", addons=addons)
        watch.expect("unchanged in output/demo\n")
        save(tmp_path / "last.cluster.yaml", metadata={"name": "last"})
        said = watch.expect("output/last/README.md says how to start it\n")

        assert said.count("cluster.yaml\n") == 1, "the line that names the saved file"
        assert watch.stop() == (0, "\n")


def test_a_mistake_is_shown_and_the_next_save_renders(tmp_path: Path) -> None:
    save(tmp_path / "cluster.yaml")
    with watching(tmp_path) as watch:
        before = files(tmp_path)
        save(tmp_path / "cluster.yaml", profile="prod")
        assert "OKG204" in watch.expect("path: profile\n")
        (tmp_path / "cluster.yaml").write_text("a: [", encoding="utf-8")
        watch.expect("OKG101")
        (tmp_path / "cluster.yaml").unlink()
        watch.expect("okgen: cluster.yaml: no such file or folder")
        assert files(tmp_path) == before

        save(tmp_path / "cluster.yaml", addons=BOTH)
        watch.expect("unchanged in output/demo\n")
        assert files(tmp_path) > before


def test_an_edit_of_the_tree_is_kept_and_told(tmp_path: Path) -> None:
    save(tmp_path / "cluster.yaml")
    with watching(tmp_path) as watch:
        (tmp_path / "output" / "demo" / "README.md").write_text("mine", encoding="utf-8")
        save(tmp_path / "cluster.yaml", addons=BOTH)
        watch.expect("OKG504")

        assert (tmp_path / "output" / "demo" / "README.md").read_text(encoding="utf-8") == "mine"


def test_new_files_in_a_folder_are_found(tmp_path: Path) -> None:
    save(tmp_path / "clusters" / "cluster.yaml")
    with watching(tmp_path, "clusters") as watch:
        (tmp_path / "clusters" / "more").mkdir()
        save(tmp_path / "clusters" / "more" / "zoo.okgen.yaml", metadata={"name": "zoo"})
        watch.expect("zoo: ")
        watch.expect("created")


def patched_by(path: str) -> dict[str, Any]:
    """Add-ons of which one has a patch in that file."""
    target = {"kind": "Deployment", "name": "cert-manager"}
    return {"cert-manager": {"patches": [{"target": target, "path": path}]}}


def test_a_patch_beside_it_counts_and_other_files_do_not(tmp_path: Path) -> None:
    patch = tmp_path / "patch.yaml"
    patch.write_text(PATCH.format(1), encoding="utf-8")
    save(tmp_path / "cluster.yaml", addons=patched_by("patch.yaml"))
    with watching(tmp_path) as watch:
        (tmp_path / "notes.txt").write_text("a", encoding="utf-8")
        patch.write_text(PATCH.format(2), encoding="utf-8")
        said = watch.expect("unchanged in output/demo\n")

    assert "\npatch.yaml\n" in said
    assert "notes" not in said


def test_what_is_needed_from_elsewhere_counts_though_it_comes_later(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    place = tmp_path / "clusters" / "demo"
    place.mkdir(parents=True)
    save(place / "cluster.yaml")
    with watching(place) as watch:
        save(place / "cluster.yaml", addons=patched_by("../../patches/a/note.patch"))
        watch.expect("OKG323")
        patch = tmp_path / "patches" / "a" / "note.patch"
        patch.parent.mkdir(parents=True)
        patch.write_text(PATCH.format(1), encoding="utf-8")
        watch.expect("unchanged in ../../output/demo\n")
        patch.write_text(PATCH.format(2), encoding="utf-8")
        assert "\n../../patches/a/note.patch\n" in watch.expect("unchanged in ../../output/demo\n")
        (tmp_path / "unrelated.yaml").write_text("a: b\n", encoding="utf-8")
        (tmp_path / "okgen.yaml").write_text("a: [\n", encoding="utf-8")
        said = watch.expect("OKG1")

    assert "okgen.yaml" in said
    assert "unrelated" not in said


def test_vendored_files_count(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    place = tmp_path / "clusters" / "cluster.yaml"
    save(place, gitops={"crds": "vendored"})
    with watching(place.parent) as watch:
        assert "OKG601" in watch.first
        folder = tmp_path / "output" / "_vendor" / "cert-manager"
        folder.mkdir(parents=True)
        assert "OKG601" in watch.expect("run okgen vendor")
        upstream.vendor(place, tmp_path)
        watch.expect("created")


def test_a_save_without_effect_says_so(tmp_path: Path) -> None:
    save(tmp_path / "cluster.yaml")
    with watching(tmp_path) as watch:
        with (tmp_path / "cluster.yaml").open("a", encoding="utf-8") as file:
            file.write("# a comment\n")
        watch.expect("no change in 1 cluster\n")


def test_ctrl_c_ends_it_without_an_error(tmp_path: Path) -> None:
    save(tmp_path / "cluster.yaml")
    with watching(tmp_path) as watch:
        assert watch.stop() == (0, "\n")


def test_it_does_not_begin_without_a_file(tmp_path: Path) -> None:
    code, out, err = rendering.okgen("watch", cwd=tmp_path)

    assert (code, out) == (2, "")
    assert "no such file or folder" in err


def test_without_watchfiles_it_says_what_to_install(tmp_path: Path) -> None:
    save(tmp_path / "cluster.yaml")
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "watchfiles.py").write_text("raise ImportError\n", encoding="utf-8")

    process = started(tmp_path, PYTHONPATH=str(tmp_path / "absent"))
    said, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 2
    assert said.decode() == "okgen: okgen watch needs the package watchfiles: pip install 'okgen[watch]'\n"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("cluster.yaml", True),
        ("a/b.okgen.yaml", True),
        ("a/patch.json", True),
        ("notes.md", False),
        (".cluster.yaml.swp", False),
        (".x.cluster.yaml", False),
        ("output/demo/argocd/kustomization.yaml", False),
        ("output/demo/.okgen.json", False),
        ("output/cluster.yaml", True),
        ("output/demo", False),
        ("clusters", True),
        ("empty", False),
    ],
)
def test_which_changes_count(path: str, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendering.rendered(tmp_path, rendering.minimal())
    save(tmp_path / "clusters" / "x.okgen.yaml")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    assert Watched(["."]).counts(str(tmp_path / path)) is counts
