"""What the rules about a fleet need to know of each cluster: small plain facts, kept when the rest is forgotten."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.addons.catalogue import evaluate
from okgen.problem import Problem, Related, dotted
from okgen.resolve.addon_checks import path_of

if TYPE_CHECKING:
    from okgen.addons.catalogue import Addon
    from okgen.problem import Path
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster, Enabled


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


def of(document: Document, cluster: Cluster) -> Facts:
    """The facts of a cluster. Raises TemplateError."""
    name = ("metadata", "name")
    eks_name = ("aws", "clusterName")
    given = "clusterName" in document.data["aws"]
    return Facts(
        file=document.file,
        name=cluster.name,
        profile=cluster.profile,
        minor=cluster.minor,
        account=cluster.account,
        region=cluster.region,
        eks_name=cluster.cluster_name,
        name_spot=_spot(document, name),
        eks_spot=_spot(document, eks_name if given else name),
        roles=tuple(role.name for role in cluster.roles),
        zones=tuple(
            (_zone(zone), _spot(document, ("dns", "zones", index))) for index, zone in enumerate(cluster.zones)
        ),
        running=tuple(_running(document, enabled, cluster.minor) for enabled in cluster.addons),
        claims=tuple(claim for enabled in cluster.addons for claim in _claims(document, enabled, cluster.account)),
    )


def _spot(document: Document, path: Path, *, key: bool = False) -> Spot:
    return Spot(*document.place(path, key=key), path)


def _zone(zone: dict[str, Any]) -> Zone:
    return Zone(zone["name"], zone.get("id") or "", zone["private"])


def _running(document: Document, enabled: Enabled, minor: int) -> Running:
    name = enabled.addon.name
    section = document.data["addons"][name] or {}
    path = ("addons", name, "version") if "version" in section else ("addons", name)
    newest = _newest(enabled.addon, minor)
    return Running(name, enabled.release.version, newest, _spot(document, path, key="version" not in section))


@cache  # the same for most clusters of a run
def _newest(addon: Addon, minor: int) -> str:
    """The newest version that fits a Kubernetes minor on which at least one does."""
    return max((release.version for release in addon.releases if release.fits(minor)), key=numbers)


@cache
def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that compare: ``1.21.1`` is ``(1, 21, 1)``; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _claims(document: Document, enabled: Enabled, account: str) -> list[Claim]:
    found = evaluate(enabled.addon.exclusive, enabled.scope)
    return [_claim(document, enabled, each, account) for each in found] if isinstance(found, list) else []


def _claim(document: Document, enabled: Enabled, found: dict[str, Any], account: str) -> Claim:
    path = path_of(enabled.addon, found["at"])
    within = found["within"]
    return Claim(
        code=found["code"],
        severity=found["severity"],
        across=found["acrossProfiles"],
        what=found["what"],
        value=found["value"],
        is_prefix=found["match"] == "prefix",
        zone=_zone(within["zone"]) if "zone" in within else None,
        account=within.get("account", account),
        region=within.get("region", ""),
        help=found["help"],
        spot=_spot(document, path, key=len(path) <= len(("addons", enabled.addon.name))),
    )
