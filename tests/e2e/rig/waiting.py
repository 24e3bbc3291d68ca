"""Waiting for what other processes do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


def until(what: str, probe: Callable[[], Found], within: float = 90.0, pause: float = 0.2) -> Found:
    """Asks until the answer is true, and gives it. ``within`` and ``pause`` are seconds; a loaded machine is slow.

    Raises AssertionError, with the last answer or exception seen.
    """
    end = time.monotonic() + within
    while True:
        last: object
        try:
            if answer := probe():
                return answer
            last = answer
        except (OSError, LookupError, AssertionError) as problem:
            last = problem
        if time.monotonic() > end:
            raise AssertionError(f"not within {within:.0f} s: {what}; last seen: {last!r}")
        time.sleep(pause)


def latest(probe: Callable[[], Found], enough: Callable[[Found], bool], within: float, pause: float = 0.2) -> Found:
    """Asks until the answer is enough, or the time is over, and gives the last one."""
    end = time.monotonic() + within
    while not enough(answer := probe()) and time.monotonic() < end:
        time.sleep(pause)
    return answer
