"""Measures programs side by side: processor time with all children, and peak memory."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Cost(NamedTuple):
    """Processor time in seconds and resident memory in MiB of a program's runs, and how long one waits for it."""

    seconds: float
    memory: float
    wall: float = 0


class Side(NamedTuple):
    """A program to measure; ``before`` puts the disk into the state it starts from, ``times`` it counts.

    ``codes``: what it may exit with; ``alone``: whether it gets one processor only.
    """

    call: list[str]
    before: Callable[[], object] = lambda: None
    times: int = 1
    codes: tuple[int, ...] = (0,)
    alone: bool = False


def once(side: Side) -> Cost:
    """Processor time of one run with all its children.

    The memory counts from the fork on, so this process must stay smaller than what it measures: it imports little.
    """
    side.before()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        if side.alone and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execvp(side.call[0], side.call)  # noqa: S606 - the programs are named in this file
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in side.codes:
        sys.exit(f"status {status} of: {' '.join(side.call)}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    wall = time.monotonic() - start
    return Cost((usage.ru_utime + usage.ru_stime) * side.times, usage.ru_maxrss / unit, wall)


def together(runs: int, *sides: Side, pick: Callable[[list[float]], float] = min) -> list[Cost]:
    """The cost of each, taking turns; a first round that is not counted warms the disk's cache."""
    rounds = [[once(side) for side in sides] for _ in range(runs + 1)][1:]
    return [Cost(pick([c.seconds for c in each]), max(c.memory for c in each)) for each in zip(*rounds, strict=True)]


def median(values: list[float]) -> float:
    """For what costs another amount each time by its nature, as the search for prime numbers does."""
    return sorted(values)[len(values) // 2]


class Row(NamedTuple):
    """One line of the table; ``value`` is a ratio or MiB, and less is better. Without ``must`` it is for comparison."""

    name: str
    value: float
    must: float | None
    stretch: float | None
    note: str = ""

    def __str__(self) -> str:
        if self.must is None or self.stretch is None:
            return f"{self.name:62} {self.value:8.3f} {'':25} {self.note}"
        verdict = "stretch" if self.value <= self.stretch else "must" if self.value <= self.must else "MISSED"
        return f"{self.name:62} {self.value:8.3f} {self.must:7.3f} {self.stretch:7.3f}  {verdict:8} {self.note}"


def ratio(name: str, ours: Cost, theirs: Cost, must: float | None = None, stretch: float | None = None) -> Row:
    """The row of two costs measured side by side."""
    note = f"{ours.seconds * 1000:.1f} / {theirs.seconds * 1000:.1f} ms"
    return Row(name, ours.seconds / theirs.seconds, must, stretch, note)
