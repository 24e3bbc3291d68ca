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
from e2e.rig.balancers import balancer
from e2e.rig.gate import Gate
from e2e.rig.issuer import Issuer
from e2e.rig.pods import AGENT, Pods
from e2e.rig.shop import APP, CALLERS, NAME, SECRET, STORES, ZONE, external_secret, ingress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.rig.controlplane import Rig
    from e2e.rig.scene import Scene


REGIONAL = ("acm", "ec2", "elasticloadbalancing", "ssm", "sts")


class Partition(NamedTuple):
    """A partition: its name in ARNs, a region, the domain of endpoints, Route 53's, and where the gate listens."""

    name: str
    region: str
    suffix: str
    route53: str
    address: str

    def host(self, service: str) -> str:
        """Whom a service is asked from."""
        return self.route53 if service == "route53" else f"{service}.{self.region}.{self.suffix}"

    @property
    def hosts(self) -> list[str]:
        """All that the controllers may ask."""
        return [self.host(each) for each in (*REGIONAL, "route53")]


# "AWS service endpoints" in the AWS General Reference, for GovCloud and for China.
PARTITIONS = [
    Partition("aws-us-gov", "us-gov-west-1", "amazonaws.com", "route53.us-gov.amazonaws.com", "198.18.0.2"),
    Partition("aws-cn", "cn-north-1", "amazonaws.com.cn", "route53.amazonaws.com.cn", "198.18.0.3"),
]
ADDONS = ("external-secrets", "aws-load-balancer-controller", "external-dns")


Abroad = tuple[Partition, "Scene"]


@pytest.fixture(scope="module", params=PARTITIONS, ids=lambda each: each.name)
def abroad(
    request: pytest.FixtureRequest, scene: Scene, rig: Rig, run_folder: Path
) -> Iterator[tuple[Partition, Scene]]:
    """All that calls AWS, rendered for an account of another partition, with Pod Identity."""
    where: Partition = request.param
    scene.cluster.kubectl("apply", "--server-side", "--kustomize", str(APP))
    # Before the gate of the partition opens, which knows nothing of them.
    running = (scene.pods.running.get(".".join(CALLERS[each])) for each in ADDONS)
    scene.pods.stop(*filter(None, running))
    aws = _enter(where, scene.aws, rig)
    zone = cloud.make_zone(aws, ZONE)
    network = cloud.make_network(aws, NAME)
    aws.client("acm").request_certificate(DomainName=ZONE, SubjectAlternativeNames=[f"*.{ZONE}"])
    cloud.put_parameter(aws, SECRET, f"of {where.name}")
    issuer = Issuer(f"https://oidc.eks.{where.region}.{where.suffix}/id/{'0' * 32}", where.name)
    aws.gate.cluster.jwks.append(issuer.jwk)
    cloud.make_provider(aws, issuer.url)
    folder = run_folder / where.name
    (folder / ".git").mkdir(parents=True)
    pods = Pods(scene.cluster, where.region, [], scene.pods.trust, issuer)
    found = scene._replace(aws=aws, pods=pods, zone=zone, network=network, folder=folder)
    _render(where, found)
    found.deploy()
    found.sync(*ADDONS)
    found.settle("external-secrets")
    found.start_together(*ADDONS)
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


def _render(where: Partition, scene: Scene, identity: str = "pod-identity") -> None:
    issuer = scene.pods.issuer
    assert issuer
    account = {"accountId": "123456789012", "region": where.region, "vpcId": scene.network.vpc}
    document = {
        "apiVersion": "okgen.dev/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": NAME},
        "kubernetesVersion": "1.36",
        "aws": {**account, "identity": identity, "oidcIssuer": issuer.url},
        "dns": {"zones": [{"name": ZONE, "id": scene.zone}]},
        "gitops": {"repository": "https://github.com/acme/platform.git"},
        "addons": {
            "aws-load-balancer-controller": {},
            "cert-manager": {},
            "external-dns": {"interval": "3s", "zonesCacheDuration": "0s"},
            "external-secrets": {"stores": STORES[:1]},
        },
    }
    rendering.rendered(scene.folder, document)


def test_a_parameter_of_the_partition(abroad: Abroad) -> None:
    """External Secrets reads from the partition's SSM; the ARNs of role and parameter are the partition's."""
    where, scene = abroad
    scene.cluster.kubectl.apply([external_secret("abroad", SECRET)])

    waiting.until("the value", lambda: scene.content("abroad") == f"of {where.name}")

    scene.cluster.kubectl("delete", "externalsecret/abroad", "--namespace=shop")
    _only(where, scene, "ssm")


def test_a_load_balancer_in_the_partition(abroad: Abroad) -> None:
    """The stand-in asks the partition's EC2, ELB and ACM; subnets, groups and certificates are of its ARNs."""
    where, scene = abroad

    found = waiting.until("the shop's", lambda: balancer(scene.aws, {"ingress.k8s.aws/stack": "shop/shop"}))
    assert found

    assert found.arn.split(":")[1:4] == [where.name, "elasticloadbalancing", where.region]
    waiting.until("its name in the Ingress", lambda: scene.address("shop") == found.dns)
    for service in ("acm", "ec2", "elasticloadbalancing"):
        _only(where, scene, service)


def test_a_record_in_the_partition(abroad: Abroad) -> None:
    """ExternalDNS writes to the partition's Route 53; hosts, roles and zones are the partition's."""
    where, scene = abroad

    waiting.until("a record of the shop", lambda: any(name == f"www.{ZONE}" for name, _ in scene.records()), within=60)

    _only(where, scene, "route53")


def test_roles_by_web_identity_in_the_partition(abroad: Abroad) -> None:
    """With `identity: irsa` the regional STS of the partition is asked, for roles that trust its OIDC provider."""
    where, scene = abroad
    _render(where, scene, "irsa")
    scene.change(*ADDONS)
    before = len(scene.aws.gate.calls)
    cloud.put_parameter(scene.aws, SECRET, f"by irsa in {where.name}")
    scene.cluster.kubectl.apply([external_secret("irsa", SECRET), ingress("irsa", f"irsa.{ZONE}")])

    waiting.until("the value", lambda: scene.content("irsa") == f"by irsa in {where.name}")
    waiting.until("a load balancer", lambda: scene.address("irsa"))
    waiting.until("a record", lambda: any(name == f"irsa.{ZONE}" for name, _ in scene.records()), within=60)

    scene.cluster.kubectl("delete", "externalsecret/irsa", "ingress/irsa", "--namespace=shop")
    assert not any(each.action.startswith("eks-auth:") for each in scene.aws.gate.calls[before:])
    asked = {each.role for each in scene.aws.gate.calls if each.action == "sts:AssumeRoleWithWebIdentity"}
    assert asked == {scene.role(each) for each in ADDONS}
    assert {each.host for each in scene.aws.gate.calls if each.action.startswith("sts:")} == {where.host("sts")}
    _only(where, scene, "route53")


def _only(where: Partition, scene: Scene, service: str) -> None:
    """Nobody was refused, nobody asked elsewhere, and all that a service was asked for is the partition's."""
    calls = scene.aws.gate.calls
    assert [each for each in calls if each.denied] == []
    assert {each.host for each in calls if each.host != AGENT} <= set(where.hosts)
    asked = [each for each in calls if each.action.startswith(f"{service}:")]
    assert {each.host for each in asked} == {where.host(service)}
    assert {each.role.split(":")[1] for each in asked} == {where.name}
    assert {arn.split(":")[1] for each in asked for arn in each.resources if arn != "*"} <= {where.name}
