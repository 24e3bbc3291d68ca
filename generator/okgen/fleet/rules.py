"""Rules that only a fleet can see: what clusters claim from one another. Looked up by key, never in pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from okgen.fleet import versions as fleet_versions
from okgen.fleet import zones as fleet_zones

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from okgen.fleet.facts import Claim, Facts
    from okgen.problem import Path, Problem

_Scope = tuple[str, ...]  # where two claims meet: the code, what is claimed, and the zone or the account and region


class _Meeting(NamedTuple):
    """A claim of one cluster, and the claim of another that is in its way."""

    mine: Claim
    other: Facts
    theirs: Claim


def find(fleet: Sequence[Facts]) -> list[Problem]:
    """The problems between the clusters of a run; each stands in the file that comes later and names the other."""
    if len(fleet) < 2:  # noqa: PLR2004 - it takes two
        return []
    known = sorted(fleet, key=lambda facts: facts.file)
    return [
        *_eks(known),
        *_roles(known),
        *_claims(known),
        *fleet_zones.find(known),
        *fleet_versions.find(known),
    ]


def _eks(fleet: Sequence[Facts]) -> Iterator[Problem]:
    first: dict[tuple[str, str, str], Facts] = {}
    for facts in fleet:
        other = first.setdefault(facts.eks, facts)
        if other is not facts:
            message = f"{other.file} is for the same EKS cluster {facts.eks_name} in {facts.account}, {facts.region}"
            help_text = "keep one file for it, or correct aws.clusterName, aws.accountId or aws.region in one of them"
            there = other.related(other.eks_spot, "EKS name")
            yield facts.problem("OKG330", facts.eks_spot, message, help_text, (there,))


def _roles(fleet: Sequence[Facts]) -> Iterator[Problem]:
    """One problem for each two clusters, however many roles they share."""
    first: dict[tuple[str, str], Facts] = {}
    for facts in fleet:
        shared: dict[str, tuple[Facts, list[str]]] = {}
        for name in facts.roles:
            other = first.setdefault((facts.account, name), facts)
            if other.eks != facts.eks:  # else it has been said already
                shared.setdefault(other.file, (other, []))[1].append(name)
        for other, names in shared.values():
            what = f"IAM role {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
            message = f"cluster {other.name} makes the {what} in account {facts.account} as well"
            help_text = "names of roles start with metadata.name: give one of the two clusters another"
            there = other.related(other.name_spot, "name")
            yield facts.problem("OKG332", facts.name_spot, message, help_text, (there,))


class _Holders:
    """Who claims what: of each value in each scope the first two EKS clusters, so that one is always another's."""

    def __init__(self, fleet: Sequence[Facts]) -> None:
        self._ids = fleet_zones.ids(fleet)
        self._by_value: dict[tuple[_Scope, str], list[tuple[int, Facts, Claim]]] = {}
        self._lengths: dict[_Scope, set[int]] = {}
        for number, facts in enumerate(fleet):
            for claim in facts.claims:
                scope = self._scope(claim)
                held = self._by_value.setdefault((scope, claim.value), [])
                if len(held) < 2 and all(other.eks != facts.eks for _, other, _ in held):  # noqa: PLR2004 - first two
                    held.append((number, facts, claim))
                if claim.is_prefix:
                    self._lengths.setdefault(scope, set()).add(len(claim.value))

    def meeting(self, number: int, facts: Facts, claim: Claim) -> _Meeting | None:
        """Whose claim is in the way of this one: an equal one of an earlier file, or one that is a prefix of it."""
        scope = self._scope(claim)
        shorter = sorted(length for length in self._lengths.get(scope, ()) if length < len(claim.value))
        for value in (claim.value, *(claim.value[:length] for length in shorter)):
            for place, other, theirs in self._by_value.get((scope, value), ()):
                if other.eks != facts.eks and (place < number or value != claim.value):
                    return _Meeting(claim, other, theirs)
        return None

    def _scope(self, claim: Claim) -> _Scope:
        if claim.zone is None:
            return claim.code, claim.what, claim.account, claim.region
        return claim.code, claim.what, fleet_zones.key(claim.zone, claim.account, self._ids)


def _claims(fleet: Sequence[Facts]) -> Iterator[Problem]:
    """One problem for each two clusters, code and place, however many zones it is about."""
    holders = _Holders(fleet)
    for number, facts in enumerate(fleet):
        found: dict[tuple[str, Path, str], list[_Meeting]] = {}
        for claim in facts.claims:
            meeting = holders.meeting(number, facts, claim)
            if meeting:
                found.setdefault((claim.code, claim.spot.path, meeting.other.file), []).append(meeting)
        for meetings in found.values():
            yield _problem(facts, meetings)


def _problem(facts: Facts, meetings: Sequence[_Meeting]) -> Problem:
    mine, other, theirs = meetings[0]
    if mine.value == theirs.value:
        claimed = f"{mine.what} {mine.value} is claimed by cluster {other.name} as well"
    else:
        claimed = f"{mine.what} {mine.value} lies inside {theirs.value}, which cluster {other.name} claims"
    place = f"account {mine.account}" + (f", {mine.region}" if mine.region else "")
    if mine.zone:
        more = f" and {len(meetings) - 1} more" if len(meetings) > 1 else ""
        place = f"zone {mine.zone.name}{more}"
    severity = mine.severity if facts.profile == other.profile else mine.across
    there = other.related(theirs.spot, mine.what.removeprefix("the "))
    return facts.problem(mine.code, mine.spot, f"{claimed}, in {place}", mine.help, (there,), severity=severity)
