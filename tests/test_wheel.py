"""The built wheel, installed in a clean virtual environment without the sources, renders what the checkout renders."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import rendering
import test_cases


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves nothing in the checkout."""
    pytest.importorskip("build", reason="NOT TESTED: the wheel. To test it: pip install --group test")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    names = ("pyproject.toml", "README.md", "LICENSE", "generator", "schemas", "overlays")
    source.mkdir()
    for name in names:
        here = rendering.REPOSITORY / name
        if here.is_dir():
            shutil.copytree(here, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif here.exists():
            shutil.copy(here, source)
    call = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(source)]
    run = subprocess.run(call, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and its dependencies, as pip puts them there."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", str(wheel)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return folder / "bin"


def test_holds_the_three_folders(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("okgen/")}
    expected = {
        f"okgen/{path.relative_to(rendering.REPOSITORY / top).as_posix()}"
        for top, folder in (("generator/okgen", ""), ("", "schemas"), ("", "overlays"))
        for path in (rendering.REPOSITORY / top / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert held == expected
    assert "okgen/py.typed" in held


def call(program: Path, *arguments: str, cwd: Path) -> str:
    # -I keeps PYTHONPATH and the current folder out: only what is installed can be imported.
    run = subprocess.run([str(program), *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("case", ["full", "legacy-pair"])
def test_renders_a_case(case: str, installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / case
    test_cases.inputs(case, folder)
    before = set(rendering.texts(folder))

    call(installed / "okgen", "render", "cluster.yaml", cwd=folder)

    made = {path: text for path, text in rendering.texts(folder).items() if path not in before}
    assert made == rendering.texts(test_cases.HERE / "cases" / case / test_cases.EXPECTED)


def test_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = call(installed / "python", "-I", "-c", "import okgen; print(okgen.__file__)", cwd=tmp_path)

    assert Path(where.strip()).is_relative_to(installed.parent)


def test_runs_where_it_cannot_write(installed: Path, tmp_path: Path) -> None:
    """As in a container image: files in the way of its caches are left alone. Root may write into any folder."""
    package = next(installed.parent.glob("lib/python3*/site-packages/okgen"))
    for folder in [path for path in package.rglob("*") if path.is_dir() and path.name != "__pycache__"]:
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        (folder / "__pycache__").write_text("in the way\n", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in package.rglob("*")}
    test_cases.inputs("minimal", tmp_path / "minimal")

    call(installed / "okgen", "render", "cluster.yaml", cwd=tmp_path / "minimal")

    assert {path: path.stat().st_mtime_ns for path in package.rglob("*")} == before
