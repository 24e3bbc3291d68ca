"""Kubernetes 1.21: ALB Ingress Controller 1.1.9 and ExternalDNS, both real, as okgen renders them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

import rendering
from e2e.rig import aws as cloud
from e2e.rig import waiting
from e2e.rig.balancers import balancer, left_behind
from e2e.rig.pods import Pods, Start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.rig.aws import Aws, Network
    from e2e.rig.balancers import Balancer
    from e2e.rig.controlplane import Cluster

NAME, ZONE, HOST = "shop-old", "old.example.net", "www.old.example.net"
REVIEWED = Path(__file__).with_name("unused-grants.yaml")
NOTE = "alb.ingress.kubernetes.io/"
# It reads changed annotations by one event and acts upon another, in no fixed order, and makes up for that with a
# sync only every hour. It has to be longer than the interval of health checks.
QUICK = Start(extra=("--sync-period=20s",))
CLUSTER_YAML = """
apiVersion: okgen.dev/v1alpha1
kind: Cluster
metadata: {name: shop-old}
kubernetesVersion: "1.21"
aws: {accountId: "123456789012", region: eu-west-1, identity: irsa}
gitops: {repository: https://github.com/acme/platform.git}
addons:
  alb-ingress-controller: {defaultTargetType: ip}
  external-dns: {interval: 3s, zonesCacheDuration: 0s, policy: sync}
"""


class Old(NamedTuple):
    """The scene."""

    cluster: Cluster
    aws: Aws
    pods: Pods
    network: Network
    zone: str
    certificate: str

    def balancer(self) -> Balancer | None:
        """The shop's load balancer."""
        return balancer(self.aws, {"ingress.k8s.aws/cluster": NAME, "ingress.k8s.aws/stack": "shop/shop"})

    def made(self) -> Balancer:
        """The same, which must be there."""
        found = self.balancer()
        assert found
        return found

    def address(self) -> str:
        """What the status of the Ingress says."""
        found = self.cluster.kubectl.get("ingress/shop", "shop") or {}
        addresses = found.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        return addresses[0].get("hostname", "") if addresses else ""


@pytest.fixture(scope="module")
def old(cluster_of_old: Cluster, aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    """The tree for a cluster of 1.21, its roles deployed, both controllers running; no Ingress yet."""
    cluster = cluster_of_old
    cloud.register(aws, cluster)
    network = cloud.make_network(aws, NAME)
    zone = cloud.make_zone(aws, ZONE)
    certificate = aws.client("acm").request_certificate(DomainName=f"*.{ZONE}")["CertificateArn"]
    document = yaml.safe_load(CLUSTER_YAML)
    document["aws"] |= {"vpcId": network.vpc, "oidcIssuer": cluster.issuer}
    document["dns"] = {"zones": [{"name": ZONE, "id": zone}]}
    result = rendering.rendered(_repository(tmp_path_factory), document)
    cloud.deploy(aws, result.tree["iam/cloudformation.yaml"])
    objects = [
        each for each in result.objects if each["apiVersion"] != "argoproj.io/v1alpha1" and each["kind"] != "ConfigMap"
    ]
    cluster.kubectl.apply(sorted(objects, key=lambda each: each["kind"] != "Namespace"))
    pods = Pods(cluster, "eu-west-1", [], cluster.authority.certificate)
    found = Old(cluster, aws, pods, network, zone, certificate)
    cluster.kubectl.apply(application())
    for namespace, deployment in (("kube-system", "alb-ingress-controller"), ("external-dns", "external-dns")):
        cluster.kubectl(
            "wait", f"deployment/{deployment}", f"--namespace={namespace}", "--for=condition=Available", "--timeout=60s"
        )
    _give_interfaces(found)
    pods.start("kube-system", "alb-ingress-controller", QUICK, ready=False)
    pods.start("external-dns", "external-dns")
    yield found
    pods.stop(*pods.running.values())


def _repository(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("old")
    (folder / ".git").mkdir()
    return folder


def _give_interfaces(old: Old) -> None:
    """Network interfaces with the addresses of the shop's pods, as the CNI of EKS gives them to nodes."""
    old.cluster.kubectl("wait", "deployment/shop", "--namespace=shop", "--for=condition=Available", "--timeout=60s")
    ec2 = old.aws.client("ec2")
    for address in addresses(old):
        ec2.create_network_interface(
            SubnetId=old.network.subnets["private-a"], PrivateIpAddress=address, Groups=[old.network.node_group]
        )


def addresses(old: Old) -> list[str]:
    """Of the shop's pods."""
    return [each["status"]["podIP"] for each in old.cluster.kubectl.list("pods", "shop")]


def application() -> list[dict[str, Any]]:
    """A Deployment of two pods and its Service."""
    labels = {"app": "shop"}
    container = {"name": "shop", "image": "ghcr.io/acme/shop:1", "ports": [{"containerPort": 8080}]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]


def ingress(**notes: str) -> dict[str, Any]:
    """The shop's Ingress, as such a cluster has it; more annotations may be given or replaced."""
    said = {
        "scheme": "internet-facing",
        "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        "tags": "team=shop",
        "healthcheck-path": "/ready",
        "actions.to-https": json.dumps(
            {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
        ),
        **{name.replace("_", "-"): value for name, value in notes.items()},
    }
    backends = [("to-https", "use-annotation"), ("shop", 80)]
    paths = [
        {"path": "/*", "pathType": "ImplementationSpecific", "backend": {"serviceName": name, "servicePort": port}}
        for name, port in backends
    ]
    return {
        "apiVersion": "extensions/v1beta1",
        "kind": "Ingress",
        "metadata": {
            "name": "shop",
            "namespace": "shop",
            "annotations": {"kubernetes.io/ingress.class": "alb", **{NOTE + key: value for key, value in said.items()}},
        },
        "spec": {"rules": [{"host": HOST, "http": {"paths": paths}}]},
    }


def leads(old: Old) -> str:
    """Where the alias of the host leads."""
    found = cloud.records(old.aws, old.zone).get((HOST, "A"), {})
    return str(found.get("AliasTarget", {}).get("DNSName", "")).removesuffix(".")


def test_an_ingress_brings_up_a_load_balancer_and_a_record(old: Old) -> None:
    """Ingress → ALB → its name in the status → alias and ownership record, in one go, under okgen's IRSA roles."""
    old.cluster.kubectl.apply([ingress()])

    address = waiting.until("an address", old.address, within=120)
    waiting.until("the alias", lambda: leads(old) == address, within=60)

    found = old.made()
    assert found.dns == address
    assert found.scheme == "internet-facing"
    assert found.subnets == {old.network.subnets[name] for name in ("public-a", "public-b")}
    assert {
        "team": "shop",
        "ingress.k8s.aws/cluster": NAME,
        f"kubernetes.io/cluster/{NAME}": "owned",
    }.items() <= found.tags.items()
    assert found.listeners == {80: "HTTP", 443: "HTTPS"}
    assert found.certificates[443] == [old.certificate]
    assert found.rules == {80: [(HOST, "/*", "redirect")], 443: [(HOST, "/*", "forward")]}
    assert [(each["TargetType"], each["HealthCheckPath"]) for each in found.groups] == [("ip", "/ready")]
    assert found.targets == {(each, 8080) for each in addresses(old)}
    assert (f"_externaldns-a.{HOST}", "TXT") in cloud.records(old.aws, old.zone)


def test_its_pods_become_ready(old: Old) -> None:
    """/healthz, which asks AWS for what the role must allow, answers the readiness probe that okgen renders."""
    pod = old.pods.running["kube-system.alb-ingress-controller"]

    waiting.until("the readiness probe", pod.ready, within=90)


def test_changed_annotations_change_it(old: Old) -> None:
    """Tags, health check and an attribute change in place; a listener goes."""
    before = old.made()
    changes = {
        "tags": "owner=platform",
        "healthcheck_path": "/live",
        "listen_ports": '[{"HTTPS": 443}]',
        "load_balancer_attributes": "idle_timeout.timeout_seconds=300",
    }
    old.cluster.kubectl.apply([ingress(**changes)])

    def changed() -> bool:
        now = old.made()
        return (
            set(now.listeners) == {443}
            and "owner" in now.tags
            and "team" not in now.tags
            and now.groups[0]["HealthCheckPath"] == "/live"
            and now.attributes["idle_timeout.timeout_seconds"] == "300"
        )

    waiting.until("all changes", changed, within=120)
    assert old.made().arn == before.arn


def test_deleting_the_ingress_leaves_nothing(old: Old) -> None:
    """Load balancer, target groups, security groups and records are gone with the Ingress."""
    old.cluster.kubectl("delete", "ingress.extensions/shop", "--namespace=shop")

    waiting.until("no load balancer", lambda: old.balancer() is None, within=120)
    waiting.until("nothing of it", lambda: not any(_own(old).values()), within=120)
    waiting.until("no records", lambda: not cloud.records(old.aws, old.zone), within=60)


def _own(old: Old) -> dict[str, list[str]]:
    """What is left behind in this scene's VPC."""
    return left_behind(old.aws, old.network.vpc)


def test_no_call_was_refused(old: Old) -> None:
    """All that both controllers asked of AWS was granted by the policies that okgen renders."""
    roles = {old.aws.account.role_arn(f"{NAME}-{addon}") for addon in ("alb-ingress-controller", "external-dns")}
    refused = {(each.action, each.denied) for each in old.aws.gate.calls if each.role in roles and each.denied}

    assert refused == set()


def test_every_grant_is_used_or_reviewed(old: Old) -> None:
    """What the policies grant is used in these tests, or has a reason in `tests/e2e/unused-grants.yaml`."""
    reviewed = yaml.safe_load(REVIEWED.read_text(encoding="utf-8"))
    for addon in ("alb-ingress-controller", "external-dns"):
        documents = old.aws.account.policies(f"{NAME}-{addon}")
        granted = {action for each in documents for said in each["Statement"] for action in said["Action"]}
        used = old.aws.gate.used(old.aws.account.role_arn(f"{NAME}-{addon}"))
        assert granted - used == {action for actions in reviewed[addon].values() for action in actions}, addon
