"""Hosted zones across a fleet: which of them are one, and whether the clusters describe it alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from okgen.fleet.facts import Facts, Spot, Zone
    from okgen.problem import Problem

_Named = tuple[str, bool, str]  # account, whether it is private, name


class _Seen(NamedTuple):
    """A zone in the file of a cluster."""

    facts: Facts
    zone: Zone
    spot: Spot

    @property
    def kind(self) -> str:
        """The kind as people say it."""
        return "private" if self.zone.private else "public"


def ids(fleet: Sequence[Facts]) -> dict[_Named, str]:
    """The id of each zone that some cluster of its account gives, where all that do give the same."""
    given: dict[_Named, set[str]] = {}
    for facts in fleet:
        for zone, _ in facts.zones:
            if zone.id:
                given.setdefault((facts.account, zone.private, zone.name), set()).add(zone.id)
    return {named: found.pop() for named, found in given.items() if len(found) == 1}


def key(zone: Zone, account: str, known: Mapping[_Named, str]) -> str:
    """What two zones of an account have in common exactly when they are one; ``known`` is what ``ids`` found."""
    named = (account, zone.private, zone.name)
    return zone.id or known.get(named) or " ".join(map(str, named))


def find(fleet: Sequence[Facts]) -> Iterator[Problem]:
    """Zones that two clusters describe in ways that exclude one another, each once a cluster."""
    by_id: dict[str, _Seen] = {}
    for facts in fleet:
        for zone, spot in facts.zones:
            here = _Seen(facts, zone, spot)
            there = by_id.setdefault(zone.id, here) if zone.id else here
            if there.zone != zone and there.facts is not facts:
                yield _contradiction(here, there)
    yield from _both_kinds(fleet)


def _contradiction(here: _Seen, there: _Seen) -> Problem:
    other = there.facts
    if here.zone.private != there.zone.private:
        message = f"zone {here.zone.id} is {here.kind} here and {there.kind} for cluster {other.name}"
    else:
        message = f"zone {here.zone.id} is {here.zone.name} here and {there.zone.name} for cluster {other.name}"
    help_text = f"aws route53 get-hosted-zone --id {here.zone.id} prints what it is"
    return here.facts.problem("OKG334", here.spot, message, help_text, (other.related(there.spot, "zone"),))


def _both_kinds(fleet: Sequence[Facts]) -> Iterator[Problem]:
    """One name for a private and a public zone: two zones for certain where both have ids, or one cluster has both."""
    found: dict[tuple[str, str], dict[bool, _Seen]] = {}
    certain: set[tuple[str, str]] = set()
    for facts in fleet:
        own: dict[tuple[str, str], bool] = {}
        for zone, spot in facts.zones:
            named = (facts.account, zone.name)
            kinds = found.setdefault(named, {})
            if zone.private not in kinds or (zone.id and not kinds[zone.private].zone.id):
                kinds[zone.private] = _Seen(facts, zone, spot)
            if own.setdefault(named, zone.private) != zone.private:
                certain.add(named)
    for named, kinds in found.items():
        if {*kinds} == {True, False} and named not in certain and not all(seen.zone.id for seen in kinds.values()):
            yield _doubt(*sorted(kinds.values(), key=lambda seen: seen.facts.file))


def _doubt(there: _Seen, here: _Seen) -> Problem:
    other = there.facts
    message = f"zone {here.zone.name} is {here.kind} here and {there.kind} for cluster {other.name}"
    help_text = "right where they are two zones: give the id of both, and this is not said again"
    related = (other.related(there.spot, "zone"),)
    return here.facts.problem("OKG334", here.spot, message, help_text, related, severity="warning")
