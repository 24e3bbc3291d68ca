"""FILE arguments and the input files they stand for."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from okgen.problem import Unable
from okgen.read import inputs
from okgen.read.inputs import Input

if TYPE_CHECKING:
    from pathlib import Path

FILES = (
    "cluster.yaml",
    "a/cluster.yaml",
    "a/b/shop.cluster.yaml",
    "a/b/shop.okgen.yaml",
    "a/b/.shop.okgen.yaml",
    "a/b/values.yaml",
    "a/b/my-cluster.yaml",
    "a/cluster.yaml.bak",
    "c/cluster.yaml/d.okgen.yaml",
    ".github/cluster.yaml",
    ".git/cluster.yaml",
    "empty/a.yaml",
)
ALL = [
    ".github/cluster.yaml",
    "a/b/shop.cluster.yaml",
    "a/b/shop.okgen.yaml",
    "a/cluster.yaml",
    "c/cluster.yaml/d.okgen.yaml",
    "cluster.yaml",
]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the files, which is the current folder too."""
    root = tmp_path / "repository"
    for name in FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(root)
    return root


def files(*names: str) -> list[str]:
    return [each.file for each in inputs.find(names)]


def fault(*names: str) -> str:
    with pytest.raises(Unable) as caught:
        inputs.find(names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), ["cluster.yaml"]),
        (("cluster.yaml",), ["cluster.yaml"]),
        (("empty/a.yaml", "./a//cluster.yaml"), ["a/cluster.yaml", "empty/a.yaml"]),
        ((".",), ALL),
        (("a", "./a/", "a/cluster.yaml", "a/b/../cluster.yaml"), ALL[1:4]),
        (("c",), ["c/cluster.yaml/d.okgen.yaml"]),
        (("c/cluster.yaml",), ["c/cluster.yaml/d.okgen.yaml"]),
        ((".git",), [".git/cluster.yaml"]),
        (("../repository/cluster.yaml",), ["cluster.yaml"]),
    ],
)
@pytest.mark.usefixtures("repository")
def test_find(names: tuple[str, ...], found: list[str]) -> None:
    assert files(*names) == found
    assert files(*reversed(names)) == found


@pytest.mark.parametrize("name", ["okgen.yaml", "./okgen.yaml", "../repository/okgen.yaml"])
def test_okgen_yaml_stands_for_all_clusters_of_its_repository(repository: Path, name: str) -> None:
    (repository / "okgen.yaml").write_bytes(b"")
    (repository / "a" / "okgen.yaml").write_bytes(b"")

    assert files(name, "a/cluster.yaml") == ALL
    assert all(each.whole for each in inputs.find([name]))
    assert files("a/okgen.yaml") == ["a/okgen.yaml"], "which is not the one beside .git"


def test_absolute_names(repository: Path) -> None:
    found = inputs.find([str(repository / "a" / "cluster.yaml")])

    assert found == [Input(str(repository / "a" / "cluster.yaml"), "a/cluster.yaml", str(repository))]


def test_names_outside_the_current_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "a" / "b")

    assert files("..") == ["shop.cluster.yaml", "shop.okgen.yaml", "../cluster.yaml"]


def test_root(repository: Path) -> None:
    (repository / "a" / "b" / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")

    roots = {each.file: each.root for each in inputs.find(["."])}

    inner = {"a/b/shop.cluster.yaml", "a/b/shop.okgen.yaml"}
    assert {file for file, root in roots.items() if root == str(repository / "a" / "b")} == inner
    assert {file for file, root in roots.items() if root == str(repository)} == {*ALL} - inner


def test_root_without_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if any((parent / ".git").exists() for parent in tmp_path.parents):
        pytest.skip("the folder for temporary files is in a Git repository; set TMPDIR to one that is not")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "cluster.yaml").write_bytes(b"")
    monkeypatch.chdir(tmp_path)

    assert [each.root for each in inputs.find(["a", "a/cluster.yaml"])] == [str(tmp_path / "a")]


