"""Renders many clusters in two passes: all are planned first, and written only when nothing is wrong with any."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from okgen import pipeline
from okgen.problem import Unable
from okgen.text import harmless
from okgen.write import plan, tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from okgen.orphans import Orphans
    from okgen.pipeline import Findings, Knowledge, Planned
    from okgen.read.inputs import Input
    from okgen.write.plan import Plan

# Bytes that plans may hold between the two passes; a new cluster needs some 90 kB. What is above is planned once more,
# so that memory does not grow with the number of clusters.
MOST_KEPT = 16 * 1024 * 1024


class Job(NamedTuple):
    """What is to be done for one input; ``plan`` is None where there was no room to keep it.

    ``remarks``: what the render leaves for people to do.
    """

    input: Input
    name: str
    remarks: list[str]
    plan: Plan | None


def planned(  # noqa: PLR0913 - what there is to say of a run
    inputs: Iterable[Input],
    findings: Findings,
    output: str | None,
    knowledge: Knowledge | None = None,
    *,
    alone: bool = False,
    force: bool,
    orphans: Orphans | None = None,
) -> list[Job]:
    """The first pass; what is wrong, conflicts included, goes into ``findings``. Raises Unable, TemplateError.

    ``knowledge`` and ``alone``: as for ``pipeline.planning``. ``orphans`` is told of every cluster.
    """
    jobs: list[Job] = []
    room = MOST_KEPT
    last: Mapping[str, bytes] = {}
    for each in pipeline.planning(inputs, findings, output, knowledge, alone=alone, force=force):
        found = each.plan
        findings.add(plan.problems(found))
        if orphans is not None:
            orphans.add(each.input, found.folder)
        room -= _size(found, last)
        last = found.files
        kept = _kept(found, is_room=room >= 0 and not findings.are_errors)
        remarks = _remarks(each)
        jobs.append(Job(each.input, each.claim.cluster, remarks, kept))
    return jobs


def written(jobs: list[Job], output: str | None, *, force: bool) -> Iterator[tuple[Job, Plan]]:
    """The second pass: each job with its plan, which is carried out by then. Raises Unable, TemplateError."""
    again = _planned_again([job for job in jobs if job.plan is None], output, force=force)
    plans = (job.plan or next(again) for job in jobs)
    yield from zip(jobs, tree.apply_all(plans), strict=True)


def _remarks(each: Planned) -> list[str]:
    if each.rendered is None or each.plan.is_empty:
        return []
    from okgen.notes import notes

    return notes(each.rendered, each.plan)


def _kept(found: Plan, *, is_room: bool) -> Plan | None:
    """What is kept of a plan until the second pass, which is not reached when there are errors."""
    if found.is_empty:
        return found._replace(recorded=None)
    return found if is_room else None


def _planned_again(jobs: list[Job], output: str | None, *, force: bool) -> Iterator[Plan]:
    plans = pipeline.planning([job.input for job in jobs], pipeline.Findings(), output, alone=True, force=force)
    for job in jobs:
        each = next(plans, None)
        if each is None or each.plan.conflicts or (each.input, each.claim.cluster) != (job.input, job.name):
            raise Unable(f"{harmless(job.input.file)} or its tree changed while okgen was at work: run it again")
        yield each.plan


def _size(found: Plan, last: Mapping[str, bytes]) -> int:
    """The bytes a plan holds on to; what it shares with the one before it counts nothing."""
    if found.is_empty:
        return 0
    own = sum(len(data) for path, data in found.files.items() if data is not last.get(path))
    return own + sum(len(data) for data in (found.recorded, found.pending, found.final) if data)
