"""The tandem in one go, by Argo CD: from an empty account and a push to a Secret, a load balancer and a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.rig.scene import NAME, ZONE

if TYPE_CHECKING:
    from e2e.rig.scene import Scene


def test_every_application_is_synced_and_healthy(scene: Scene) -> None:
    """The root, the namespaces, every add-on and the application itself, with the controllers really running."""
    wanted = {NAME, "shop", *(f"{NAME}-{each.name}" for each in (scene.output / "addons").iterdir())}

    assert wanted | {f"{NAME}-namespaces"} == scene.installed.states.keys()
    assert [name for name, state in scene.installed.states.items() if not state.settled] == []


def test_name_load_balancer_and_secret_are_there(scene: Scene) -> None:
    """Both hosts lead to the load balancer that the Ingress names, and the pod's environment has the parameter."""
    address = scene.address("shop")

    assert address.endswith(".eu-west-1.elb.amazonaws.com")
    assert {scene.leads(host) for host in (ZONE, f"www.{ZONE}")} == {address}
    assert scene.password() == "swordfish"


def test_no_call_was_refused_on_the_way(scene: Scene) -> None:
    """From the first start on, no controller asked AWS for anything that its role does not allow."""
    assert [each for each in scene.aws.gate.calls if each.denied] == []
