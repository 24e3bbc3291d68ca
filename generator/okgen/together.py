"""What the clusters of a run may not share: a folder, and whatever the rules about fleets say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen.problem import Problem, Related, dotted
from okgen.repository import above

if TYPE_CHECKING:
    from okgen.fleet.facts import Facts
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster

_NAME = ("metadata", "name")


class Claim(NamedTuple):
    """Which input a folder is rendered from; kept in place of the whole cluster, as a fleet has many.

    ``at`` is where its cluster's name stands.
    """

    file: str
    at: tuple[int, int]
    cluster: str
    folder: str


def claim(document: Document, cluster: Cluster, folder: str) -> Claim:
    """The claim of a cluster on its folder."""
    return Claim(document.file, document.place(_NAME), cluster.name, folder)


def facts(document: Document, cluster: Cluster) -> Facts:
    """What the rules about fleets need to know of a cluster. Raises TemplateError."""
    from okgen.fleet import gathering  # one cluster by itself needs none

    return gathering.of(document, cluster)


class Together:
    """Is told of the clusters of a run, one after the other, and says what is wrong between them."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}  # by folder
        self._seconds: list[Problem] = []
        self._facts: list[Facts] = []

    def is_first(self, new: Claim) -> bool:
        """Whether no cluster before it claims the same folder; another one is a problem, and not to be added."""
        other = self._claims.setdefault(new.folder, new)
        if other is not new:
            self._seconds.append(_problem(new, other, "is rendered into the same folder"))
        return other is new

    def add(self, known: Facts | None) -> None:
        """A cluster of the fleet; None where it is alone."""
        if known is not None:
            self._facts.append(known)

    def problems(self) -> list[Problem]:
        """What is wrong between the clusters."""
        found = [*self._seconds]
        for folder, inner in self._claims.items():
            outer = next((self._claims[each] for each in above(folder) if each in self._claims), None)
            if outer:
                found.append(_problem(inner, outer, "is rendered into a folder around"))
        if self._facts:
            from okgen.fleet import rules

            found += rules.find(self._facts)
        return found


def _problem(second: Claim, first: Claim, what: str) -> Problem:
    message = f"{first.file} {what} {os.path.relpath(second.folder)}"
    there = Related(first.file, *first.at, f"cluster {first.cluster}")
    way_out = "give each cluster a name of its own"
    return Problem(second.file, *second.at, "OKG320", "error", message, dotted(_NAME), way_out, (there,))
