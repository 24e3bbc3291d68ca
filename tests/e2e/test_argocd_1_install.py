"""Tier 2.1: from nothing to a running cluster, by Argo CD alone; and then nothing moves any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e2e.rig import argocd as argo
from e2e.rig.watch import Watch

if TYPE_CHECKING:
    from e2e.rig.controlplane import Cluster
    from e2e.rig.customer import Customer
    from e2e.rig.kube import Object
    from e2e.rig.watch import Event

CONFIGURATIONS = "validatingwebhookconfigurations,mutatingwebhookconfigurations"


def test_all_applications_become_synced_and_healthy(customer: Customer, shop: str, installation: list[Event]) -> None:
    """From an empty cluster, with no human action after `kubectl apply -k bootstrap`.

    The root's health check has taken no Application for broken while it was being made.
    """
    states = customer.argocd.states(shop)
    addons = customer.read(shop)["addons"]
    assert sorted(states) == sorted([shop, *(f"{shop}-{part}" for part in ("namespaces", *addons))])
    assert {each.settled for each in states.values()} == {True}
    root = [event.obj.get("status", {}) for event in installation if event.name == f"Application/{shop}"]
    messages = {status.get("operationState", {}).get("message", "") for status in root}
    assert any(text.startswith("waiting for healthy state of argoproj.io/Application/") for text in messages)
    assert not [text for text in messages if "completed unsuccessfully" in text]


def test_the_waves_are_seen_in_the_api_server(home: Cluster, shop: str) -> None:  # noqa: ARG001 - it is there
    """Namespaces, CRDs, cert-manager, controllers, stores, ingress classes, external-dns: by when they were made."""
    crds = {each["spec"]["group"]: each for each in _all(home, "customresourcedefinitions")}
    spaces = {each["metadata"]["name"]: each for each in _all(home, "namespaces")}
    deployments = {each["metadata"]["name"]: each for each in _all(home, "deployments")}
    store, ingress_class = _one(home, "clustersecretstores"), _one(home, "ingressclasses")
    issuers = _all(home, "issuers")

    namespaces = max(_made(spaces[name]) for name in ("cert-manager", "external-dns", "external-secrets"))
    assert namespaces < min(_made(each) for group, each in crds.items() if group != "argoproj.io")
    assert _made(crds["cert-manager.io"]) < _made(deployments["cert-manager"])
    assert _made(crds["external-secrets.io"]) < _made(deployments["external-secrets"])
    certificates = max(_available(deployments[f"cert-manager{part}"]) for part in ("", "-webhook", "-cainjector"))
    assert certificates <= min(map(_made, issuers))
    balancers = deployments["aws-load-balancer-controller"]
    assert max(map(_made, issuers)) < _made(balancers)
    assert _available(deployments["external-secrets-webhook"]) <= _made(store)
    assert _available(balancers) <= _made(ingress_class)
    assert _made(ingress_class) <= _made(deployments["external-dns"])


def test_nothing_drifts(customer: Customer, home: Cluster, shop: str) -> None:
    """Three refreshes, the first one from scratch, with self-heal on and all that controllers write in place."""
    _controllers_have_written(home)
    before = {name: state.started for name, state in customer.argocd.states(shop).items()}
    with Watch(home.api, argo.APPLICATIONS) as watch:
        for hard in (True, False, False):
            customer.argocd.refresh(*before, hard=hard)
    seen = {(state.sync, state.health) for state in (argo.state(event.obj) for event in watch.events)}
    assert seen == {("Synced", "Healthy")}
    assert {name: state.started for name, state in customer.argocd.states(shop).items()} == before, "nothing was synced"


def _controllers_have_written(home: Cluster) -> None:
    """What could be taken for drift is really there."""
    hooks = [hook for each in _all(home, CONFIGURATIONS) for hook in each["webhooks"]]
    assert hooks
    assert all(hook["clientConfig"].get("caBundle") for hook in hooks)
    assert (home.kubectl.get("secret/external-secrets-webhook", "external-secrets") or {}).get("data")
    for kind in ("clustersecretstores", "issuers", "certificates"):
        assert all(each["status"]["conditions"] for each in _all(home, kind))
    view = home.kubectl.get("clusterrole/view") or {}
    assert any("cert-manager.io" in rule["apiGroups"] for rule in view["rules"]), "aggregated from the add-on's"


def _all(home: Cluster, kinds: str) -> list[Object]:
    return home.kubectl.list(kinds)


def _one(home: Cluster, kind: str) -> Object:
    (found,) = _all(home, kind)
    return found


def _made(obj: Object) -> str:
    """When it was made; these times can be compared as text."""
    return str(obj["metadata"]["creationTimestamp"])


def _available(deployment: Object) -> str:
    """Since when a Deployment is Available."""
    conditions: list[dict[str, Any]] = deployment["status"]["conditions"]
    return str(next(each["lastTransitionTime"] for each in conditions if each["type"] == "Available"))
