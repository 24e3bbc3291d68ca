"""The end of an application, by Argo CD: what it had in AWS and in the cluster is gone when it is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from e2e.rig import waiting
from e2e.rig.balancers import left_behind
from e2e.rig.shop import CALLERS, NAME, ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.rig.rollout import Rollout


@pytest.fixture(scope="module")
def syncing(rollout: Rollout) -> Iterator[Rollout]:
    """Argo CD runs again, and external-dns with `policy: sync`: stack, push, and its pods start anew."""
    scene = rollout.scene
    rollout.argocd.resume()
    scene.render(addons={"external-dns": {"policy": "sync"}})
    scene.deploy()
    rollout.push("Let external-dns delete", f"{NAME}-external-dns")
    scene.stop(*CALLERS["external-dns"])
    scene.start(*CALLERS["external-dns"])
    waiting.until("the shop as Git has it", lambda: rollout.argocd.state("shop").settled)
    yield rollout
    rollout.argocd.pause()


def test_an_ingress_that_leaves_git_takes_its_load_balancer_along(syncing: Rollout) -> None:
    """A push without ingress.yaml: Argo CD prunes it; load balancer, security group, openings and records go."""
    scene, app = syncing.scene, syncing.repository.folder / "examples" / "shop" / "app"
    waiting.until("the shop's records", lambda: scene.leads(ZONE), within=60)
    assert all(left_behind(scene.aws, scene.network.vpc).values())

    whole = yaml.safe_load((app / "kustomization.yaml").read_text(encoding="utf-8"))
    whole["resources"].remove("ingress.yaml")
    (app / "kustomization.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    (app / "ingress.yaml").unlink()
    syncing.push("The shop goes off the net", "shop")

    waiting.until("no load balancers", lambda: not any(left_behind(scene.aws, scene.network.vpc).values()))
    # The ownership records of 0.21.0 stay, which ran before: docs/external-dns-upgrade.md.
    waiting.until(
        "no records", lambda: all(name.startswith("_externaldns-cname.") for name, _ in scene.records()), within=60
    )
    syncing.repository.undo()
    syncing.argocd.refresh("shop")
    # Only that, as moto does not make a record again that was deleted.
    waiting.until("a load balancer again", lambda: all(left_behind(scene.aws, scene.network.vpc).values()))


def test_a_deleted_application_leaves_nothing_behind(syncing: Rollout) -> None:
    """The Application is deleted: no load balancer, target group, security group, record or namespace is left."""
    scene = syncing.scene
    assert all(left_behind(scene.aws, scene.network.vpc).values())

    scene.cluster.kubectl("delete", "application/shop", "--namespace=argocd", "--timeout=120s")

    assert not any(left_behind(scene.aws, scene.network.vpc).values())
    waiting.until(
        "no records", lambda: all(name.startswith("_externaldns-cname.") for name, _ in scene.records()), within=60
    )
    scene.rounds()
    assert not [name for name, _ in scene.records() if not name.startswith("_externaldns-cname.")]
    assert scene.cluster.kubectl.get("namespace/shop") is None
