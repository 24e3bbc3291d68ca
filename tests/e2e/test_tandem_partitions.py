"""GovCloud and China: the partition's endpoints are asked, for what the partition's ARNs in the policies allow."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

import pytest

import rendering
from e2e.rig import aws as cloud
from e2e.rig import waiting
from e2e.rig.account import Account
from e2e.rig.aws import Aws
from e2e.rig.gate import Gate
from e2e.rig.pods import AGENT, Pods
from e2e.rig.shop import APP, NAME, SECRET, STORES, ZONE, external_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.rig.controlplane import Rig
    from e2e.rig.scene import Scene


class Partition(NamedTuple):
    """A partition: its name in ARNs, a region of it, the hosts that are asked there, and where the gate listens."""

    name: str
    region: str
    hosts: tuple[str, ...]
    address: str


# Hosts: "AWS service endpoints" in the AWS General Reference, for GovCloud and for China.
PARTITIONS = [
    Partition(
        "aws-us-gov",
        "us-gov-west-1",
        ("ssm.us-gov-west-1.amazonaws.com", "route53.us-gov.amazonaws.com"),
        "198.18.0.2",
    ),
    Partition(
        "aws-cn",
        "cn-north-1",
        ("ssm.cn-north-1.amazonaws.com.cn", "route53.amazonaws.com.cn"),
        "198.18.0.3",
    ),
]


Abroad = tuple[Partition, "Scene"]


@pytest.fixture(scope="module", params=PARTITIONS, ids=lambda each: each.name)
def abroad(
    request: pytest.FixtureRequest, scene: Scene, rig: Rig, run_folder: Path
) -> Iterator[tuple[Partition, Scene]]:
    """External Secrets and ExternalDNS, rendered for an account of another partition, with Pod Identity."""
    where: Partition = request.param
    scene.cluster.kubectl("apply", "--server-side", "--kustomize", str(APP))
    aws = _enter(where, scene.aws, rig)
    zone = cloud.make_zone(aws, ZONE)
    cloud.put_parameter(aws, SECRET, f"of {where.name}")
    folder = run_folder / where.name
    (folder / ".git").mkdir(parents=True)
    pods = Pods(scene.cluster, where.region, [], scene.pods.trust)
    found = scene._replace(aws=aws, pods=pods, zone=zone, folder=folder)
    rendering.rendered(folder, _cluster(where, zone))
    for each in ("external-secrets", "external-dns"):
        if f"{each}.{each}" in scene.pods.running:
            scene.stop(each, each)
    found.deploy()
    found.sync("external-secrets", "external-dns")
    found.settle("external-secrets")
    found.start("external-secrets", "external-secrets")
    found.start("external-dns", "external-dns")
    yield where, found
    pods.stop(*pods.running.values())
    aws.gate.close()
    scene.aws.gate.open((AGENT, 80))


def _enter(where: Partition, aws: Aws, rig: Rig) -> Aws:
    """The same moto by another gate, with another account's view."""
    rig.isolation.hosts(dict.fromkeys(where.hosts, where.address))
    rig.isolation.network(f"{where.address}/32")
    gate = Gate(Account(where.region, where.name), aws.gate.cluster, rig.processes.folder / f"calls-{where.name}.jsonl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, rig.authority.issue(where.name, "aws", names=where.hosts)))
    gate.open((where.address, 443), context)
    aws.gate.close((AGENT, 80))
    gate.open((AGENT, 80))
    return Aws(gate.account, gate, aws.moto)


def _cluster(where: Partition, zone: str) -> dict[str, object]:
    return {
        "apiVersion": "okgen.dev/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": NAME},
        "kubernetesVersion": "1.36",
        "aws": {"accountId": "123456789012", "region": where.region},
        "dns": {"zones": [{"name": ZONE, "id": zone}]},
        "gitops": {"repository": "https://github.com/acme/platform.git"},
        "addons": {
            "external-dns": {"interval": "3s", "zonesCacheDuration": "0s"},
            "external-secrets": {"stores": STORES[:1]},
        },
    }


def test_a_parameter_of_the_partition(abroad: Abroad) -> None:
    """External Secrets reads from the partition's SSM; the ARNs of role and parameter are the partition's."""
    where, scene = abroad
    scene.cluster.kubectl.apply([external_secret("abroad", SECRET)])

    waiting.until("the value", lambda: scene.content("abroad") == f"of {where.name}")

    scene.cluster.kubectl("delete", "externalsecret/abroad", "--namespace=shop")
    _only(where, scene, "ssm")


def test_a_record_in_the_partition(abroad: Abroad) -> None:
    """ExternalDNS writes to the partition's Route 53; hosts, roles and zones are the partition's."""
    where, scene = abroad

    waiting.until("a record of the shop", lambda: any(name == f"www.{ZONE}" for name, _ in scene.records()), within=60)

    _only(where, scene, "route53")


def _only(where: Partition, scene: Scene, service: str) -> None:
    calls = scene.aws.gate.calls
    assert [each for each in calls if each.denied] == []
    assert {each.host for each in calls if each.host != AGENT} <= set(where.hosts)
    asked = [each for each in calls if each.action.startswith(f"{service}:")]
    assert asked
    assert {each.role.split(":")[1] for each in asked} == {where.name}
    assert {arn.split(":")[1] for each in asked for arn in each.resources if arn != "*"} == {where.name}
