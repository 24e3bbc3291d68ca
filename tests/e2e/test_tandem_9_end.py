"""The end of an application: what it had in AWS and in the cluster is gone when it is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.rig import waiting
from e2e.rig.balancers import left_behind

if TYPE_CHECKING:
    from e2e.rig.scene import Scene


def test_a_deleted_application_leaves_nothing_behind(scene: Scene) -> None:
    """With `policy: sync`: no load balancer, target group, security group or record is left, nor the namespace."""
    scene.render(addons={"external-dns": {"policy": "sync"}})
    scene.change("external-dns")

    scene.cluster.kubectl("delete", "--kustomize", str(scene.app), "--timeout=120s")

    waiting.until("no load balancers", lambda: not any(left_behind(scene.aws, scene.network.vpc).values()))
    waiting.until("no aliases", lambda: {kind for _, kind in scene.records()} <= {"TXT"}, within=60)
    scene.rounds()
    # Those of 0.21.0 stay, which ran before: docs/external-dns-upgrade.md.
    assert [name for name, _ in scene.records() if not name.startswith("_externaldns-cname.")] == []
    assert scene.cluster.kubectl.get("namespace/shop") is None
