"""Tier 2.6: add-ons taken out of cluster.yaml go by a push alone, with all they had, in the right order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.rig import argocd as argo
from e2e.rig import snapshot
from e2e.rig.watch import Watch

if TYPE_CHECKING:
    from e2e.rig.controlplane import Cluster
    from e2e.rig.customer import Customer
    from e2e.rig.kube import Identity, Object

GONE = ("external-dns", "aws-load-balancer-controller")  # of waves 2 and 1
KEPT = ("CustomResourceDefinition", "Namespace")
DEPLOYMENTS = "/apis/apps/v1/deployments"


def test_removed_addons_go_in_order_and_others_do_not_move(customer: Customer, home: Cluster, shop: str) -> None:
    """The latest wave first, each with its objects, then the project is narrowed; CRDs and Namespaces stay."""
    going = {addon: customer.argocd.application(f"{shop}-{addon}") for addon in GONE}
    staying = [name for name in customer.argocd.names(shop) if name not in {shop, *(f"{shop}-{each}" for each in GONE)}]
    started = {name: customer.argocd.state(name).started for name in staying if not name.endswith("-namespaces")}
    unmoved, kinds = _held(customer, home, staying)

    with Watch(home.api, argo.APPLICATIONS, argo.PROJECTS, DEPLOYMENTS) as watch:
        done = customer.change(shop, "No more DNS", lambda spec: [spec["addons"].pop(each) for each in GONE])
        order = [watch.first(f"Application/{shop}-{addon}", "DELETED") for addon in GONE]
        customer.settled(shop, done.commit)

    assert order[0].revision < _asked_to_go(watch, f"Application/{shop}-{GONE[1]}"), "one after the other"
    for addon, event in zip(GONE, order, strict=True):
        assert watch.first(f"Deployment/{addon}", "DELETED").revision < event.revision, "with its objects"
    narrowed = [each for each in watch.of(f"AppProject/{shop}") if "external-dns" not in str(each.obj["spec"])]
    assert narrowed[0].revision > order[1].revision, "then the project is narrowed"

    _all_gone(home, list(going.values()))
    assert {name: customer.argocd.state(name).started for name in started} == started, "nothing else was synced"
    left = snapshot.taken(home.api, kinds)
    moved = {each for each in unmoved if unmoved[each] != left.get(each)}
    assert {each.name for each in moved} <= {f"{shop}-namespaces"}, "its digest has changed, nothing else"


def _asked_to_go(watch: Watch, name: str) -> int:
    """When an object's deletion began."""
    return next(each.revision for each in watch.of(name) if each.obj["metadata"].get("deletionTimestamp"))


def _all_gone(home: Cluster, applications: list[Object]) -> None:
    """Nothing is left of these Applications' objects but CRDs and Namespaces, which are."""
    objects = {each for application in applications for each in argo.objects(application)}
    kept = {each for each in objects if each.kind in KEPT}
    assert kept
    there = set(snapshot.taken(home.api, {kind for each in applications for kind in argo.kinds(each)}))
    assert objects & there == kept


def _held(customer: Customer, home: Cluster, names: list[str]) -> tuple[dict[Identity, Object], set[snapshot.Kind]]:
    """What the objects of some Applications hold."""
    applications = [customer.argocd.application(name) for name in names]
    own = {each for application in applications for each in argo.objects(application)}
    kinds = {kind for application in applications for kind in argo.kinds(application)}
    return {each: obj for each, obj in snapshot.taken(home.api, kinds).items() if each in own}, kinds
