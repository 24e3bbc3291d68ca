"""What the stand-in for the AWS Load Balancer Controller makes: a load balancer as an Ingress asks for it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

CLUSTER_TAG = "elbv2.k8s.aws/cluster"
STACK_TAG = "ingress.k8s.aws/stack"
RESOURCE_TAG = "ingress.k8s.aws/resource"


class Backend(NamedTuple):
    """A Service behind a load balancer: its name and port, and the addresses of its pods with theirs."""

    service: str
    port: str
    targets: frozenset[tuple[str, int]]


class Rule(NamedTuple):
    """Host and path, and where they lead."""

    host: str
    path: str
    backend: Backend


class Wanted(NamedTuple):
    """A load balancer as an Ingress asks for it; ``ports`` maps port to protocol, ``attributes`` are AWS's."""

    stack: str
    scheme: str
    ports: dict[int, str]
    hosts: list[str]
    rules: list[Rule]
    ssl_policy: str
    health_path: str
    cidrs: list[str]
    certificates: list[str]
    attributes: dict[str, str]
    tags: dict[str, str]


class Place(NamedTuple):
    """The cluster whose load balancers these are."""

    cluster: str
    region: str
    vpc: str


def name_of(place: Place, stack: str) -> str:
    """A load balancer's name, of at most 32 characters."""
    short = "-".join(part[:8] for part in stack.replace(".", "-").split("/"))
    return f"k8s-{short}-{hashlib.sha256((place.cluster + stack).encode()).hexdigest()[:10]}"[:32]


def own_tags(place: Place, stack: str) -> dict[str, str]:
    """What all that belongs to a load balancer is tagged with."""
    return {CLUSTER_TAG: place.cluster, STACK_TAG: stack}


def tags_of(place: Place, wanted: Wanted, resource: str) -> list[dict[str, str]]:
    """The tags of one resource of a load balancer: those of the annotation, and its own, which win."""
    own = {**own_tags(place, wanted.stack), RESOURCE_TAG: resource}
    return [{"Key": key, "Value": value} for key, value in {**wanted.tags, **own}.items()]
