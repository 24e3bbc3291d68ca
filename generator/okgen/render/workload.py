"""What every Deployment gets alike: replicas, resources, placement, spreading and a PodDisruptionBudget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from okgen.addons.catalogue import Addon, Workload

_POLICY_V1 = 21  # Kubernetes 1.21 has it first; kubernetes.io/docs/reference/using-api/deprecation-guide
_SPREAD_OVER = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")


class Settings(NamedTuple):
    """How one Deployment runs in one cluster; ``spread`` asks for spreading and a PodDisruptionBudget."""

    replicas: int
    resources: dict[str, Any]
    node_selector: dict[str, str]
    tolerations: list[dict[str, Any]]
    priority_class: str
    annotations: dict[str, str]
    spread: bool
    budget_api: str


_KEYS = ("replicas", "resources", "nodeSelector", "tolerations", "priorityClassName", "podAnnotations")


def keys(addon: Addon, workload: Workload) -> tuple[str, ...]:
    """The keys of an add-on's values that ``settings`` looks at."""
    return _KEYS if workload is addon.workloads[0] else (workload.name,)


def settings(addon: Addon, workload: Workload, values: dict[str, Any], profile: str, minor: int) -> Settings:
    """The settings of a workload, from the add-on's values with all defaults."""
    given = addon.section(workload, values)
    return Settings(
        replicas=given["replicas"],
        resources=workload.with_own(given["resources"]),
        node_selector=given["nodeSelector"],
        tolerations=given["tolerations"],
        priority_class=given.get("priorityClassName", ""),
        annotations=given["podAnnotations"],
        spread=profile == "production" and given["replicas"] > 1,
        budget_api="policy/v1" if minor >= _POLICY_V1 else "policy/v1beta1",
    )


def apply(deployment: dict[str, Any], chosen: Settings) -> dict[str, Any]:
    """The Deployment with these settings; the one given is not changed."""
    spec = deployment["spec"]
    template = spec["template"]
    pod = dict(template["spec"])
    first, *others = pod["containers"]
    pod["containers"] = [{**first, "resources": chosen.resources}, *others]
    node_selector = {**pod.get("nodeSelector", {}), **chosen.node_selector}
    if node_selector:
        pod["nodeSelector"] = node_selector
    if chosen.tolerations:
        pod["tolerations"] = chosen.tolerations
    if chosen.priority_class:
        pod["priorityClassName"] = chosen.priority_class
    if chosen.spread:
        labels = spec["selector"]["matchLabels"]
        pod["topologySpreadConstraints"] = [_spread(topology, labels) for topology in _SPREAD_OVER]
    metadata = template["metadata"]
    annotations = {**metadata.get("annotations", {}), **chosen.annotations}
    if annotations:
        metadata = {**metadata, "annotations": annotations}
    return {
        **deployment,
        "spec": {"replicas": chosen.replicas, **spec, "template": {**template, "metadata": metadata, "spec": pod}},
    }


def disruption_budget(deployment: dict[str, Any], api_version: str) -> dict[str, Any]:
    """One pod at a time may be evicted."""
    metadata = deployment["metadata"]
    return {
        "apiVersion": api_version,
        "kind": "PodDisruptionBudget",
        "metadata": {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": deployment["spec"]["selector"]["matchLabels"]}},
    }


def _spread(topology: str, labels: dict[str, str]) -> dict[str, Any]:
    # ScheduleAnyway: a cluster that shrinks to one zone must still be able to run its controllers.
    return {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
