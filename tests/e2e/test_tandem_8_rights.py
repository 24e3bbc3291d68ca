"""The rights of each role: none is missing, none is there without a reason, and each is missed if taken away."""

from __future__ import annotations

import contextlib
import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from e2e.rig import waiting
from e2e.rig.balancers import balancer
from e2e.rig.shop import CALLERS, NAME, ZONE, external_secret, ingress

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.rig.scene import Scene

REVIEWED = Path(__file__).with_name("unused-grants.yaml")
# Assuming the own role is a matter of trust, not of the role's policy.
TRUST = {"sts:AssumeRoleWithWebIdentity", "eks-auth:AssumeRoleForPodIdentity"}
SAMPLE = 4


def granted(scene: Scene, addon: str) -> set[str]:
    """The actions that the deployed policies of an add-on's role name."""
    documents = scene.aws.account.policies(f"{NAME}-{addon}")
    return {action for each in documents for statement in each["Statement"] for action in statement["Action"]}


def used(scene: Scene, addon: str) -> set[str]:
    """The actions that the gate has let through for the role, in all tests until now."""
    return scene.aws.gate.used(scene.role(addon)) - TRUST


def reviewed(addon: str) -> set[str]:
    """The actions of an add-on that unused-grants.yaml has a reason for."""
    reasons: dict[str, list[str]] = yaml.safe_load(REVIEWED.read_text(encoding="utf-8"))[addon] or {}
    return {action for actions in reasons.values() for action in actions}


def test_every_grant_is_used_or_reviewed(scene: Scene) -> None:
    """What a policy grants is used in these tests, or has a reason in `tests/e2e/unused-grants.yaml`, and not both."""
    for addon in CALLERS:
        exercise(scene, addon)

    unused = {addon: granted(scene, addon) - used(scene, addon) for addon in CALLERS}

    assert unused == {addon: reviewed(addon) for addon in CALLERS}


def test_nothing_is_used_that_is_not_granted(scene: Scene) -> None:
    """No call of a controller was refused, but for the parameter outside of the prefix."""
    assert {addon: used(scene, addon) - granted(scene, addon) for addon in CALLERS} == {
        addon: set() for addon in CALLERS
    }
    refused = {each.action for each in scene.aws.gate.calls if each.denied} - TRUST
    assert refused <= {"ssm:GetParameter"}


def test_taking_away_a_right_is_noticed(scene: Scene) -> None:
    """Without any one action that is used its add-on's exercise fails: a sample each run, all of them on request."""
    every = sorted((addon, action) for addon in CALLERS for action in used(scene, addon))
    seed = os.environ.get("OKGEN_E2E_SEED") or time.strftime("%Y%m%d")
    some = random.Random(seed).sample(every, SAMPLE)  # noqa: S311 - nothing secret
    chosen = every if os.environ.get("OKGEN_E2E_EVERY_GRANT") else some

    unnoticed = [each for each in chosen if not _noticed(scene, *each)]

    assert unnoticed == [], f"seed {seed}"


def _noticed(scene: Scene, addon: str, action: str) -> bool:
    """Whether the exercise fails while the role lacks the action."""
    scene.aws.gate.withheld.add((scene.role(addon), action))
    try:
        exercise(scene, addon)
    except AssertionError:
        return True
    finally:
        scene.aws.gate.withheld.clear()
        _tidy(scene)
    return False


# ------------------------------------------------------------------------------------------------------------ exercises


def exercise(scene: Scene, addon: str) -> None:
    """What an add-on is there for, once through. Raises AssertionError as soon as AWS refuses one of its calls."""
    start = len(scene.aws.gate.calls)
    role = scene.role(addon)

    def until(what: str, probe: Callable[[], Any]) -> Any:
        def watched() -> Any:
            refused = [each.denied for each in scene.aws.gate.calls[start:] if each.denied and each.role == role]
            if refused:
                raise _RefusedError(refused[0])
            return probe()

        try:
            return waiting.until(what, watched, within=60)
        except _RefusedError as why:
            raise AssertionError(str(why)) from None

    {"external-secrets": _secrets, "external-dns": _records, "aws-load-balancer-controller": _balancers}[addon](
        scene, until
    )


