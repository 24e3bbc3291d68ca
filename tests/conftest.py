"""Options and order of the whole test run: cheap tests first, those that need built programs last."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples in every run; OKGEN_EXPLORE=1 looks for new ones, and for longer.
settings.register_profile("same", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("explore", deadline=None, max_examples=3000)
settings.load_profile("explore" if os.environ.get("OKGEN_EXPLORE") else "same")

# Files whose tests run other programs: marked `tools`, and last in the run, in this order.
TOOLS = ("test_wheel", "test_pre_commit", "test_action", "test_kustomize", "test_kubeconform", "test_parity")


# A shell that starts the run in the background has it ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


# The tests expect what okgen says by itself, wherever they run.
os.environ.pop("GITHUB_ACTIONS", None)
# Nor does it count what earlier runs have found, but where that is the subject (tests/test_cache*.py).
os.environ["OKGEN_CACHE_DIR"] = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected files from what okgen does now")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        places = [place for place, name in enumerate(TOOLS, 2) if item.path.stem.startswith(name)]
        return places[0] if places else int(item.get_closest_marker("tools") is not None)

    items.sort(key=rank)
    for item in items:
        if rank(item):
            item.add_marker("tools")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Stops tracing for tests with `no_cover`: in a worker of pytest-xdist, pytest-cov starts two and stops one."""
    tracer = sys.gettrace() if item.get_closest_marker("no_cover") else None
    if tracer is None:
        return (yield)
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # what is there by now stays; collections need not look at it again


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """An empty folder that costs no disk: flushing to one is most of the time of a test that writes again and again."""
    with tempfile.TemporaryDirectory(dir=memory.folder() or tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether this run rewrites expected files instead of comparing with them."""
    return bool(request.config.getoption("--update-golden"))
