"""Files in, files out: cases/NAME/ is a repository and its rendered tree, errors/NAME.yaml a file and what it gets.

`pytest -m golden --update-golden` rewrites the expected files.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import rendering
import upstream

HERE = Path(__file__).resolve().parent
CASES = sorted(path.parent.name for path in (HERE / "cases").glob("*/cluster.yaml"))
ERRORS = sorted(path.stem for path in (HERE / "errors").glob("*.yaml"))
EXPECTED, SAID = "expected", "expected.txt"

pytestmark = pytest.mark.golden


def inputs(case: str, folder: Path) -> None:
    """Lays a copy of the case's own files into a folder, and the upstream files where it wants them vendored."""
    shutil.copytree(HERE / "cases" / case, folder, ignore=shutil.ignore_patterns(EXPECTED, SAID))
    if vendors(case):
        upstream.vendor(folder / "cluster.yaml", folder)


def vendors(case: str) -> bool:
    """Whether a case wants upstream's files in its repository."""
    return b"crds: vendored" in (HERE / "cases" / case / "cluster.yaml").read_bytes()


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, tmp_path: Path, update_golden: bool) -> None:
    folder = tmp_path / case
    inputs(case, folder)
    before = set(rendering.texts(folder))

    code, out, err = rendering.okgen("render", "cluster.yaml", cwd=folder)

    assert code == 0, f"{out}{err}"
    made = {path: text for path, text in rendering.texts(folder).items() if path not in before}
    compare(made, HERE / "cases" / case / EXPECTED, update_golden)
    compare({SAID: out} if out else {}, HERE / "cases" / case, update_golden, only=SAID)


@pytest.mark.parametrize("case", CASES)
def test_again_writes_nothing(case: str, tmp_path: Path) -> None:
    folder = tmp_path / case
    inputs(case, folder)
    assert rendering.okgen("render", "cluster.yaml", cwd=folder)[0] == 0
    before = {path: path.stat() for path in folder.rglob("*")}

    code, out, err = rendering.okgen("render", "cluster.yaml", "--fail-on-change", cwd=folder)

    assert code == 0, f"{out}{err}"
    after = {path: path.stat() for path in folder.rglob("*")}
    assert {path: (was.st_ino, was.st_mtime_ns) for path, was in before.items()} == {
        path: (now.st_ino, now.st_mtime_ns) for path, now in after.items()
    }


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str, tmp_path: Path, update_golden: bool) -> None:
    shutil.copy(HERE / "errors" / f"{name}.yaml", tmp_path)

    code, out, err = rendering.okgen("render", f"{name}.yaml", cwd=tmp_path)

    said = f"exit {code}\n{out}"
    compare({f"{name}.txt": said}, HERE / "errors", update_golden, only=f"{name}.txt")
    assert "Traceback" not in out + err
    if code:
        assert [path.name for path in tmp_path.iterdir()] == [f"{name}.yaml"]


def compare(made: dict[str, str], folder: Path, update: bool, only: str = "**/*") -> None:
    """Holds what was made against the files of a folder, or rewrites these."""
    if update:
        for path in folder.glob(only):
            if path.is_file() and path.relative_to(folder).as_posix() not in made:
                path.unlink()
        for name, text in made.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode())
    known = {
        path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in folder.glob(only) if path.is_file()
    }
    assert made.keys() == known.keys()
    for name, text in made.items():
        assert text == known[name], f"{name} is not as expected; see --update-golden"
