"""Which Git repository a folder belongs to, told from the files alone: no Git is needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = "okgen.yaml"  # at the root of a repository: what holds for all its clusters


def root_of(folder: str) -> str | None:
    """The nearest folder at or above an absolute one that holds ``.git`` (a folder, or a file in a worktree)."""
    return next((each for each in (folder, *above(folder)) if os.path.lexists(os.path.join(each, ".git"))), None)


def above(path: str) -> Iterator[str]:
    """The folders that an absolute path lies in, the nearest first."""
    while (parent := os.path.dirname(path)) != path:
        yield parent
        path = parent


def named_from_root(file: str) -> str | None:
    """A file, named relative to the current folder, as its repository names it; None for one outside.

    Outside any repository the current folder takes the root's place.
    """
    here = os.getcwd()
    name = os.path.relpath(os.path.join(here, file), root_of(here) or here)
    return None if name == os.pardir or name.startswith(os.pardir + os.sep) else name
