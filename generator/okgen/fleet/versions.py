"""Versions of add-ons across a fleet: who lags behind, and what reached production before development."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from okgen.fleet.facts import Facts, Running
    from okgen.problem import Problem

_DEVELOPMENT = "development"
_SHOWN = 3  # further clusters that are named


class _Run(NamedTuple):
    """An add-on as it runs in a cluster."""

    facts: Facts
    running: Running


@cache
def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that compare: ``1.21.1`` is ``(1, 21, 1)``; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def find(fleet: Sequence[Facts]) -> Iterator[Problem]:
    """Warnings about versions."""
    by_addon: dict[str, list[_Run]] = {}
    for facts in fleet:
        for running in facts.running:
            by_addon.setdefault(running.addon, []).append(_Run(facts, running))
    has_development = any(facts.profile == _DEVELOPMENT for facts in fleet)
    for runs in by_addon.values():
        yield from _behind(runs)
        if has_development:
            yield from _ahead(runs)


def _behind(runs: Sequence[_Run]) -> Iterator[Problem]:
    """Clusters more than a minor version behind the one in the middle, counted from the oldest to the newest."""
    usual = sorted(runs, key=lambda run: numbers(run.running.version))[len(runs) // 2].running.version
    first = next(run for run in runs if run.running.version == usual)
    for facts, running in runs:
        major, minor, *_ = (*numbers(running.version), 0)
        if (major, minor + 1) < numbers(usual)[:2]:
            message = f"{running.addon} {running.version} is behind the rest of the fleet, which is at {usual}"
            there = first.facts.related(first.running.spot, f"{running.addon} {usual}")
            yield facts.problem("OKG335", running.spot, message, _way_on(facts, running), (there,), severity="warning")


def _way_on(facts: Facts, running: Running) -> str:
    if running.newest == running.version:
        return f"okgen has no newer one for Kubernetes 1.{facts.minor}: upgrade the cluster first"
    return f"version {running.newest} runs on its Kubernetes 1.{facts.minor}"


def _ahead(runs: Sequence[_Run]) -> Iterator[Problem]:
    """Each version that runs in production and not in development, once, in the first file."""
    tried: dict[str, _Run] = {}
    live: dict[str, list[_Run]] = {}
    for run in runs:
        version = run.running.version
        if run.facts.profile == _DEVELOPMENT:
            tried.setdefault(version, run)
        else:
            live.setdefault(version, []).append(run)
    for version, (first, *others) in live.items():
        if version not in tried:
            addon = first.running.addon
            more = f" and {len(others)} more" if others else ""
            message = (
                f"{addon} {version} runs in production, in {first.facts.name}{more}, and in no development cluster"
            )
            near = [*list(tried.values())[:1], *others[:_SHOWN]]
            places = tuple(run.facts.related(run.running.spot, f"{addon} {run.running.version}") for run in near)
            help_text = (
                f"development has {', '.join(sorted(tried, key=numbers))}: try {version} there first"
                if tried
                else f"no development cluster has {addon}: turn it on in one"
            )
            yield first.facts.problem("OKG336", first.running.spot, message, help_text, places, severity="warning")
