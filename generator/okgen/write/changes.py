"""Carries plans out.

Whatever moment a run is killed at, the next one completes each tree, be it from another cluster.yaml. A cluster without
a folder gets a whole one in a single step (``creation``); where a folder is, it is changed like this (``update``):

1. All new files are written beside the index, into a stage, and flushed to the disk. Up to here nothing has changed.
2. The index is replaced by one that lists the bytes in place and, as pending, those to come.
3. Files are deleted, and the new ones moved into their places, each in one step.
4. The index is replaced by the final one.

When the power fails, the same states are left: file systems keep the order of moves (ext4, XFS, Btrfs, APFS), and no
file moves before its bytes are on the disk. What was moved last may be gone then; it is rendered again.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from okgen.write.creation import Creation
from okgen.write.folders import naming
from okgen.write.stage import flush_all
from okgen.write.update import Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.write.plan import Plan

_TOGETHER = 32  # two or three descriptors stay open for each
_FEW = 8  # files that are rather flushed one by one than with all that others have written


def carry_out(plans: Iterable[Plan]) -> Iterator[Plan]:
    """Each plan when it is done. Raises Unable, and ValueError for a plan with conflicts."""
    waiting = iter(plans)
    while batch := list(islice(waiting, _TOGETHER)):
        yield from _together(batch)


def _together(batch: list[Plan]) -> Iterator[Plan]:
    if any(plan.conflicts for plan in batch):
        raise ValueError("a plan with conflicts cannot be carried out")
    flush = flush_all() if sum(len(plan.files) for plan in batch) > _FEW else None
    begun: dict[int, Creation | Update] = {}
    try:
        for number, plan in enumerate(batch):
            if not plan.is_empty:
                change = begun[number] = Creation(plan) if Creation.suits(plan) else Update(plan)
                change.prepare(sync=flush is None)
        if flush is not None:
            for change in _one_per_disk(begun.values()):
                with naming("write", change.folder):
                    flush(change.descriptor)
        for number, plan in enumerate(batch):
            if number in begun:
                begun[number].finish()
                begun.pop(number).close()
            yield plan
    finally:
        _close(list(begun.values()))


def _one_per_disk(changes: Iterable[Creation | Update]) -> list[Creation | Update]:
    return list({os.fstat(change.descriptor).st_dev: change for change in changes}.values())


def _close(changes: list[Creation | Update]) -> None:
    """Undoes what was prepared, all of it, whatever fails."""
    if changes:
        try:
            changes[0].close()
        finally:
            _close(changes[1:])
