"""Real Git repositories for the tests."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from rendering import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

WHO = {
    f"GIT_{role}_{part}": f"tester{at}"
    for role in ("AUTHOR", "COMMITTER")
    for part, at in (("NAME", ""), ("EMAIL", "@example.com"))
}


def environment(**more: str) -> dict[str, str]:
    """The caller's environment without its Git settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return own | WHO | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull} | more


def git(folder: Path, *arguments: str) -> str:
    """What Git prints, of a command that must succeed."""
    run = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"git {' '.join(arguments)}\n{run.stdout}{run.stderr}"
    return run.stdout


def init(folder: Path) -> Path:
    """An empty repository, in a folder that is made for it."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit_all(folder: Path, message: str = "all") -> str:
    """Everything in the folder committed; the revision."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "--message", message)
    return git(folder, "rev-parse", "HEAD").strip()


PARTS = (
    ".pre-commit-hooks.yaml",
    "action.yml",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "generator",
    "schemas",
    "overlays",
)


def copy_of_checkout(folder: Path) -> str:
    """What one installs okgen from, as the files of this checkout are now, in a repository; its revision."""
    init(folder)
    listed = git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PARTS)
    for name in filter(None, listed.split("\0")):
        here = REPOSITORY / name
        if here.exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(here.read_bytes())
    return commit_all(folder)
