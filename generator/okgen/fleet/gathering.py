"""Takes from a resolved cluster the facts that the rules about a fleet need."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import evaluate
from okgen.fleet.facts import Claim, Facts, Running, Spot, Zone
from okgen.fleet.versions import numbers
from okgen.resolve.addon_checks import path_of

if TYPE_CHECKING:
    from okgen.addons.catalogue import Addon
    from okgen.problem import Path
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster, Enabled


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
