"""The tandem in one go, by Argo CD: from an empty account and a push to a Secret, a load balancer and a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.rig.shop import DEPLOYMENTS, NAME, ZONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e2e.rig.pod import Pod
    from e2e.rig.rollout import Rollout
    from e2e.rig.scene import Scene


def test_every_application_is_synced_and_healthy(rollout: Rollout) -> None:
    """The root, the namespaces, every add-on and the application itself, with the controllers really running."""
    addons = ("aws-load-balancer-controller", "cert-manager", "external-dns", "external-secrets")

    assert rollout.states.keys() == {NAME, "shop", f"{NAME}-namespaces", *(f"{NAME}-{each}" for each in addons)}
    assert [name for name, state in rollout.states.items() if not state.settled] == []


def test_name_load_balancer_and_secret_are_there(scene: Scene) -> None:
    """Both hosts lead to the load balancer that the Ingress names, and the pod's environment has the parameter."""
    address = scene.address("shop")

    assert address.endswith(".eu-west-1.elb.amazonaws.com")
    assert {scene.leads(host) for host in (ZONE, f"www.{ZONE}")} == {address}
    assert scene.password() == "swordfish"


def test_no_call_was_refused_on_the_way(scene: Scene) -> None:
    """From the first start on, no controller asked AWS for anything that its role does not allow."""
    assert [each for each in scene.aws.gate.calls if each.denied] == []


def test_nothing_was_forbidden_in_the_cluster(scene: Scene) -> None:
    """Nor did it ask the API server for anything that its RBAC does not allow."""
    told = {name: [line for line in pod.log().splitlines() if "is forbidden" in line] for name, pod in running(scene)}

    assert {name: lines for name, lines in told.items() if lines} == {}


def running(scene: Scene) -> Iterable[tuple[str, Pod]]:
    """The controllers, of which there are as many as the shop's add-ons have Deployments."""
    assert scene.pods.running.keys() == {".".join(each) for each in DEPLOYMENTS}
    return scene.pods.running.items()
