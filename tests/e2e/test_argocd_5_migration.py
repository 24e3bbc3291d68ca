"""Tier 2.5: from kubernetes-external-secrets to external-secrets as docs/migration.md says; no Secret is missing.

Both add-ons are rendered and synced for real, and the garbage collector is Kubernetes' own. What their controllers
write into Secrets is played here by their rules: external-secrets takes no Secret that has an owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rendering
from e2e.rig import snapshot
from e2e.rig.waiting import until
from e2e.rig.watch import Watch

if TYPE_CHECKING:
    from e2e.rig.api import Api
    from e2e.rig.controlplane import Cluster
    from e2e.rig.customer import Customer
    from e2e.rig.kube import Object

OLD, NEW = "kubernetes-client.io/v1", "external-secrets.io/v1"
ADDON = "kubernetes-external-secrets"
SECRETS = "/api/v1/namespaces/team/secrets"
DATA = {"password": "c2VjcmV0"}


class OwnedError(Exception):
    """A Secret has another controller, and is left alone."""


def test_secrets_change_hands_and_none_is_ever_missing(customer: Customer, home: Cluster, shop: str) -> None:
    """Both on, take over, the old one stopped and removed: the Secret keeps its uid; the trap of the docs is real."""
    api = home.api
    _both_on(customer, shop)
    api.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    old = api.post(f"/apis/{OLD}/namespaces/team/externalsecrets", _old())
    _write(api, "app", old)
    uid = _secret(api)["metadata"]["uid"]
    with Watch(api, SECRETS) as watch:
        new = api.post(f"/apis/{NEW}/namespaces/team/externalsecrets", _new())
        _write(api, "app-trial", new)
        _stop(customer, home, shop)
        with pytest.raises(OwnedError):
            _write(api, "app", new)

        owners = [{"op": "remove", "path": "/metadata/ownerReferences"}]
        api.patch(f"{SECRETS}/app", owners, "application/json-patch+json")
        target = {"spec": {"target": {"name": None}}}
        new = api.patch(f"/apis/{NEW}/namespaces/team/externalsecrets/app", target)
        _write(api, "app", new)
        api.delete(f"{SECRETS}/app-trial")

        api.delete(f"/apis/{OLD}/namespaces/team/externalsecrets/app")
        _removed(customer, home, shop)
        _collected(api)
        assert not watch.of("Secret/app", "DELETED")
    assert _secret(api)["metadata"]["uid"] == uid
    assert _secret(api)["data"] == DATA


def test_without_the_step_between_the_secret_would_go(home: Cluster, shop: str) -> None:  # noqa: ARG001 - for its CRD
    """The test of the test: deleting the old ExternalSecret while it owns the Secret deletes the Secret."""
    api = home.api
    old = api.post(f"/apis/{OLD}/namespaces/team/externalsecrets", _old("trap"))
    _write(api, "trap", old)
    api.delete(f"/apis/{OLD}/namespaces/team/externalsecrets/trap")
    until("the Secret is collected", lambda: api.find(f"{SECRETS}/trap") is None)


def _both_on(customer: Customer, shop: str) -> None:
    """Step 1."""

    def both(spec: Any) -> None:
        spec["aws"]["oidcIssuer"] = rendering.OIDC_ISSUER
        spec["addons"][ADDON] = {"prefixes": ["/shop/prod/"]}

    done = customer.change(shop, "Both external-secrets", both)
    name = f"{shop}-{ADDON}"
    until("its Application is there", lambda: name in customer.argocd.names(shop))
    customer.settled(shop, done.commit)


def _stop(customer: Customer, home: Cluster, shop: str) -> None:
    """Step 3: its Deployment is scaled to nothing, and stays so."""
    done = customer.change(shop, "Stop the old one", lambda spec: spec["addons"][ADDON].update({"replicas": 0}))
    customer.settled(shop, done.commit)
    path = f"/api/v1/namespaces/{ADDON}/pods"
    until("no pod is left", lambda: home.api.items(path) == [])


def _removed(customer: Customer, home: Cluster, shop: str) -> None:
    """Step 8: the add-on goes with all but its CRD and its Namespace; what both have is not touched."""
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/externalsecrets.kubernetes-client.io"
    started = customer.argocd.state(f"{shop}-external-secrets").started
    done = customer.change(shop, "The old one goes", lambda spec: spec["addons"].pop(ADDON))
    until("its Application is gone", lambda: f"{shop}-{ADDON}" not in customer.argocd.names(shop))
    customer.settled(shop, done.commit)
    kinds = (snapshot.Kind("apps", "v1", "Deployment"), snapshot.Kind("", "v1", "ServiceAccount"))
    left = {each for each in snapshot.taken(home.api, kinds) if each.namespace == ADDON and each.name != "default"}
    assert left == set()
    assert home.api.find(crd)
    assert home.api.find(f"/api/v1/namespaces/{ADDON}")
    assert customer.argocd.state(f"{shop}-external-secrets").started == started


def _collected(api: Api) -> None:
    """Waits for the garbage collector: what it has to collect from now on, it has collected before."""
    owner = api.post("/api/v1/namespaces/team/configmaps", {"metadata": {"name": "owner"}})
    _write(api, "marker", owner | {"apiVersion": "v1", "kind": "ConfigMap"})
    api.delete("/api/v1/namespaces/team/configmaps/owner")
    until("the garbage collector has come round", lambda: api.find(f"{SECRETS}/marker") is None)


def _secret(api: Api) -> Object:
    found: Object = api.get(f"{SECRETS}/app")
    return found


def _write(api: Api, name: str, owner: Object) -> None:
    """What a controller does with the Secret of its object: makes it its own and writes it. Raises OwnedError."""
    metadata = owner["metadata"]
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    found = api.find(f"{SECRETS}/{name}")
    if found is None:
        value = {"apiVersion": "v1", "kind": "Secret", "data": DATA}
        api.post(SECRETS, value | {"metadata": {"name": name, "ownerReferences": [reference]}})
        return
    if any(each["uid"] != metadata["uid"] for each in found["metadata"].get("ownerReferences", [])):
        raise OwnedError(name)
    api.patch(f"{SECRETS}/{name}", {"metadata": {"ownerReferences": [reference]}, "data": DATA})


def _old(name: str = "app") -> Object:
    return {
        "apiVersion": OLD,
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"backendType": "systemManager", "data": [{"key": "/shop/prod/app/password", "name": "password"}]},
    }


def _new() -> Object:
    remote = {"secretKey": "password", "remoteRef": {"key": "/shop/prod/app/password"}}
    return {
        "apiVersion": NEW,
        "kind": "ExternalSecret",
        "metadata": {"name": "app", "namespace": "team"},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "parameter-store"},
            "target": {"name": "app-trial", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
            "data": [remote],
        },
    }
