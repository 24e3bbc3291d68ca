"""The host of an Ingress gets a record that leads to its ALB: ExternalDNS, as okgen renders it, in Route 53."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.rig import aws as cloud
from e2e.rig import waiting
from e2e.rig.pods import Start
from e2e.rig.shop import NAME, ZONE, ingress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.rig.scene import Scene

OWN = f"heritage=external-dns,external-dns/owner={NAME}-eu-west-1-"


@pytest.mark.parametrize("host", [ZONE, f"www.{ZONE}"], ids=["apex", "sub-domain"])
def test_a_host_leads_to_its_load_balancer(scene: Scene, host: str) -> None:
    """The zone's own name and a name below it are aliases of the ALB, each with an ownership record of this cluster."""
    address = waiting.until("an address", lambda: scene.address("shop"))

    waiting.until(f"an alias of {host}", lambda: scene.leads(host) == f"{address}", within=60)

    found = scene.records()
    text = found[(f"_externaldns-a.{host}", "TXT")]["ResourceRecords"][0]["Value"].strip('"')
    assert text.startswith(OWN)
    assert "external-dns/resource=ingress/shop/shop" in text


def test_a_zone_outside_the_filter_is_never_touched(scene: Scene) -> None:
    """A host of another zone of the account: no record there, and not even a look at its records."""
    scene.cluster.kubectl.apply([ingress("other", "www.other.example.org")])
    scene.rounds()

    scene.cluster.kubectl("delete", "ingress/other", "--namespace=shop")
    assert cloud.records(scene.aws, scene.other_zone) == {}
    about = {each for seen in scene.aws.gate.calls for each in seen.resources if "hostedzone" in each}
    assert about == {f"arn:aws:route53:::hostedzone/{scene.zone}"}


@pytest.fixture
def syncing(scene: Scene) -> Iterator[None]:
    """`policy: sync`, for a while: stack first, then the tree, as docs/iam.md says."""
    scene.render(addons={"external-dns": {"policy": "sync"}})
    scene.change("external-dns")
    yield
    scene.render()
    scene.change("external-dns")


def test_upsert_only_leaves_the_record_of_a_deleted_ingress(scene: Scene) -> None:
    """Under `upsert-only` a record outlives its Ingress, and the role could not delete it either."""
    scene.cluster.kubectl.apply([ingress("left", f"left.{ZONE}")])
    waiting.until("a record", lambda: scene.leads(f"left.{ZONE}"), within=60)

    scene.cluster.kubectl("delete", "ingress/left", "--namespace=shop")
    scene.rounds()

    assert scene.leads(f"left.{ZONE}")
    denied = [each for each in scene.aws.gate.calls if each.denied and each.role == scene.role("external-dns")]
    assert denied == []
    policy = scene.aws.account.policies(f"{NAME}-external-dns")
    assert "DELETE" not in str(policy)


@pytest.mark.usefixtures("syncing")
def test_sync_removes_the_record_with_the_ingress(scene: Scene) -> None:
    """Under `sync` a record and its ownership records go with the Ingress; what was left before goes too."""
    scene.cluster.kubectl.apply([ingress("gone", f"gone.{ZONE}")])
    waiting.until("a record", lambda: scene.leads(f"gone.{ZONE}"), within=60)

    scene.cluster.kubectl("delete", "ingress/gone", "--namespace=shop")

    hosts = {ZONE, f"www.{ZONE}"}
    waiting.until("only the shop's records", lambda: _hosts(scene.records()) == hosts, within=60)


def _hosts(records: dict[tuple[str, str], Any]) -> set[str]:
    return {name.removeprefix("_externaldns-aaaa.").removeprefix("_externaldns-a.") for name, _ in records}


@pytest.mark.usefixtures("syncing")
def test_a_second_cluster_on_the_zone_leaves_these_records_alone(scene: Scene) -> None:
    """Another cluster's external-dns, with its own owner id and `sync`, neither deletes nor takes over these."""
    address = waiting.until("an address", lambda: scene.address("shop"))
    waiting.until("the shop's record", lambda: scene.leads(f"www.{ZONE}") == address)
    scene.cluster.kubectl.apply([ingress("rival", f"www.{ZONE}", class_name="nginx", namespace="default")])
    scene.cluster.kubectl.apply([ingress("own", f"own.{ZONE}", class_name="nginx", namespace="default")])
    for name in ("rival", "own"):
        status = '{"status": {"loadBalancer": {"ingress": [{"hostname": "other-1.eu-west-1.elb.amazonaws.com"}]}}}'
        call = ("patch", f"ingress/{name}", "--namespace=default", "--subresource=status", "--type=merge", "-p", status)
        scene.cluster.kubectl(*call)
    scene.stop("external-dns", "external-dns")
    before = {key: each for key, each in scene.records().items() if "own." not in key[0]}

    # The other cluster sees only its own Ingresses, which a namespace stands for here.
    owner = {"--txt-owner-id": "it is another cluster's"}
    words = ("--txt-owner-id=shop-dr-eu-west-1-12345678", "--namespace=default")
    other = scene.start("external-dns", "external-dns", Start(beside="second", without=owner, extra=words))
    waiting.until("its own record", lambda: scene.leads(f"own.{ZONE}").startswith("other-1."), within=60)
    scene.rounds()
    after = scene.records()

    scene.cluster.kubectl("delete", "ingress/rival", "ingress/own", "--namespace=default")
    waiting.until("its own record gone", lambda: not scene.leads(f"own.{ZONE}"), within=60)
    scene.pods.stop(other)
    scene.start("external-dns", "external-dns")
    assert {key: each for key, each in after.items() if "own." not in key[0]} == before
