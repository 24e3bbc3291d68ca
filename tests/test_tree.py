"""The folder of a cluster, on a real disk: what is written, what is left alone, and what is noticed."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from okgen import __version__
from okgen.problem import Problem, Refused, Unable
from okgen.write import index, plan, tree
from trees import Files, contents, edited, fill, render

FILES: Files = {"README.md": "read\n", "addons/a/x.yaml": "x\n", "addons/a/y.yaml": "y\n", "argocd/z.yaml": ""}
STAGE = ".okgen.tmp"


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where a tree is to be; neither it nor the folder it is in is there yet."""
    return str(tmp_path / "output" / "demo")


def refused(folder: str, files: Files = FILES, *, force: bool = False, root: str = "") -> list[Problem]:
    """The problems of a render that is refused and changes nothing."""
    before = contents(folder)
    with pytest.raises(Refused) as caught:
        render(folder, files, force=force, root=root)
    assert contents(folder) == before
    return caught.value.problems


def conflicts(folder: str, files: Files = FILES, *, force: bool = False) -> list[str]:
    """The conflicts of a render that changes nothing, as "path: code"."""
    problems = refused(folder, files, force=force)
    return [f"{os.path.relpath(problem.file, folder)}: {problem.code}" for problem in problems]


def stats(folder: str) -> dict[str, tuple[int, ...]]:
    """All that a write would change, of every file and folder."""
    found: dict[str, tuple[int, ...]] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files, "."):
            status = os.stat(os.path.join(place, name), follow_symlinks=False)
            found[os.path.join(place, name)] = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return found


# ------------------------------------------------------------------------------------------------ what is written


def test_a_tree_is_written_and_then_left_alone(folder: str) -> None:
    done = render(folder, FILES)
    assert done.create == tuple(sorted(FILES))
    assert contents(folder) == {path: text.encode() for path, text in FILES.items()}
    recorded = Path(folder, index.NAME).read_bytes()
    digests = {path: index.digest(text.encode()) for path, text in FILES.items()}
    assert recorded == index.text(index.Index(__version__, digests, {}))
    assert sorted(os.listdir(folder)) == [index.NAME, "README.md", "addons", "argocd"]
    before = stats(folder)
    assert render(folder, FILES).is_empty
    assert stats(folder) == before


def test_the_order_of_files_does_not_matter(folder: str, tmp_path: Path) -> None:
    render(folder, FILES)
    other = str(tmp_path / "other")
    render(other, dict(reversed(FILES.items())))
    assert contents(other) == contents(folder)
    assert Path(other, index.NAME).read_bytes() == Path(folder, index.NAME).read_bytes()


def test_what_stays_is_not_touched(folder: str) -> None:
    render(folder, FILES)
    before = stats(folder)
    done = render(folder, {**FILES, "README.md": "changed\n", "argocd/new.yaml": "new\n"})
    assert (done.create, done.update, done.unchanged) == (("argocd/new.yaml",), ("README.md",), 3)
    after = stats(folder)
    for path in ("addons", "addons/a", "addons/a/x.yaml", "addons/a/y.yaml", "argocd/z.yaml"):
        assert after[os.path.join(folder, path)] == before[os.path.join(folder, path)]
    assert contents(folder)["README.md"] == b"changed\n"


def test_files_that_are_not_wanted_go_with_their_folders(folder: str) -> None:
    render(folder, {**FILES, "deep/er/and/deeper.yaml": "1\n", "deep/note.yaml": "2\n"})
    fill(folder, {"deep/foreign": "mine"})
    done = render(folder, {"README.md": "read\n"})
    assert len(done.delete) == 5
    assert contents(folder) == {"README.md": b"read\n", "deep/foreign": b"mine"}
    assert sorted(os.listdir(folder)) == [index.NAME, "README.md", "deep"]
    assert os.listdir(os.path.join(folder, "deep")) == ["foreign"]


def test_folders_emptied_by_hand_go_too(folder: str) -> None:
    render(folder, FILES)
    Path(folder, "argocd/z.yaml").unlink()
    render(folder, {"README.md": "read\n"})
    assert sorted(os.listdir(folder)) == [index.NAME, "README.md"]


