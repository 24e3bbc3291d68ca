"""Tier 2.7: a second cluster, vendored, in the same repository on the same Argo CD, now without the health check."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from e2e.rig import argocd as argo
from e2e.rig import controlplane, snapshot
from e2e.rig.controllers import Controllers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.rig.controlplane import Cluster, Rig
    from e2e.rig.crdhost import CrdHost
    from e2e.rig.customer import Customer
    from e2e.rig.kube import Identity, Object
    from e2e.rig.webhooks import Webhooks

EDGE = "edge"
HEALTH = "/data/resource.customizations.health.argoproj.io_Application"
PORTS = controlplane.Ports(2579, 2580, 6643, 10457, 10459)
ADDONS = ("cert-manager", "aws-load-balancer-controller")


class Edge(NamedTuple):
    """The second cluster; ``downloads`` are the CRDs fetched from outside while it was installed."""

    cluster: Cluster
    downloads: list[str]


@pytest.fixture(scope="module")
def second(further_rig: Callable[[str], Rig], controllers: Webhooks) -> Iterator[Cluster]:
    """Another Kubernetes, with an authority of its own."""
    rig = further_rig(EDGE)
    cluster, kubelets = controlplane.start(rig, ports=PORTS)
    played = Controllers(controllers.beside(cluster), rig.processes.folder / "controllers.log")
    played.start()
    yield cluster
    played.stop()
    kubelets.stop()
    cluster.api.close()


@pytest.fixture(scope="module")
def edge(second: Cluster, customer: Customer, crdhost: CrdHost, shop: str) -> Edge:
    """The cluster edge, installed from nothing beside shop-prod."""
    check = json.dumps([{"op": "remove", "path": HEALTH}])
    customer.kubectl("-n", argo.NAMESPACE, "patch", "configmap", "argocd-cm", "--type=json", "-p", check)
    customer.kubectl.apply([_registration(second)])
    customer.argocd.refresh(*customer.argocd.names(shop))  # the change of settings has them built again
    spec = customer.read(shop)
    spec["metadata"] = {"name": EDGE}
    spec["profile"] = "development"
    spec["gitops"] |= {"crds": "vendored", "argocd": {"destination": {"name": EDGE}}}
    spec["addons"] = dict.fromkeys(ADDONS)
    customer.write(EDGE, spec)
    customer.okgen("vendor", "--ca-file", str(customer.authority))
    assert crdhost.asked, "shop-prod's CRDs and those to vendor came from there"
    before = len(crdhost.asked)
    commit = customer.publish("Add edge").commit
    names = [EDGE, *(f"{EDGE}-{part}" for part in ("namespaces", *ADDONS))]
    customer.bootstrap(EDGE, leave_out="ConfigMap")
    customer.argocd.settled(names, commit, within=600)
    return Edge(second, crdhost.asked[before:])


def test_without_the_health_check_it_converges(customer: Customer, edge: Edge) -> None:
    """No Application waits for another; what comes too early waits inside, or is tried again, and all arrives."""
    balancers = customer.argocd.application(f"{EDGE}-aws-load-balancer-controller")
    deployment = edge.cluster.api.get("/apis/apps/v1/namespaces/cert-manager/deployments/cert-manager-webhook")
    conditions = deployment["status"]["conditions"]
    available = next(each["lastTransitionTime"] for each in conditions if each["type"] == "Available")
    assert balancers["metadata"]["creationTimestamp"] < available, "it did not wait for cert-manager"
    assert {each.settled for each in customer.argocd.states(EDGE).values()} == {True}


def test_vendored_crds_are_not_fetched(customer: Customer, edge: Edge) -> None:
    """No request for a CRD leaves; they come from the repository, and are the pinned ones."""
    assert edge.downloads == []
    assert "https://" not in customer.tree(EDGE, "addons", "cert-manager", "kustomization.yaml").read_text("utf-8")
    crd = edge.cluster.api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/certificates.cert-manager.io")
    assert crd["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"


def test_no_name_of_two_clusters_collides(customer: Customer, edge: Edge, shop: str) -> None:
    """Applications and AppProjects of both stand in one namespace of one Argo CD, each with its own destination."""
    assert edge
    applications = {name: customer.argocd.application(name) for name in customer.argocd.names()}
    servers = {name: each["spec"]["destination"] for name, each in applications.items() if "-" in name}
    assert {name for name, to in servers.items() if to.get("name") == EDGE} >= {f"{EDGE}-{each}" for each in ADDONS}
    assert {name for name, to in servers.items() if to.get("name") == EDGE} == set(customer.argocd.names(EDGE)) - {EDGE}
    projects = {each["metadata"]["name"] for each in customer.argocd.api.items(argo.PROJECTS)}
    assert projects == {shop, f"{shop}-root", EDGE, f"{EDGE}-root"}
    conditions = [each["status"].get("conditions", []) for each in applications.values()]
    assert conditions == [[]] * len(applications), "no shared resource, no double name"


def test_a_commit_for_one_does_not_refresh_the_other(customer: Customer, edge: Edge, shop: str) -> None:
    """After it both are looked at, but nothing of shop-prod is built again, synced or changed."""
    applications = {name: customer.argocd.application(name) for name in customer.argocd.names(shop)}
    kinds = {kind for each in applications.values() for kind in argo.kinds(each)}
    own = {each for application in applications.values() for each in argo.objects(application)}
    before = _only(own, snapshot.taken(customer.argocd.api, kinds))
    started = {name: state.started for name, state in customer.argocd.states(shop).items()}
    built = len(customer.argocd.built())

    addon = {"cert-manager": {"logLevel": 4}}
    done = customer.change(EDGE, "More logs in edge", lambda spec: spec["addons"].update(addon))
    customer.argocd.refresh(*applications)
    customer.settled(EDGE, done.commit)
    customer.settled(shop, done.commit)  # it has seen the commit

    rebuilt = set(customer.argocd.built()[built:])
    assert f"output/{EDGE}/addons/cert-manager" in rebuilt
    assert {path for path in rebuilt if not path.startswith(f"output/{EDGE}/")} == set()
    assert {name: state.started for name, state in customer.argocd.states(shop).items()} == started
    assert snapshot.changed(before, _only(own, snapshot.taken(customer.argocd.api, kinds))) == set()
    found = edge.cluster.api.get("/apis/apps/v1/namespaces/cert-manager/deployments/cert-manager")
    assert "--v=4" in found["spec"]["template"]["spec"]["containers"][0]["args"]


def _only(own: set[Identity], objects: dict[Identity, Object]) -> dict[Identity, Object]:
    return {each: obj for each, obj in objects.items() if each in own}


def _registration(cluster: Cluster) -> Object:
    """The Secret by which Argo CD knows another cluster."""
    place = cluster.api.place
    keys = {"caData": place.authority, "certData": place.client.certificate, "keyData": place.client.key}
    tls = {name: base64.b64encode(path.read_bytes()).decode() for name, path in keys.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": EDGE,
            "namespace": argo.NAMESPACE,
            "labels": {"argocd.argoproj.io/secret-type": "cluster"},
        },
        "stringData": {
            "name": EDGE,
            "server": f"https://{place.host}:{place.port}",
            "config": json.dumps({"tlsClientConfig": tls}),
        },
    }
