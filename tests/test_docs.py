"""The documentation: generated pages are up to date, links lead somewhere, what the README shows is what okgen does."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

import pytest

import rendering
from okgen.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

ROOT = rendering.REPOSITORY
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    pages: dict[str, str] = generator().pages()
    stale = [path for path, text in pages.items() if not _is(ROOT / "docs" / path, text)]
    assert stale == [], "run make docs"
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs" / "reference").rglob("*.md")}
    made = {path for path in pages if path.startswith("reference/")}
    assert there == made, "a page of something that is gone"


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_anchors_are_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        other = (page.parent / target) if target else page
        headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in {_slug(heading) for heading in headings}, f"{page.name}: {target}#{anchor}"


def _slug(heading: str) -> str:
    """The anchor that Git hosts make of a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower().replace("`", "")).replace(" ", "-")


def test_the_readme_names_every_command_that_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"okgen ([a-z]+)", "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL))))
    names = {command.name for command in COMMANDS}
    assert named == names


def test_the_readmes_cluster_renders_and_its_errors_are_real(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (cluster,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    result = rendering.rendered(tmp_path / "good", cluster)
    (listing,) = re.findall(r"```\n(output/.*?)```", text, flags=re.DOTALL)
    for name in re.findall(r"^  (\S+)", listing, flags=re.MULTILINE):
        assert any(path.startswith(name) for path in result.tree), name
    (shown,) = re.findall(r"```\n(OKG.*?)```", text, flags=re.DOTALL)
    mistaken = cluster.replace('kubernetesVersion: "1.36"', "kubernetesVersion: 1.30")
    assert "expected a string, found the number 1.30" in rendering.render(tmp_path / "bad", mistaken).out
    assert 'write "1.30"' in shown
