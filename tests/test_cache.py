"""What is remembered of earlier runs never changes what a run says or writes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

import rendering
import test_cases
import upstream
from okgen import parallel, pipeline
from okgen.cache.memory import Memory
from okgen.read import inputs
from test_fleet import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: any}\nspec: {minReadySeconds: 5}\n"
NAMES = ("a", "b", "c", "d")


@pytest.fixture(autouse=True)
def cache(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache."""
    folder = in_memory / "cache"
    monkeypatch.setenv("OKGEN_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def repository(in_memory: Path) -> Path:
    """Four clusters that are rendered: a is small, b has a patch in a file, c vendored files, d a warning."""
    root = in_memory / "repository"
    (root / ".git").mkdir(parents=True)
    write(root, "a")
    patches = [{"target": {"kind": "Deployment"}, "path": "more.yaml"}]
    write(root, "b", addons={"cert-manager": {"patches": patches}})
    (root / "b/more.yaml").write_text(PATCH, encoding="utf-8")
    upstream.vendor(write(root, "c", gitops={"crds": "vendored"}), root)
    write(root, "d", kubernetesVersion="1.29", addons={"external-secrets": None})
    assert rendering.okgen("render", ".", cwd=root)[0] == 0
    assert known(root) == [*NAMES]
    return root


def known(root: Path, *names: str) -> list[str]:
    """The clusters whose trees are known to be right without rendering, in a run of these or all."""
    with contextlib.chdir(root):
        given = inputs.find(names or ["."])
        alone = len(given) == 1
        memory = Memory.open(None, alone=alone)
        found = pipeline.planning(given, pipeline.Findings(), None, memory, alone=alone)
        return [each.claim.cluster for each in found if each.rendered is None]


def checked(root: Path, *arguments: str) -> tuple[int, str, str]:
    """What a check says, which must be what it says of the same when nothing is remembered."""
    found = rendering.okgen("check", ".", *arguments, cwd=root)
    assert found == rendering.okgen("check", ".", *arguments, "--no-cache", cwd=root)
    return found


def file_of(root: Path, cluster: str = "a") -> Path:
    return root / "output" / cluster / "addons/cert-manager/deployment-cert-manager.yaml"


def comment(root: Path) -> None:
    with (root / "a/cluster.yaml").open("a", encoding="utf-8") as file:
        file.write("# why\n")


def value(root: Path) -> None:
    write(root, "a", profile="development")


def mistake(root: Path) -> None:
    write(root, "a", aws={"region": "eu-wset-1"})


def edit(root: Path) -> None:
    file_of(root).write_text("mine\n", encoding="utf-8")


def edit_of_one_byte(root: Path) -> None:
    """Neither the size nor the time of the file tells of it."""
    place, stat = file_of(root), file_of(root).stat()
    place.write_bytes(place.read_bytes().replace(b"replicas: 2", b"replicas: 3"))
    os.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def file_gone(root: Path) -> None:
    file_of(root).unlink()


def tree_gone(root: Path) -> None:
    shutil.rmtree(root / "output/a")


def link(root: Path) -> None:
    """The bytes behind it are the right ones."""
    file_of(root).rename(root / "moved")
    file_of(root).symlink_to(root / "moved")


def linked_folder(root: Path) -> None:
    file_of(root).parent.rename(root / "moved")
    file_of(root).parent.symlink_to(root / "moved")


def linked_tree(root: Path) -> None:
    (root / "output/a").rename(root / "moved")
    (root / "output/a").symlink_to(root / "moved")


def pipe(root: Path) -> None:
    file_of(root).unlink()
    os.mkfifo(file_of(root))


def index_gone(root: Path) -> None:
    (root / "output/a" / rendering.INDEX).unlink()


def index_damaged(root: Path) -> None:
    (root / "output/a" / rendering.INDEX).write_text("{", encoding="utf-8")


def index_without_a_file(root: Path) -> None:
    """The file is there, and belongs to somebody else now."""
    place = root / "output/a" / rendering.INDEX
    lines = place.read_text(encoding="utf-8").splitlines(keepends=True)
    place.write_text("".join(line for line in lines if "deployment-cert-manager.yaml" not in line), encoding="utf-8")


def other_version(root: Path) -> None:
    place = root / "output/a" / rendering.INDEX
    index = json.loads(place.read_text(encoding="utf-8")) | {"okgen": "0.0.1"}
    place.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def stage_left(root: Path) -> None:
    (root / "output/a/.okgen.tmp").mkdir()
    (root / "output/a/.okgen.tmp/1").touch()


def patch(root: Path) -> None:
    (root / "b/more.yaml").write_text(PATCH.replace("5", "6"), encoding="utf-8")


def patch_gone(root: Path) -> None:
    (root / "b/more.yaml").unlink()


def patch_linked(root: Path) -> None:
    (root / "b/more.yaml").rename(root / "b/other.yaml")
    (root / "b/more.yaml").symlink_to("other.yaml")


def vendored(root: Path) -> None:
    files = [each for each in (root / "output/_vendor").rglob("*") if each.is_file()]
    place = next(each for each in files if each.name != "kustomization.yaml")
    place.write_bytes(place.read_bytes() + b"# mine\n")


def vendored_gone(root: Path) -> None:
    shutil.rmtree(root / "output/_vendor")


def at_odds(root: Path) -> None:
    """One cluster says now what another, which is as it was, says as well."""
    write(root, "a", aws={"clusterName": "b"})


def one_folder(root: Path) -> None:
    write(root, "e", metadata={"name": "a"})


def one_folder_before(root: Path) -> None:
    write(root, "0", metadata={"name": "d"})


def inside(root: Path) -> None:
    write(root, "e", gitops={"path": "output/b"})


def orphan(root: Path) -> None:
    (root / "d/cluster.yaml").unlink()


def excused(root: Path) -> None:
    """An error between two clusters that are as they were is none any more."""
    at_odds(root)
    rendering.okgen("render", "a", cwd=root)
    rule = "rules:\n  OKG330:\n    reason: one of them is on its way out\n    until: 2100-01-31\n"
    (root / "okgen.yaml").write_text(rule, encoding="utf-8")


def foreign(root: Path) -> None:
    (root / "output/a/notes.txt").write_text("mine\n", encoding="utf-8")


def marked(root: Path) -> None:
    place = root / "a/cluster.yaml"
    place.write_bytes(b"\xef\xbb\xbf" + place.read_bytes())


SAME = (comment, excused, foreign, marked, stage_left)
OTHER = (
    *(value, mistake, edit, edit_of_one_byte, file_gone, tree_gone, link, linked_folder, linked_tree, pipe, index_gone),
    *(index_damaged, index_without_a_file, other_version, patch, patch_gone, patch_linked, vendored),
    *(vendored_gone, at_odds, one_folder, one_folder_before, inside, orphan),
)


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("change", [*SAME, *OTHER])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # pytest-xdist has threads, okgen has none
def test_a_check_says_what_it_says_without(
    repository: Path, change: Callable[[Path], None], processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "LEAST", 2)
    monkeypatch.setattr(parallel, "_processors", lambda: processes)
    change(repository)

    said = checked(repository)

    assert said[0] == (change in OTHER), said
    assert checked(repository, "--format", "json", "--diff")[0] == said[0]
    assert checked(repository) == said


@pytest.mark.parametrize("change", [*SAME, *OTHER])
def test_a_render_writes_what_it_writes_without(repository: Path, change: Callable[[Path], None]) -> None:
    change(repository)
    twin = repository.parent / "twin"
    shutil.copytree(repository, twin, symlinks=True, copy_function=_copy)

    said = rendering.okgen("render", ".", cwd=repository)

    assert said == rendering.okgen("render", ".", "--no-cache", cwd=twin)
    assert _tree(repository) == _tree(twin)


def _copy(source: str, target: str) -> None:
    if os.path.isfile(source):
        shutil.copy2(source, target, follow_symlinks=False)
    else:
        os.mkfifo(target)


def _tree(root: Path) -> dict[str, bytes | str]:
    return {
        path.relative_to(root).as_posix(): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("case", test_cases.CASES)
def test_every_golden_case_is_known_again(case: str, in_memory: Path) -> None:
    """With its warnings, whatever it has of patches and vendored files, by itself and in a fleet."""
    root = in_memory / "repository"
    (root / ".git").mkdir(parents=True)
    test_cases.inputs(case, root / "first")
    if test_cases.vendors(case):
        upstream.vendor(root / "first/cluster.yaml", root)
    write(root, "second", metadata={"name": "the-second"}, aws={"accountId": "210987654321"})
    assert rendering.okgen("render", ".", cwd=root)[0] == 0

    assert len(known(root)) == 2
    assert len(known(root, "first")) == 1
    for form in ("full", "sarif", "junit", "github"):
        assert checked(root, "--format", form)[0] == 0


def test_what_is_known_from_a_check(repository: Path, cache: Path) -> None:
    """Or from a run by several processes, or of another folder, or with another --output."""
    shutil.rmtree(cache)
    assert known(repository) == []

    assert rendering.okgen("check", ".", cwd=repository)[0] == 0

    assert known(repository) == [*NAMES]
    assert known(repository / "a", "cluster.yaml") == []
    assert rendering.okgen("check", cwd=repository / "a")[0] == 0
    assert known(repository / "a", "cluster.yaml") == ["a"]
    assert known(repository) == [*NAMES]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_what_helpers_learn_is_known(repository: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(cache)
    monkeypatch.setattr(parallel, "LEAST", 2)
    monkeypatch.setattr(parallel, "_processors", lambda: 2)

    assert rendering.okgen("check", ".", cwd=repository)[0] == 0

    assert known(repository) == [*NAMES]


def test_another_output_is_another_tree(repository: Path) -> None:
    for command, lines in (("check", ["elsewhere/a: not rendered yet"]), ("render", []), ("check", [])):
        code, out, _ = rendering.okgen(command, "a", "--output", "elsewhere", cwd=repository)
        assert (code, out.splitlines()) == (len(lines), lines)


def test_a_cluster_by_itself_is_not_enough_for_a_fleet(repository: Path) -> None:
    comment(repository)
    assert rendering.okgen("check", "a", cwd=repository)[0] == 0
    assert known(repository, "a") == ["a"]

    assert known(repository) == ["b", "c", "d"]
    assert rendering.okgen("check", ".", cwd=repository)[0] == 0
    assert known(repository) == [*NAMES]


def test_no_cache_neither_reads_nor_writes(repository: Path, cache: Path) -> None:
    value(repository)
    before = contents(cache)

    assert rendering.okgen("render", ".", "--no-cache", cwd=repository)[0] == 0

    assert contents(cache) == before
    shutil.rmtree(cache)
    assert rendering.okgen("check", ".", "--no-cache", cwd=repository)[0] == 0
    assert not cache.exists()


def test_clusters_that_are_gone_are_forgotten(repository: Path, cache: Path) -> None:
    for name in "bcd":
        shutil.rmtree(repository / name)
    size = sum(map(len, contents(cache).values()))
    comment(repository)

    assert rendering.okgen("render", "a", cwd=repository)[0] == 0

    assert sum(map(len, contents(cache).values())) < size / 2


def test_a_mistake_is_not_remembered(repository: Path) -> None:
    mistake(repository)
    for _ in range(2):
        code, out, _ = rendering.okgen("check", ".", "--format", "concise", cwd=repository)
        assert code == 1
        assert out.startswith("a/cluster.yaml:8:11: OKG304")


def test_nor_is_one_that_is_mended_elsewhere(repository: Path) -> None:
    kept = repository.parent / "kept"
    (repository / "output/_vendor").rename(kept)
    assert checked(repository)[0] == 1

    kept.rename(repository / "output/_vendor")

    assert checked(repository)[0] == 0


@pytest.mark.parametrize("seed", range(8))
def test_any_bytes_of_a_cache_do_no_harm(repository: Path, cache: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    (place,) = cache.iterdir()
    data = bytearray(place.read_bytes())
    at = chance.randrange(len(data))
    place.write_bytes([data[:at], data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]][seed % 2])

    assert known(repository) == []
    edit(repository)
    assert checked(repository)[0] == 1


@pytest.mark.parametrize("way", ["inside", "link", "of a link"])
def test_a_repository_does_not_bring_its_own_cache(
    repository: Path, cache: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = repository / ".cache"
    if way == "inside":
        shutil.move(cache, place)
    elif way == "link":
        place.symlink_to(cache)
    else:
        shutil.move(cache, place)
        cache.symlink_to(place)
    monkeypatch.setenv("OKGEN_CACHE_DIR", str(cache if way == "of a link" else place))
    before = contents(place)

    assert known(repository) == []
    assert rendering.okgen("check", ".", cwd=repository)[0] == 0
    assert contents(place) == before


def test_nor_does_one_that_is_reached_by_a_link(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKGEN_CACHE_DIR", str(repository / ".cache"))
    other = repository.parent / "other"
    other.symlink_to(repository)

    for _ in range(2):
        assert rendering.okgen("check", f"{other}/a", cwd=repository.parent)[0] == 0
        assert list((repository / ".cache").iterdir()) == []


def test_clusters_outside_of_any_repository_share_a_file(in_memory: Path, cache: Path) -> None:
    folder = in_memory / "plain"
    for name in NAMES:
        write(folder, name)
    assert rendering.okgen("render", ".", "--output", "out", cwd=folder)[0] == 0
    assert len(contents(cache)) == 1
    code, _, err = rendering.okgen("check", ".", "--output", "out", cwd=folder)
    assert (code, err) == (0, "4 clusters are up to date\n")


def test_any_edits_in_a_row(repository: Path) -> None:
    """Inputs and trees are changed and put back at random, rendered and checked in between."""
    chance = random.Random(2026)  # noqa: S311 - nothing secret
    originals = contents_below(repository)
    for _ in range(60):
        path = chance.choice(sorted(originals))
        data = bytearray(originals[path])
        if chance.random() < 0.7:
            at = chance.randrange(len(data))
            data[at : at + 1] = chance.choice([b"", b"x", b"1", b"\n", bytes([data[at] ^ 1])])
        (repository / path).write_bytes(data)
        checked(repository)
        if chance.random() < 0.2:
            rendering.okgen("render", ".", "--force", cwd=repository)
            checked(repository)
            originals = contents_below(repository)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def contents_below(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