def test_links(repository: Path) -> None:
    (repository / "a" / "0.okgen.yaml").symlink_to("cluster.yaml")
    (repository / "a" / "folder").symlink_to("../c")
    (repository / "a" / "folder.okgen.yaml").symlink_to("../c")
    (repository / "a" / "loop").symlink_to(".")
    (repository / "a" / "x").symlink_to("b")

    assert files("a") == ALL[1:4]
    assert files("a/0.okgen.yaml") == ["a/0.okgen.yaml"]
    assert files("a/x") == ["a/x/shop.cluster.yaml", "a/x/shop.okgen.yaml"]
    assert files("a/x/shop.okgen.yaml", "a/b/shop.okgen.yaml") == ["a/b/shop.okgen.yaml"]
    assert files("a/x/../cluster.yaml") == ["a/cluster.yaml"]
    assert files("a/loop/loop/cluster.yaml") == ["a/loop/loop/cluster.yaml"]


def test_of_two_links_the_first_counts(repository: Path) -> None:
    (repository / "e").mkdir()
    for name in ("2.okgen.yaml", "1.okgen.yaml"):
        (repository / "e" / name).symlink_to("../a/cluster.yaml")

    assert files("e") == ["e/1.okgen.yaml"]
    assert files("e/2.okgen.yaml", "e/1.okgen.yaml") == ["e/1.okgen.yaml"]


def test_parent_of_a_linked_folder(repository: Path) -> None:
    """As for the system, not as spelled."""
    (repository / "far").symlink_to("a/b")

    assert files("far/../cluster.yaml") == ["a/cluster.yaml"]


def test_a_link_to_nowhere_is_found(repository: Path) -> None:
    (repository / "a" / "gone.okgen.yaml").symlink_to("nowhere")

    assert "a/gone.okgen.yaml" in files("a")
    assert fault("a/gone.okgen.yaml") == "a/gone.okgen.yaml: no such file or folder"


def test_all_faults_at_once(repository: Path) -> None:
    os.mkfifo(repository / "pipe")

    said = fault("pipe", "empty", "missing.yaml", "cluster.yaml", "cluster.yaml/", "a\0b", "", "\x1b[31m", os.devnull)

    assert said.splitlines() == [
        ": no such file or folder",
        "\\x1b[31m: no such file or folder",
        f"{os.devnull}: a device, not a file",
        "a\\x00b: embedded null byte",
        "cluster.yaml/: not a directory",
        "empty: no cluster.yaml, *.cluster.yaml or *.okgen.yaml in this folder or below",
        "missing.yaml: no such file or folder",
        "pipe: a named pipe, not a file",
    ]


def test_a_socket(repository: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")

        assert fault("s") == "s: a socket, not a file"
    assert (repository / "s").exists()


def test_no_arguments_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert fault() == "cluster.yaml: no such file or folder; `okgen init` writes one"


def test_unreadable(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "cluster.yaml").chmod(0)
    if os.access("cluster.yaml", os.R_OK):  # root may read everything
        monkeypatch.setattr(os, "access", lambda _path, _mode: False)

    assert fault("cluster.yaml") == "cluster.yaml: no permission to read it"


def test_unreadable_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository / "a" / "b"
    folder.chmod(0)
    if os.access(folder, os.R_OK):
        scandir = os.scandir

        def refuse(path: str) -> object:
            if path.endswith("b"):
                raise PermissionError(13, "Permission denied", path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
    try:
        assert fault("a") == "a/b: no permission to read it"
    finally:
        folder.chmod(0o755)


def test_current_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert fault("cluster.yaml") == "the current folder is gone"


NAMES = st.lists(st.sampled_from([*FILES, ".", "a", "./a/b", "c", "a/../a", "a/b/.."]), min_size=1, max_size=5)


@given(NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("repository")
def test_order_and_repetition_do_not_matter(names: list[str]) -> None:
    found = inputs.find(names)

    assert found == inputs.find([*names, *reversed(names)])
    assert found == inputs.find(sorted(names))
    assert len({each.path for each in found}) == len(found)
    assert [each.path for each in found] == [os.path.abspath(each.file) for each in found]


@given(st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("repository")
def test_any_name(name: str) -> None:
    try:
        found = inputs.find([name])
    except Unable as unable:
        assert str(unable).replace("\n", "").isprintable()  # noqa: PT017 - either way is fine
    else:
        assert found
