"""A parameter of SSM becomes a Secret that a pod's environment resolves to: External Secrets, as okgen renders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.rig import aws as cloud
from e2e.rig import waiting
from e2e.rig.pods import PodError
from e2e.rig.shop import SECRET, external_secret

if TYPE_CHECKING:
    from e2e.rig.scene import Scene


def test_a_parameter_is_the_value_of_a_pods_environment(scene: Scene) -> None:
    """The parameter /shop/prod/database/password becomes a Secret; the pod's `secretKeyRef` resolves to its value."""
    waiting.until("Secret database", lambda: scene.get("secret/database"))

    assert scene.password() == "swordfish"


def test_a_changed_parameter_changes_the_secret(scene: Scene) -> None:
    """A new value of the parameter arrives in the Secret with the next refresh."""
    cloud.put_parameter(scene.aws, SECRET, "marlin")
    scene.refresh("database")

    waiting.until("the new value", lambda: scene.password() == "marlin")


def test_a_parameter_outside_the_prefix_is_refused(scene: Scene) -> None:
    """IAM refuses a parameter outside of the store's prefix: no Secret, and the ExternalSecret says why."""
    before = len(scene.aws.gate.calls)
    scene.cluster.kubectl.apply([external_secret("outside", "/shop/staging/database/password")])

    message = waiting.until("a refusal", lambda: scene.not_ready("outside"), within=60)

    scene.cluster.kubectl("delete", "externalsecret/outside", "--namespace=shop")
    assert "not authorized to perform ssm:GetParameter" in message or "AccessDenied" in message
    denied = [each for each in scene.aws.gate.calls[before:] if each.denied]
    assert {each.action for each in denied} == {"ssm:GetParameter"}
    assert scene.get("secret/outside") is None
    with pytest.raises(PodError):
        scene.pods.content("secret", "outside", "shop")


def test_a_namespace_that_the_store_does_not_name_is_refused(scene: Scene) -> None:
    """A store with `namespaces` serves these only: the operator refuses others without asking AWS."""
    cloud.put_parameter(scene.aws, "/shop/private/key", "of the shop")
    here, elsewhere = (
        external_secret("private", "/shop/private/key", store="private", namespace=space)
        for space in ("shop", "default")
    )
    scene.cluster.kubectl.apply([here, elsewhere])

    waiting.until("the shop's own", lambda: scene.get("secret/private"))
    message = waiting.until("a refusal", lambda: scene.not_ready("private", "default"), within=60)

    for space in ("shop", "default"):
        scene.cluster.kubectl("delete", "externalsecret/private", f"--namespace={space}")
    assert "not allowed" in message
    assert scene.get("secret/private", "default") is None


def test_the_webhook_refuses_what_the_operator_could_not_do(scene: Scene) -> None:
    """External Secrets' own webhook, certified by its own cert-controller, refuses an ExternalSecret without data."""
    empty = external_secret("empty", SECRET)
    empty["spec"]["data"] = []

    done = scene.cluster.kubectl.try_apply([empty])

    assert done.code != 0
    assert "validate.externalsecret.external-secrets.io" in done.err


def test_all_parameters_below_a_path(scene: Scene) -> None:
    """`dataFrom.find` with a path inside the prefix brings every parameter below it."""
    cloud.put_parameter(scene.aws, "/shop/prod/more/a", "1")
    cloud.put_parameter(scene.aws, "/shop/prod/more/b", "2")
    found = external_secret("more", "")
    below = {"path": "/shop/prod/more", "name": {"regexp": ".*"}}
    last_part = [{"regexp": {"source": ".*/", "target": ""}}]
    found["spec"] |= {"data": [], "dataFrom": [{"find": below, "rewrite": last_part}]}
    scene.cluster.kubectl.apply([found])

    waiting.until("the Secret", lambda: scene.get("secret/more"))

    assert scene.pods.content("secret", "more", "shop") == {"a": b"1", "b": b"2"}
    scene.cluster.kubectl("delete", "externalsecret/more", "--namespace=shop")
