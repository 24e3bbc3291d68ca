"""Cross-checks of the core: what no schema can say because it takes two keys, or a fact from outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.resolve.partitions import partition_of, regions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.problem import Problem
    from okgen.read.source import Document

_ISSUER_REGION = re.compile(r"https://(oidc[.-]eks\.([a-z0-9-]+)\.[^/]+)")


def find(document: Document, sections: dict[str, Any], newest: int) -> list[Problem]:
    """Problems of the sections outside ``addons``, those given, which fit the schema and have their defaults.

    ``newest`` is the newest Kubernetes minor okgen knows.
    """
    found: list[Problem] = []
    if "kubernetesVersion" in sections:
        found += _kubernetes(document, sections["kubernetesVersion"], newest)
    if "aws" in sections:
        found += _aws(document, sections["aws"])
    if "dns" in sections:
        found += _zones(document, sections["dns"]["zones"])
    if "gitops" in sections:
        found += _gitops(document, sections["gitops"])
    return found


def _kubernetes(document: Document, version: str, newest: int) -> Iterator[Problem]:
    if int(version.partition(".")[2]) > newest:
        yield document.problem(
            "OKG301",
            ("kubernetesVersion",),
            f"okgen does not know Kubernetes {version} yet; the newest it knows is 1.{newest}",
            "what is rendered may work; a newer okgen may know more",
            severity="warning",
        )


def _aws(document: Document, aws: dict[str, Any]) -> Iterator[Problem]:
    partition = partition_of(aws["region"])
    if partition is None:
        from okgen.judge.violations import closest  # imports difflib, for a mistake only

        near = closest(aws["region"], regions())
        help_text = f"did you mean {near}?" if near else "aws account list-regions names the regions there are"
        yield document.problem("OKG304", ("aws", "region"), f"unknown AWS region {aws['region']}", help_text)
        return
    found = _ISSUER_REGION.match(aws.get("oidcIssuer", ""))
    if found and found[1] not in (hosts := partition.oidc_hosts(aws["region"])):
        elsewhere = found[2] != aws["region"]
        yield document.problem(
            "OKG306",
            ("aws", "oidcIssuer"),
            f"the issuer is of region {found[2]}, the cluster is in {aws['region']}"
            if elsewhere
            else f"EKS has its issuers in {aws['region']} at {hosts[0]}, not at {found[1]}",
            "aws eks describe-cluster --query cluster.identity.oidc.issuer prints the cluster's own",
        )
    boundary = aws.get("permissionsBoundary", "").split(":")
    if len(boundary) > 1 and boundary[1] != partition.name:
        yield document.problem(
            "OKG307",
            ("aws", "permissionsBoundary"),
            f"the policy is of partition {boundary[1]}, the region {aws['region']} is in {partition.name}",
            f"write arn:{partition.name}:…",
        )
    elif len(boundary) > 1 and boundary[4] not in (aws["accountId"], "aws"):
        yield document.problem(
            "OKG307",
            ("aws", "permissionsBoundary"),
            f"the policy is of account {boundary[4]}, the cluster is in {aws['accountId']}",
            "IAM takes a boundary from the role's own account only",
        )


def _zones(document: Document, zones: list[dict[str, Any]]) -> Iterator[Problem]:
    """At most one problem a zone, the worse one; what came before is looked up, as 500 zones make 125,000 pairs."""
    ids: dict[str, int] = {}
    names: dict[tuple[bool, str], int] = {}
    around: dict[tuple[bool, str], int] = {}  # of each name that zones lie inside of, the first of these zones
    for index, zone in enumerate(zones):
        path = ("dns", "zones", index)
        private, name = zone["private"], zone["name"]
        outer = [(private, each) for each in _outer(name)]
        if zone.get("id") in ids:
            line = _line(document, ids[zone["id"]])
            message = f"zone {zone['id']} stands here twice, first in line {line}"
            yield document.problem("OKG308", (*path, "id"), message, "remove one of the two")
        elif (private, name) in names:
            yield document.problem(
                "OKG308",
                (*path, "name"),
                f"zone {name} stands here twice, first in line {_line(document, names[private, name])}",
                "a public and a private zone may share a name: mark one `private: true`",
            )
        elif found := next((each for each in outer if each in names), None):
            yield _nested(document, path, name, found[1], _line(document, names[found]))
        elif (private, name) in around:
            inner = around[private, name]
            yield _nested(document, path, zones[inner]["name"], name, _line(document, inner))
        if "id" in zone:
            ids.setdefault(zone["id"], index)
        names.setdefault((private, name), index)
        for each in outer:
            around.setdefault(each, index)


def _outer(name: str) -> Iterator[str]:
    """The names a domain lies inside of, the nearest first."""
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _line(document: Document, index: int) -> int:
    return document.place(("dns", "zones", index))[0]


def _nested(document: Document, path: tuple[str | int, ...], inner: str, outer: str, line: int) -> Problem:
    return document.problem(
        "OKG309",
        (*path, "name"),
        f"zone {inner} lies inside zone {outer} (the other is in line {line})",
        "fine when the inner one is delegated; records go to the zone with the longest name that matches",
        severity="warning",
    )


def _gitops(document: Document, gitops: dict[str, Any]) -> Iterator[Problem]:
    path = gitops["path"]
    steps = path.split("/")
    if path.startswith("/") or ".." in steps:
        yield document.problem(
            "OKG310",
            ("gitops", "path"),
            f"{path} leaves the repository",
            "write a path relative to the repository's root",
        )
    elif path != "." and any(step in ("", ".") for step in steps):
        plain = "/".join(step for step in steps if step not in ("", ".")) or "."
        yield document.problem("OKG310", ("gitops", "path"), f"{path} is not written plainly", f"write {plain}")
    elif ".git" in path.lower().split("/"):  # macOS does not tell .GIT from it
        yield document.problem("OKG310", ("gitops", "path"), f"{path} is Git's own folder", "choose another folder")
