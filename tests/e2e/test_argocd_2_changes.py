"""Tier 2.2: changes by hand in the cluster, by hand in Git, and by a value in cluster.yaml."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import yaml

from e2e.rig import argocd as argo
from e2e.rig import snapshot
from e2e.rig.kube import Identity
from e2e.rig.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.rig.controlplane import Cluster
    from e2e.rig.customer import Customer

DEPLOYMENTS = "/apis/apps/v1/namespaces/external-dns/deployments/external-dns"
KEEP = "argocd.argoproj.io/sync-options"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles/external-dns"


def test_what_is_edited_or_deleted_by_hand_is_healed(customer: Customer, home: Cluster, shop: str) -> None:
    """A Deployment's arguments, a deleted ClusterRole and an annotation of a CRD, without a commit."""
    before = home.api.get(DEPLOYMENTS)["spec"]["template"]["spec"]["containers"][0]["args"]
    path = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": ["--dry-run"]}]
    home.api.patch(DEPLOYMENTS, path, "application/json-patch+json")
    uid = home.api.get(ROLES)["metadata"]["uid"]
    home.api.delete(ROLES)
    crd = _crd("challenges.acme.cert-manager.io")
    home.api.patch(crd, {"metadata": {"annotations": {KEEP: None}}})

    def healed() -> bool:
        args = home.api.get(DEPLOYMENTS)["spec"]["template"]["spec"]["containers"][0]["args"]
        role = home.api.find(ROLES)
        kept = KEEP in home.api.get(crd)["metadata"]["annotations"]
        return args == before and role is not None and role["metadata"]["uid"] != uid and kept

    until("all are as they were", healed)
    customer.argocd.settled(customer.argocd.names(shop))


def test_a_removed_file_is_pruned_but_no_namespace_and_no_crd(customer: Customer, home: Cluster, shop: str) -> None:
    """Three files leave Git by one commit: a Service goes, its Namespace and a CRD stay; then all are taken back."""
    service = "/api/v1/namespaces/external-dns/services/external-dns"
    space, crd = "/api/v1/namespaces/external-dns", _crd("challenges.acme.cert-manager.io")
    uids = [home.api.get(path)["metadata"]["uid"] for path in (space, crd)]
    _drop(customer.tree(shop, "addons", "external-dns"), "service-external-dns.yaml")
    _drop(customer.tree(shop, "namespaces"), "namespace-external-dns.yaml")
    _drop(customer.tree(shop, "addons", "cert-manager"), "acme.cert-manager.io_challenges.yaml")
    commit = customer.repository.push("Remove three files by hand")
    customer.argocd.refresh(*customer.argocd.names(shop))
    until("the Service is pruned", lambda: home.api.find(service) is None)
    customer.settled(shop, commit)
    assert [home.api.get(path)["metadata"]["uid"] for path in (space, crd)] == uids
    assert "deletionTimestamp" not in home.api.get(space)["metadata"]

    commit = customer.repository.undo()
    customer.argocd.refresh(*customer.argocd.names(shop))
    customer.settled(shop, commit)
    assert home.api.find(service)


def test_a_value_reaches_exactly_the_objects_that_okgen_diff_names(
    customer: Customer, home: Cluster, shop: str
) -> None:
    """external-dns' log level: of all objects of all Applications those change that `okgen diff` names, no others."""
    before, kinds = _objects(customer, home, shop)
    cluster = customer.read(shop)
    cluster["addons"]["external-dns"] = {"policy": "upsert-only", "logLevel": "debug"}
    customer.write(shop, cluster)
    named = customer.diff()
    assert Identity("apps", "Deployment", "external-dns", "external-dns") in named
    done = customer.publish("More logs")
    customer.argocd.refresh(*customer.argocd.names(shop))
    customer.settled(shop, done.commit)
    assert snapshot.changed(before, snapshot.taken(home.api, kinds)) == named


def _objects(
    customer: Customer, home: Cluster, name: str
) -> tuple[dict[Identity, dict[str, object]], set[snapshot.Kind]]:
    """All objects of the kinds that a cluster's Applications have, the Applications among them."""
    applications = [customer.argocd.application(each) for each in customer.argocd.names(name)]
    kinds = {kind for each in applications for kind in argo.kinds(each)}
    # The controllers' own: leases and the like are of no Application.
    return snapshot.taken(home.api, kinds), kinds


def _drop(folder: Path, name: str) -> None:
    """Takes a file, or an upstream file by the end of its URL, out of a Kustomize folder."""
    path = folder / "kustomization.yaml"
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    kept = [each for each in value["resources"] if PurePosixPath(each).name != name]
    assert len(kept) == len(value["resources"]) - 1
    path.write_text(yaml.safe_dump(value | {"resources": kept}, sort_keys=False), encoding="utf-8")
    (folder / name).unlink(missing_ok=True)


def _crd(name: str) -> str:
    return f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
