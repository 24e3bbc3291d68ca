"""Which objects there are in a cluster, of every kind, who owns whom, and how to get back to what there was."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from e2e.rig import waiting
from e2e.rig.api import METADATA, ApiError
from e2e.rig.kube import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e2e.rig.api import Api
    from e2e.rig.kube import Object

# They come and go by themselves, or with others: Endpoints and IPAddresses with Services, APIServices with CRDs.
RESTLESS = ("events", "leases", "endpoints", "componentstatuses", "ipaddresses", "apiservices")
# What may refuse a deletion goes first; with the definition of a kind go its objects, with a Namespace all in it.
BEFORE_OTHERS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService")
NO_FINALIZERS = {"metadata": {"finalizers": None}}


class Resource(NamedTuple):
    """A kind as the API serves it; ``path`` lists its objects."""

    path: str
    group: str
    kind: str


class Entry(NamedTuple):
    """An object: its path, its uid, and those of its owners."""

    path: str
    uid: str
    owners: tuple[str, ...]


Inventory = dict[Identity, Entry]


def resources(api: Api) -> Iterator[Resource]:
    """Every kind that can be listed, in its preferred version."""
    groups = api.get("/apis")["groups"]
    others = [(each["name"], f"/apis/{each['preferredVersion']['groupVersion']}") for each in groups]
    for group, path in [("", "/api/v1"), *others]:
        found = api.find(path) or {"resources": []}  # a group goes with its last CRD
        for each in found["resources"]:
            if "list" in each["verbs"] and each["name"] not in RESTLESS:
                yield Resource(f"{path}/{each['name']}", group, each["kind"])


def take(api: Api) -> Inventory:
    """All objects there are now."""
    found = {}
    for resource in resources(api):
        for each in _items(api, resource):
            meta = each["metadata"]
            space = meta.get("namespace", "")
            root, _, plural = resource.path.rpartition("/")
            path = f"{root}/namespaces/{space}/{plural}" if space else resource.path
            owners = tuple(owner["uid"] for owner in meta.get("ownerReferences", []))
            entry = Entry(f"{path}/{meta['name']}", meta["uid"], owners)
            found[Identity(resource.group, resource.kind, space, meta["name"])] = entry
    return found


def _items(api: Api, resource: Resource) -> list[Object]:
    """The objects of a kind; a kind whose definition has just gone has none."""
    try:
        found: list[Object] = api.get(resource.path, METADATA)["items"] or []
    except ApiError as problem:
        if problem.status == 404:
            return []
        raise
    return found


def owned(inventory: Inventory, roots: Iterable[Identity]) -> set[Identity]:
    """Objects, and all that they own, directly or through others."""
    found = {identity for identity in roots if identity in inventory}
    more = set(found)
    while more:
        uids = {inventory[identity].uid for identity in more}
        more = {each for each, entry in inventory.items() if each not in found and uids.intersection(entry.owners)}
        found |= more
    return found


def restore(api: Api, before: Inventory, keep: tuple[str, ...] = ()) -> None:
    """Deletes whatever was not there before, kinds in ``keep`` excepted; nobody's finalizer holds it up."""

    def new() -> dict[Identity, Entry]:
        return {each: entry for each, entry in take(api).items() if each not in before and each.kind not in keep}

    def less() -> list[Identity]:
        left = sorted(new().items(), key=lambda item: item[0].kind not in BEFORE_OTHERS)
        for _, entry in left:
            if not entry.owners:
                with contextlib.suppress(ApiError):  # it is gone, or going
                    api.patch(entry.path, NO_FINALIZERS)
                with contextlib.suppress(ApiError):
                    api.delete(entry.path, {"propagationPolicy": "Background"})
        return [each for each, _ in left]

    left = waiting.latest(less, lambda left: not left, within=120, pause=0.5)
    assert not left, f"cannot be deleted: {left}"