class _RefusedError(Exception):
    """A call was refused: there is nothing to wait for."""


Until = "Callable[[str, Callable[[], Any]], Any]"


def _secrets(scene: Scene, until: Any) -> None:
    """One parameter by name, all below a path."""
    one = external_secret("mutant", "/shop/prod/database/password")
    all_below = external_secret("mutants", "")
    below = {"path": "/shop/prod", "name": {"regexp": ".*"}}
    no_slashes = [{"regexp": {"source": "/", "target": "_"}}]
    all_below["spec"] |= {"data": [], "dataFrom": [{"find": below, "rewrite": no_slashes}]}
    scene.cluster.kubectl.apply([one, all_below])
    for name in ("mutant", "mutants"):
        until(f"Secret {name}", lambda name=name: scene.get(f"secret/{name}"))
    scene.cluster.kubectl("delete", "externalsecret/mutant", "externalsecret/mutants", "--namespace=shop")


def _records(scene: Scene, until: Any) -> None:
    """A host of an Ingress that has an address."""
    scene.cluster.kubectl.apply([ingress("mutant", f"mutant-{time.time_ns()}.{ZONE}", class_name="nginx")])
    status = '{"status": {"loadBalancer": {"ingress": [{"hostname": "mutant-1.eu-west-1.elb.amazonaws.com"}]}}}'
    scene.cluster.kubectl(
        "patch", "ingress/mutant", "--namespace=shop", "--subresource=status", "--type=merge", "-p", status
    )
    host = (scene.get("ingress/mutant") or {})["spec"]["rules"][0]["host"]
    until("a record", lambda: scene.leads(host))
    scene.cluster.kubectl("delete", "ingress/mutant", "--namespace=shop")


def _balancers(scene: Scene, until: Any) -> None:
    """A load balancer made, changed in every way the stand-in knows, and deleted."""
    tags = {"ingress.k8s.aws/stack": "shop/mutant"}
    first = ingress(
        "mutant",
        f"mutant.{ZONE}",
        tags="a=1",
        listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]',
        load_balancer_attributes="idle_timeout.timeout_seconds=90",
    )
    scene.cluster.kubectl.apply([first])
    until("a load balancer", lambda: scene.address("mutant"))
    second = ingress(
        "mutant",
        f"other-mutant.{ZONE}",
        tags="b=2",
        healthcheck_path="/other",
        ssl_policy="ELBSecurityPolicy-TLS13-1-3-2021-06",
        listen_ports='[{"HTTPS": 443}]',
    )
    scene.cluster.kubectl.apply([second])

    def changed() -> bool:
        now = balancer(scene.aws, tags)
        return bool(
            now
            and set(now.listeners) == {443}
            and "b" in now.tags
            and "a" not in now.tags
            and now.groups[0]["HealthCheckPath"] == "/other"
            and now.policies[443].endswith("TLS13-1-3-2021-06")
            and [host for host, *_ in now.rules[443]] == [f"other-mutant.{ZONE}"]
        )

    until("all changes", changed)
    pods = {"spec": {"replicas": 3}}
    for count in (3, 2):
        pods["spec"]["replicas"] = count
        scene.cluster.kubectl("scale", "deployment/shop", f"--replicas={count}", "--namespace=shop")
        until(f"{count} targets", lambda count=count: _targets(scene, tags) == count)
    scene.cluster.kubectl("delete", "ingress/mutant", "--namespace=shop", "--wait=false")
    until("nothing of it", lambda: scene.get("ingress/mutant") is None)


def _targets(scene: Scene, tags: dict[str, str]) -> int:
    found = balancer(scene.aws, tags)
    return len(found.targets) if found else 0


def _tidy(scene: Scene) -> None:
    """Takes away what an exercise left half done, with all rights there again."""
    kubectl = scene.cluster.kubectl
    with contextlib.suppress(AssertionError):
        kubectl("scale", "deployment/shop", "--replicas=2", "--namespace=shop")
    kubectl("delete", "ingress/mutant", "--namespace=shop", "--ignore-not-found", "--timeout=60s")
    kubectl("delete", "externalsecret/mutant", "externalsecret/mutants", "--namespace=shop", "--ignore-not-found")
