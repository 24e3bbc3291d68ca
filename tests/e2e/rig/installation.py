"""Applies a rendered tree as Argo CD would: Application by Application, wave by wave, each waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from e2e.rig import waiting
from e2e.rig.kube import KubectlError, identity, text

if TYPE_CHECKING:
    from e2e.rig.controlplane import Cluster
    from e2e.rig.kube import Identity, Object
    from e2e.rig.tree import Tree
    from e2e.rig.webhooks import Webhooks

WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
PATIENCE = 90.0


class Installation(NamedTuple):
    """What came of it, in messages of the server.

    ``refused`` and ``warned`` were said of dry runs, ``failed`` in earnest; ``late`` is what was not ready in time.
    """

    cluster: Cluster
    tree: Tree
    applied: dict[Identity, Object]
    refused: list[str]
    warned: list[str]
    failed: list[str]
    late: list[str]


def install(cluster: Cluster, tree: Tree, webhooks: Webhooks) -> Installation:
    """Applies everything. Nothing that goes wrong stops it: the tests say what they make of it."""
    result = Installation(cluster, tree, {}, [], [], [], [])
    label_nodes(cluster, tree)
    for application in tree.applications:
        for wave in application.waves():
            _apply(wave, result)
            _settle(wave, result, webhooks)
    return result


def _apply(wave: list[Object], result: Installation) -> None:
    kubectl = result.cluster.kubectl
    dry = kubectl.try_apply(wave)
    if dry.code:
        result.refused.append(dry.err)
    elif dry.err:
        result.warned.append(dry.err)
    try:
        result.applied.update({identity(each): each for each in kubectl.apply(wave)})
    except KubectlError as problem:
        result.failed.append(str(problem))


def _settle(wave: list[Object], result: Installation, webhooks: Webhooks) -> None:
    for kind, condition in (("CustomResourceDefinition", "Established"), ("Deployment", "Available")):
        if found := [each for each in wave if each["kind"] == kind]:
            result.late.extend(not_yet(result.cluster, found, condition))
    if any(each["kind"] in WEBHOOKS for each in wave):
        without = waiting.latest(webhooks.play, lambda found: not found, PATIENCE)
        result.late.extend(f"no pod serves {host}" for host in without)


def not_yet(cluster: Cluster, objects: list[Object], condition: str, within: float = PATIENCE) -> list[str]:
    """Those of some objects that have not come into a condition in time, and what kubectl says of it."""
    flags = [f"--for=condition={condition}", f"--timeout={within:.0f}s"]
    done = cluster.kubectl.run("wait", *flags, "-f", "-", stdin=text(objects))
    return [done.err.strip()] if done.code else []


def label_nodes(cluster: Cluster, tree: Tree) -> None:
    """Gives the nodes the labels that the cluster.yaml asks for: a cluster it was written for has such nodes."""
    wanted: dict[str, str] = {}
    for deployment in tree.of_kind("Deployment"):
        wanted |= deployment["spec"]["template"]["spec"].get("nodeSelector", {})
    for node in cluster.api.items("/api/v1/nodes"):
        cluster.api.patch(f"/api/v1/nodes/{node['metadata']['name']}", {"metadata": {"labels": wanted}})
