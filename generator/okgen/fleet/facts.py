"""What the rules about a fleet need to know of each cluster: small plain facts, kept when the rest is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from okgen.problem import Problem, Related, dotted

if TYPE_CHECKING:
    from okgen.problem import Path


class Spot(NamedTuple):
    """A place in a cluster's file."""

    line: int
    column: int
    path: Path


class Zone(NamedTuple):
    """A hosted zone as one cluster describes it; ``id`` is empty where it is not given."""

    name: str
    id: str
    private: bool


class Running(NamedTuple):
    """The version of an add-on that is on; ``newest`` is the newest one that fits the cluster's Kubernetes."""

    addon: str
    version: str
    newest: str
    spot: Spot


class Claim(NamedTuple):
    """What an add-on wants for its cluster alone, in a zone or in an account, there in a region when one is given.

    ``across`` is the severity between two profiles, ``is_prefix`` whether values meet that start with one another.
    """

    code: str
    severity: str
    across: str
    what: str
    value: str
    is_prefix: bool
    zone: Zone | None
    account: str
    region: str
    help: str
    spot: Spot


class Facts(NamedTuple):
    """One cluster of a run."""

    file: str
    name: str
    profile: str
    minor: int
    account: str
    region: str
    eks_name: str
    name_spot: Spot
    eks_spot: Spot
    roles: tuple[str, ...]
    zones: tuple[tuple[Zone, Spot], ...]
    running: tuple[Running, ...]
    claims: tuple[Claim, ...]

    @property
    def eks(self) -> tuple[str, str, str]:
        """The EKS cluster: account, region and name."""
        return self.account, self.region, self.eks_name

    def problem(  # noqa: PLR0913 - the fields of a problem
        self,
        code: str,
        spot: Spot,
        message: str,
        help_text: str,
        related: tuple[Related, ...],
        *,
        severity: str = "error",
    ) -> Problem:
        """A problem of this cluster's file."""
        return Problem(
            self.file, spot.line, spot.column, code, severity, message, dotted(spot.path), help_text, related
        )

    def related(self, spot: Spot, label: str) -> Related:
        """A place in this cluster's file, for a problem that is found elsewhere; the label says of which cluster."""
        return Related(self.file, spot.line, spot.column, f"{label} of cluster {self.name}")