def test_a_file_becomes_a_folder_and_back(folder: str) -> None:
    as_file, as_folder = {"a": "1", "b": "1"}, {"a/b/c": "2", "a/d": "2", "b": "1"}
    for files in (as_file, as_folder, as_file):
        done = render(folder, files)
        assert contents(folder) == {path: text.encode() for path, text in files.items()}
        assert not done.conflicts
    assert sorted(os.listdir(folder)) == [index.NAME, "a", "b"]


def test_what_was_deleted_by_hand_is_missing_and_comes_back(folder: str) -> None:
    render(folder, FILES)
    os.unlink(os.path.join(folder, "README.md"))
    assert plan.drift(plan.make(FILES, tree.snapshot(folder, FILES))) == [("README.md", plan.MISSING)]
    assert render(folder, FILES).create == ("README.md",)
    assert contents(folder)["README.md"] == b"read\n"
    assert render(folder, FILES).is_empty


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0, 0o644), (0o027, 0o640)])
def test_modes(folder: str, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        render(folder, {"a/b": "1", "c": "1"})
        os.chmod(os.path.join(folder, "c"), 0o700)
        render(folder, {"a/b": "1", "c": "2"})
    finally:
        os.umask(before)
    for path in ("a/b", "c", index.NAME):
        assert stat.S_IMODE(os.stat(os.path.join(folder, path)).st_mode) == mode
    assert stat.S_IMODE(os.stat(os.path.join(folder, "a")).st_mode) == 0o755 & ~umask


@pytest.mark.parametrize("count", [5, 50])
def test_few_and_many_files(folder: str, count: int) -> None:
    """Few are flushed to the disk one by one, many at once."""
    files = {f"{number % 7}/{number}": "x" * number * 1000 for number in range(count)}
    render(folder, files)
    assert contents(folder) == {path: text.encode() for path, text in files.items()}


def test_no_descriptor_stays_open(folder: str) -> None:
    def descriptors() -> set[str]:
        listed = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
        return set(os.listdir(listed))

    before = descriptors()
    render(folder, FILES)
    edited(folder, "README.md")
    refused(folder)
    render(folder, {}, force=True)
    os.symlink("/", os.path.join(folder, "addons"))
    refused(folder)
    with pytest.raises(Refused):
        tree.snapshot(os.path.join(folder, "addons"), FILES)
    assert descriptors() == before


def test_all_errors_of_a_path_that_leads_out(folder: str, tmp_path: Path) -> None:
    fill(str(tmp_path), {"victim": "mine"})
    with pytest.raises(ValueError, match="not the path"):
        render(folder, {"../../victim": "x"})
    with pytest.raises(ValueError, match="not below"):
        tree.snapshot(folder, FILES, trusted_root=folder + "/further")


def test_a_plan_with_conflicts_is_not_carried_out(folder: str) -> None:
    fill(folder, {"README.md": "mine"})
    with pytest.raises(ValueError, match="conflicts"):
        tree.apply(plan.make(FILES, tree.snapshot(folder, FILES)))
    assert contents(folder) == {"README.md": b"mine"}


def test_paths_as_people_give_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, root in (("demo", ""), ("demo/", ""), ("./demo", "."), (str(tmp_path / "demo"), ""), ("demo", "demo")):
        render(folder, FILES, root=root)
        assert contents("demo") == {path: text.encode() for path, text in FILES.items()}
        edited("demo", "README.md")
        with pytest.raises(Refused) as caught:
            render(folder, FILES, root=root)
        assert [problem.file for problem in caught.value.problems] == ["demo/README.md"]
        render(folder, FILES, root=root, force=True)


# --------------------------------------------------------------------------------------------- whose file is it


@pytest.mark.parametrize("to_be", [FILES, {**FILES, "README.md": "new\n"}, {"other": "1"}])
def test_an_edit_stops_the_render(folder: str, to_be: Files) -> None:
    render(folder, FILES)
    edited(folder, "README.md")
    assert conflicts(folder, to_be) == ["README.md: OKG504"]
    render(folder, to_be, force=True)
    assert contents(folder) == {path: text.encode() for path, text in to_be.items()}


def test_an_edit_of_the_same_length_or_to_nothing_is_one(folder: str) -> None:
    render(folder, FILES)
    for text in ("ReAd\n", ""):
        Path(folder, "README.md").write_text(text)
        assert conflicts(folder) == ["README.md: OKG504"]


def test_an_edit_that_says_what_is_rendered_is_none(folder: str) -> None:
    render(folder, FILES)
    fill(folder, {"README.md": "new\n"})
    done = render(folder, {**FILES, "README.md": "new\n"})
    assert not done.update
    assert render(folder, {**FILES, "README.md": "new\n"}).is_empty
    assert render(folder, FILES).update == ("README.md",)


def test_a_file_in_the_way(folder: str) -> None:
    fill(folder, {"README.md": "mine", "addons/a/x.yaml": "x\n", "note": "mine"})
    assert conflicts(folder) == ["README.md: OKG505"]
    done = render(folder, FILES, force=True)
    assert done.update == ("README.md",)
    assert "addons/a/x.yaml" not in done.create
    assert contents(folder) == {**{path: text.encode() for path, text in FILES.items()}, "note": b"mine"}


def test_other_files_are_left_alone(folder: str) -> None:
    render(folder, FILES)
    foreign = {"note": "1", "addons/note": "2", "addons/a/z/note": "3", "mine/x.yaml": "4"}
    fill(folder, foreign)
    os.symlink("/etc", os.path.join(folder, "addons/link"))
    os.mkfifo(os.path.join(folder, "pipe"))
    before = stats(folder)
    assert render(folder, FILES).is_empty
    assert stats(folder) == before
    render(folder, {"README.md": "new\n"})
    assert contents(folder) == {"README.md": b"new\n", **{path: text.encode() for path, text in foreign.items()}}
    assert os.readlink(os.path.join(folder, "addons/link")) == "/etc"
    assert stat.S_ISFIFO(os.stat(os.path.join(folder, "pipe")).st_mode)


def test_index_lost(folder: str) -> None:
    render(folder, {**FILES, "old": "1"})
    os.unlink(os.path.join(folder, index.NAME))
    done = render(folder, FILES)
    assert (done.create, done.update, done.delete, done.unchanged) == ((), (), (), 4)
    assert contents(folder)["old"] == b"1"
    os.unlink(os.path.join(folder, index.NAME))
    assert conflicts(folder, {**FILES, "README.md": "new\n"}) == ["README.md: OKG505"]


def test_index_damaged_or_in_conflict(folder: str) -> None:
    render(folder, FILES)
    whole = Path(folder, index.NAME).read_bytes()
    for data, code in ((whole[:-20], "OKG501"), (b"<<<<<<< HEAD\n" + whole, "OKG502"), (b'{"version": 9}', "OKG503")):
        Path(folder, index.NAME).write_bytes(data)
        (problem,) = refused(folder, force=True)
        assert (problem.code, problem.file) == (code, os.path.relpath(os.path.join(folder, index.NAME)))
        assert Path(folder, index.NAME).read_bytes() == data
    os.unlink(os.path.join(folder, index.NAME))
    render(folder, FILES)
    assert Path(folder, index.NAME).read_bytes() == whole


def test_either_side_of_a_merge_conflict_will_do(folder: str, tmp_path: Path) -> None:
    """Two branches each change a file; Git merges the files, and the index is in conflict."""
    sides = []
    for number, change in enumerate(({"README.md": "ours\n"}, {"argocd/z.yaml": "theirs\n"})):
        render(str(tmp_path / str(number)), FILES | change)
        sides.append((tmp_path / str(number) / index.NAME).read_bytes())
    merged = {**FILES, "README.md": "ours\n", "argocd/z.yaml": "theirs\n"}
    for side in sides:
        fill(folder, merged)
        Path(folder, index.NAME).write_bytes(side)
        assert render(folder, merged).unchanged == 4
        assert render(folder, merged).is_empty


def test_index_of_another_version(folder: str) -> None:
    render(folder, FILES)
    path = Path(folder, index.NAME)
    path.write_text(path.read_text().replace(f'"{__version__}"', '"0.0.1"'))
    todo = plan.make(FILES, tree.snapshot(folder, FILES))
    assert plan.drift(todo) == [(index.NAME, "rendered by okgen 0.0.1")]
    tree.apply(todo)
    assert render(folder, FILES).is_empty


# ------------------------------------------------------------------------------ links, pipes, folders and files


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("path", ["README.md", "addons/a/x.yaml"])
def test_a_link_in_the_place_of_a_file(folder: str, path: str, tmp_path: Path, *, force: bool) -> None:
    fill(str(tmp_path), {"victim": FILES[path]})
    for target in (tmp_path / "victim", tmp_path / "nowhere", tmp_path):
        fill(folder, {})
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        os.symlink(target, os.path.join(folder, path))
        assert conflicts(folder, force=force) == [f"{path}: OKG506"]
        os.unlink(os.path.join(folder, path))
    assert contents(str(tmp_path)) == {"victim": FILES[path].encode()}


def test_a_link_in_the_place_of_a_file_that_is_no_longer_wanted(folder: str, tmp_path: Path) -> None:
    render(folder, FILES)
    os.rename(os.path.join(folder, "README.md"), tmp_path / "victim")
    os.symlink(tmp_path / "victim", os.path.join(folder, "README.md"))
    assert conflicts(folder, {"new": "1"}, force=True) == ["README.md: OKG506"]
    assert (tmp_path / "victim").read_text() == "read\n"


@pytest.mark.parametrize("before", [True, False])
def test_a_link_in_the_place_of_a_folder(folder: str, tmp_path: Path, *, before: bool) -> None:
    if before:
        render(folder, FILES)
        os.rename(os.path.join(folder, "addons"), tmp_path / "elsewhere")
    else:
        fill(folder, {})
        fill(str(tmp_path), {"elsewhere/a/note": "mine"})
    os.symlink(tmp_path / "elsewhere", os.path.join(folder, "addons"))
    elsewhere = contents(str(tmp_path / "elsewhere"))
    assert conflicts(folder, {**FILES, "addons/a/x.yaml": "new"}, force=True) == ["addons: OKG506"]
    if before:
        assert conflicts(folder, {"README.md": "new\n"}, force=True) == ["addons: OKG506"]
    assert contents(str(tmp_path / "elsewhere")) == elsewhere


@pytest.mark.parametrize("link", ["output", "output/demo"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_on_the_way_to_the_folder(tmp_path: Path, link: str, *, there: bool) -> None:
    (tmp_path / "elsewhere" / "demo").mkdir(parents=True)
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / ("elsewhere" if there else "nowhere"))
    (problem,) = refused(str(tmp_path / "output" / "demo"), root=str(tmp_path), force=True)
    assert (problem.code, problem.file) == ("OKG506", os.path.relpath(tmp_path / link))
    assert contents(str(tmp_path / "elsewhere")) == {}


def test_a_link_above_the_trusted_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    render(str(tmp_path / "link" / "output" / "demo"), FILES, root=str(tmp_path / "link"))
    assert len(contents(str(tmp_path / "real" / "output" / "demo"))) == 4
    (tmp_path / "to-demo").symlink_to(tmp_path / "real" / "output" / "demo")
    assert render(str(tmp_path / "to-demo"), FILES, root=str(tmp_path / "to-demo")).is_empty


@pytest.mark.parametrize("on_the_way", ["output", "output/demo"])
def test_a_file_on_the_way_to_the_folder(tmp_path: Path, on_the_way: str) -> None:
    fill(str(tmp_path), {on_the_way: "mine"})
    (problem,) = refused(str(tmp_path / "output" / "demo"), root=str(tmp_path), force=True)
    assert (problem.code, problem.file) == ("OKG507", os.path.relpath(tmp_path / on_the_way))
    assert contents(str(tmp_path)) == {on_the_way: b"mine"}


def test_links_and_files_that_appear_on_the_way_before_the_first_write(tmp_path: Path) -> None:
    folder = str(tmp_path / "output" / "demo")
    todo = plan.make(FILES, tree.snapshot(folder, FILES, trusted_root=str(tmp_path)))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "output").symlink_to("elsewhere")
    with pytest.raises(Refused):
        tree.apply(todo)
    (tmp_path / "output").unlink()
    fill(str(tmp_path), {"output": "mine"})
    with pytest.raises(Refused):
        tree.apply(todo)
    assert contents(str(tmp_path)) == {"output": b"mine"}


@pytest.mark.parametrize("name", [index.NAME, STAGE])
def test_a_link_in_the_place_of_okgens_own(folder: str, tmp_path: Path, name: str) -> None:
    fill(str(tmp_path), {"victim/0": "mine"})
    fill(folder, {})
    os.symlink(tmp_path / "victim", os.path.join(folder, name))
    with pytest.raises((Refused, Unable)):
        render(folder, FILES, force=True)
    assert contents(str(tmp_path / "victim")) == {"0": b"mine"}
    assert os.listdir(folder) == [name]


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_something_else_in_the_place_of_the_index(folder: str, kind: str) -> None:
    fill(folder, {})
    (os.mkdir if kind == "folder" else os.mkfifo)(os.path.join(folder, index.NAME))
    (problem,) = refused(folder, force=True)
    assert problem.code == "OKG507"


def test_pipes_and_sockets_are_no_files_and_nobody_waits_for_them(folder: str) -> None:
    render(folder, FILES)
    os.unlink(os.path.join(folder, "README.md"))
    os.mkfifo(os.path.join(folder, "README.md"))
    os.unlink(os.path.join(folder, "addons/a/x.yaml"))
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(os.path.join(folder, "addons/a"), os.O_RDONLY)
        os.fchdir(here)  # the path of a socket has a limit
        try:
            listener.bind("x.yaml")
        finally:
            os.chdir("/")
            os.close(here)
    assert conflicts(folder, force=True) == ["README.md: OKG507", "addons/a/x.yaml: OKG507"]
    assert conflicts(folder, {"new": "1"}, force=True) == ["README.md: OKG507", "addons/a/x.yaml: OKG507"]


def test_a_pipe_where_a_folder_has_to_be(folder: str) -> None:
    fill(folder, {})
    os.mkfifo(os.path.join(folder, "addons"))
    assert conflicts(folder, force=True) == ["addons: OKG507"]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_where_a_file_has_to_be(folder: str, *, force: bool) -> None:
    fill(folder, {"README.md/note": "mine"})
    assert conflicts(folder, force=force) == ["README.md: OKG507"]
    os.unlink(os.path.join(folder, "README.md/note"))
    assert not render(folder, FILES).conflicts  # it held nothing


def test_a_folder_of_okgens_with_something_else_in_it(folder: str) -> None:
    render(folder, {"a/b/c": "1", "a/d": "1"})
    for foreign in ("a/note", "a/b/note"):
        fill(folder, {foreign: "mine"})
        assert conflicts(folder, {"a": "2"}, force=True) == ["a: OKG507"]
        os.unlink(os.path.join(folder, foreign))
    os.mkdir(os.path.join(folder, "a/b/folder"))
    assert conflicts(folder, {"a": "2"}, force=True) == ["a: OKG507"]
    os.rmdir(os.path.join(folder, "a/b/folder"))
    os.unlink(os.path.join(folder, "a/b/c"))
    os.mkdir(os.path.join(folder, "a/b/c"))
    assert conflicts(folder, {"a": "2"}, force=True) == ["a: OKG507"]
    os.rmdir(os.path.join(folder, "a/b/c"))
    edited(folder, "a/d")
    assert conflicts(folder, {"a": "2"}) == ["a/d: OKG504"]
    render(folder, {"a": "2"}, force=True)
    assert contents(folder) == {"a": b"2"}


@pytest.mark.parametrize("force", [False, True])
def test_a_file_where_a_folder_has_to_be(folder: str, *, force: bool) -> None:
    fill(folder, {"addons": "mine"})
    assert conflicts(folder, force=force) == ["addons: OKG507"]


def test_something_where_a_folder_was_that_is_not_needed_any_more(folder: str) -> None:
    render(folder, FILES)
    os.unlink(os.path.join(folder, "argocd/z.yaml"))
    os.rmdir(os.path.join(folder, "argocd"))
    fill(folder, {"argocd": "mine"})
    render(folder, {"README.md": "read\n"})
    assert contents(folder) == {"README.md": b"read\n", "argocd": b"mine"}
    render(folder, {"x": "1"})
    os.unlink(os.path.join(folder, "x"))
    fill(folder, {"x/note": "mine"})
    render(folder, {"y": "1"})
    assert contents(folder) == {"y": b"1", "argocd": b"mine", "x/note": b"mine"}
