"""An Ingress brings up an ALB: the stand-in's calls under ServiceAccount, RBAC, role and policy as rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.rig import waiting
from e2e.rig.balancers import balancer, left_behind, security_groups
from e2e.rig.shop import APP, NAME, ZONE, ingress

if TYPE_CHECKING:
    from e2e.rig.balancers import Balancer
    from e2e.rig.scene import Scene

CLUSTER = {"elbv2.k8s.aws/cluster": NAME}
NOTE = "alb.ingress.kubernetes.io/"


def of(scene: Scene, ingress: str = "shop") -> Balancer | None:
    return balancer(scene.aws, {**CLUSTER, "ingress.k8s.aws/stack": f"shop/{ingress}"})


def served(scene: Scene) -> Balancer:
    """The shop's load balancer, once its Ingress names it."""
    name = waiting.until("an address", lambda: scene.address("shop"))
    found = of(scene)
    assert found
    assert found.dns == name
    return found


def test_an_ingress_brings_up_a_load_balancer(scene: Scene) -> None:
    """Listener, rules, target group, certificate and this cluster's tags are what Ingress, pods and ACM say."""
    found = served(scene)

    assert found.scheme == "internet-facing"
    assert found.subnets == {scene.network.subnets[name] for name in ("public-a", "public-b")}
    assert {**CLUSTER, "team": "shop"}.items() <= found.tags.items()
    assert found.listeners == {443: "HTTPS"}
    assert found.certificates == {443: [scene.certificate]}
    assert found.policies == {443: "ELBSecurityPolicy-TLS13-1-2-2021-06"}
    assert sorted(found.rules[443]) == [(ZONE, "/*", "forward"), (f"www.{ZONE}", "/*", "forward")]
    assert [(each["TargetType"], each["HealthCheckPath"]) for each in found.groups] == [("ip", "/readyz")]
    pods = scene.cluster.kubectl.list("pods", "shop")
    waiting.until("the pods as targets", lambda: served(scene).targets == {_target(each) for each in pods})


def _target(pod: dict[str, dict[str, str]]) -> tuple[str, int]:
    return pod["status"]["podIP"], 9898


def test_only_its_security_group_is_opened(scene: Scene) -> None:
    """The load balancer's group admits the world at the listener's port, and the nodes' group admits that group."""
    served(scene)

    (group,) = security_groups(scene.aws, "elbv2.k8s.aws/cluster")
    admitted = {(rule["FromPort"], each["CidrIp"]) for rule in group["IpPermissions"] for each in rule["IpRanges"]}
    assert admitted == {(443, "0.0.0.0/0")}
    assert left_behind(scene.aws, scene.network.vpc)["openings of the nodes' group"] == [group["GroupId"]]


def test_changed_annotations_change_it_in_place(scene: Scene) -> None:
    """A listener, an attribute, a health check and a tag change on the same load balancer; so they do back."""
    before = served(scene)
    changes = {
        "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        "healthcheck-path": "/healthz",
        "load-balancer-attributes": "idle_timeout.timeout_seconds=120",
        "tags": "owner=platform",
    }
    words = [f"{NOTE}{name}={value}" for name, value in changes.items()]
    scene.cluster.kubectl("annotate", "ingress/shop", "--namespace=shop", "--overwrite", *words)

    waiting.until("both listeners", lambda: _changed(served(scene)))

    after = served(scene)
    scene.cluster.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", str(APP))
    scene.cluster.kubectl("annotate", "ingress/shop", "--namespace=shop", f"{NOTE}load-balancer-attributes-")
    assert after.arn == before.arn
    assert {**CLUSTER, "owner": "platform"}.items() <= after.tags.items()
    assert "team" not in after.tags
    assert after.attributes["idle_timeout.timeout_seconds"] == "120"
    waiting.until(
        "the first state", lambda: (now := of(scene)) and now.listeners == {443: "HTTPS"} and "team" in now.tags
    )


def _first(now: Balancer) -> bool:
    return now.listeners == {443: "HTTPS"} and "team" in now.tags


def _changed(now: Balancer) -> bool:
    return (
        now.listeners == {80: "HTTP", 443: "HTTPS"}
        and now.groups[0]["HealthCheckPath"] == "/healthz"
        and "owner" in now.tags
        and len(now.rules[80]) == 2
    )


def test_an_ingress_of_another_class_is_left_alone(scene: Scene) -> None:
    """Nothing is made for an Ingress of a class that is not this controller's."""
    scene.cluster.kubectl.apply([ingress("foreign", f"foreign.{ZONE}", class_name="nginx")])
    calls = len(scene.aws.gate.calls)

    waiting.until("two more rounds", lambda: len(scene.aws.gate.calls) > calls + 20)

    scene.cluster.kubectl("delete", "ingress/foreign", "--namespace=shop")
    assert of(scene, "foreign") is None


def test_deleting_the_ingress_removes_it(scene: Scene) -> None:
    """Load balancer, target group, security group and the opening in the nodes' group go with the Ingress."""
    before = left_behind(scene.aws, scene.network.vpc)
    scene.cluster.kubectl.apply([ingress("second", f"second.{ZONE}")])
    waiting.until("a second one", lambda: of(scene, "second"))

    scene.cluster.kubectl("delete", "ingress/second", "--namespace=shop")

    waiting.until("as it was before", lambda: left_behind(scene.aws, scene.network.vpc) == before)
