"""The programs of a run, built beforehand by tests/tools/build.py: inside, there is no network to build from."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import rendering
from tools import build as toolchain

if TYPE_CHECKING:
    from pathlib import Path


# For programs in Go that make much garbage: they collect it less often than by default.
MEMORY_FOR_TIME = {"GOGC": "400"}


@functools.cache
def path(name: str) -> str:
    """The path of a program. A missing one skips the test, or fails it under `make e2e`, which has built all."""
    return str(_place(name))


def data(name: str) -> Path:
    """The folder of what was taken from a program's module besides: ``crds``."""
    return _place(name).parent / "data"


def _place(name: str) -> Path:
    found = toolchain.find(name)
    if found is None and os.environ.get("OKGEN_BUILD_TOOLS"):
        raise AssertionError(f"{name} is not in {toolchain.cache()}: python tests/tools/build.py {name}")
    if found is None:
        rendering.unavailable(f"{name} is not built", f"make e2e, or python tests/tools/build.py {name}")
    return found
