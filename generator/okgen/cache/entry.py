"""What is remembered of a cluster, and as which bytes."""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.problem import Problem, Related

if TYPE_CHECKING:
    from okgen.fleet.facts import Facts, Spot


class Entry(NamedTuple):
    """A cluster that was rendered without a mistake.

    ``recorded``: the SHA-256 of the index of its files. ``name`` stands ``at`` line and column, ``path`` is its
    ``gitops.path``. ``patches``: the files that its patches name, as it names them, with the SHA-256 of their text.
    ``vendored``: the fields of the upstream files that must stand in the repository, each with its SHA-256.
    ``problems`` are warnings. ``facts`` is None where no other cluster was there to compare it with.
    """

    recorded: str
    name: str
    at: tuple[int, int]
    path: str
    patches: tuple[tuple[str, str], ...]
    vendored: tuple[tuple[str, str, str, str, str], ...]
    problems: tuple[Problem, ...]
    facts: Facts | None


def dumped(entry: Entry) -> bytes:
    """The bytes of an entry."""
    return marshal.dumps(_plain(entry))


def loaded(data: bytes) -> Entry:
    """The entry of such bytes, of which it is known that ``dumped`` made them."""
    *plain, problems, facts = marshal.loads(data)  # noqa: S302 - of this user's own okgen, and not damaged
    return Entry._make((*plain, tuple(map(_problem, problems)), None if facts is None else _facts(facts)))


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything of an entry
    """The same with plain tuples, the only ones that have bytes."""
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _problem(plain: tuple[Any, ...]) -> Problem:
    *fields, related = plain
    return Problem._make((*fields, tuple(map(Related._make, related))))


def _facts(plain: tuple[Any, ...]) -> Facts:
    from okgen.fleet.facts import Claim, Facts, Running, Zone  # one cluster by itself needs none

    *own, name_spot, eks_spot, roles, zones, running, claims = plain
    spots = _spot(name_spot), _spot(eks_spot)
    return Facts._make(
        (
            *own,
            *spots,
            roles,
            tuple((Zone._make(zone), _spot(spot)) for zone, spot in zones),
            tuple(Running._make((*fields, _spot(spot))) for *fields, spot in running),
            tuple(
                Claim._make((*fields, zone and Zone._make(zone), account, region, way_out, _spot(spot)))
                for *fields, zone, account, region, way_out, spot in claims
            ),
        )
    )


def _spot(plain: tuple[Any, ...]) -> Spot:
    from okgen.fleet.facts import Spot

    return Spot._make(plain)
