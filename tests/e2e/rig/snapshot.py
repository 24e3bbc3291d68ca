"""What objects hold, without what changes by itself: to see which of them a change has reached."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from e2e.rig.kube import Identity, identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e2e.rig.api import Api
    from e2e.rig.kube import Object

# Written by the server and by controllers, or asked of Argo CD by tests.
PASSING = ("resourceVersion", "managedFields", "generation", "creationTimestamp", "deletionGracePeriodSeconds")
PASSING_NOTES = ("deployment.kubernetes.io/revision", "argocd.argoproj.io/refresh")


class Kind(NamedTuple):
    """A kind in one of its versions, as Argo CD lists it."""

    group: str
    version: str
    kind: str


def taken(api: Api, kinds: Iterable[Kind]) -> dict[Identity, Object]:
    """All objects of these kinds. The uid is part of what they hold: one made anew is another."""
    found = (each for kind in sorted(set(kinds)) for each in api.items(path(api, kind)))
    return {identity(each): held(each) for each in found}


def changed(before: dict[Identity, Object], after: dict[Identity, Object]) -> set[Identity]:
    """What was made, removed, or holds something else."""
    return {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}


def path(api: Api, kind: Kind) -> str:
    """The list of a kind over all namespaces."""
    base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    resources: list[dict[str, Any]] = api.get(base)["resources"]
    plural: str = next(each["name"] for each in resources if each["kind"] == kind.kind and "/" not in each["name"])
    return f"{base}/{plural}"


def held(obj: Object) -> Object:
    """An object without status and the server's own fields."""
    value = copy.deepcopy(obj)
    for field in ("status", "operation"):
        value.pop(field, None)
    metadata = value["metadata"]
    for field in PASSING:
        metadata.pop(field, None)
    notes = metadata.get("annotations", {})
    metadata["annotations"] = {name: text for name, text in notes.items() if name not in PASSING_NOTES}
    return value
