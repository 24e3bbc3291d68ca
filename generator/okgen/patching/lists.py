"""Which lists a strategic merge patch merges element by element; Kustomize replaces every other list as a whole.

From the OpenAPI document in Kustomize 5 (kyaml/openapi, Kubernetes 1.21): ``x-kubernetes-patch-strategy`` with "merge",
``x-kubernetes-list-map-keys``, ``x-kubernetes-patch-merge-key``. What it does not know, as custom resources, has none.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str, ...]
ANY = "*"  # any element of a list, or any key of a map, in a path
Keys = tuple[str, ...]  # what tells the elements of a list apart; none for texts, which tell themselves apart

_KINDS = {
    "admissionregistration.k8s.io/v1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1beta1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "apiextensions.k8s.io/v1beta1": "CustomResourceDefinition",
    "apiregistration.k8s.io/v1": "APIService",
    "apiregistration.k8s.io/v1beta1": "APIService",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "HorizontalPodAutoscaler",
    "autoscaling/v2beta1": "HorizontalPodAutoscaler",
    "autoscaling/v2beta2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "batch/v1beta1": "CronJob",
    "certificates.k8s.io/v1": "CertificateSigningRequest",
    "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
    "coordination.k8s.io/v1": "Lease",
    "coordination.k8s.io/v1beta1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "discovery.k8s.io/v1beta1": "EndpointSlice",
    "extensions/v1beta1": "Ingress",
    "flowcontrol.apiserver.k8s.io/v1beta1": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
    "networking.k8s.io/v1beta1": "Ingress IngressClass",
    "node.k8s.io/v1": "RuntimeClass",
    "node.k8s.io/v1beta1": "RuntimeClass",
    "policy/v1": "PodDisruptionBudget",
    "policy/v1beta1": "PodDisruptionBudget PodSecurityPolicy",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "rbac.authorization.k8s.io/v1beta1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "scheduling.k8s.io/v1": "PriorityClass",
    "scheduling.k8s.io/v1beta1": "PriorityClass",
    "storage.k8s.io/v1": "CSIDriver CSINode StorageClass VolumeAttachment",
    "storage.k8s.io/v1beta1": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment",
    "v1": "ConfigMap Endpoints LimitRange Namespace PersistentVolume PersistentVolumeClaim Pod PodTemplate "
    "ReplicationController ResourceQuota Secret Service ServiceAccount",
}
_NAME = ("name",)
_METADATA: dict[Path, Keys] = {("metadata", "finalizers"): (), ("metadata", "ownerReferences"): ("uid",)}
_CONTAINER: dict[Path, Keys] = {
    ("env",): _NAME,
    ("ports",): ("containerPort", "protocol"),
    ("volumeDevices",): ("devicePath",),
    ("volumeMounts",): ("mountPath",),
}
_POD: dict[Path, Keys] = {
    ("hostAliases",): ("ip",),
    ("imagePullSecrets",): _NAME,
    ("topologySpreadConstraints",): ("topologyKey", "whenUnsatisfiable"),
    ("volumes",): _NAME,
    **{("volumes", ANY, "ephemeral", "volumeClaimTemplate", *path): keys for path, keys in _METADATA.items()},
    **{
        path: keys
        for name in ("containers", "ephemeralContainers", "initContainers")
        for path, keys in {
            (name,): _NAME,
            **{(name, ANY, *inner): found for inner, found in _CONTAINER.items()},
        }.items()
        if path != ("ephemeralContainers", ANY, "ports")
    },
}
# The path of the pod's template, or of the pod itself.
_TEMPLATES: dict[str, Path] = {
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), ("spec", "template")
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
    "PodTemplate": ("template",),
}
_CONDITIONS: dict[Path, Keys] = {("status", "conditions"): ("type",)}
_CLAIMS = ("spec", "volumeClaimTemplates", ANY)
_WEBHOOKS: dict[Path, Keys] = {("webhooks",): _NAME}
_OWN: dict[str, dict[Path, Keys]] = {
    **dict.fromkeys(
        (
            "APIService",
            "DaemonSet",
            "Deployment",
            "Job",
            "Namespace",
            "PersistentVolumeClaim",
            "PodDisruptionBudget",
            "ReplicaSet",
            "ReplicationController",
        ),
        _CONDITIONS,
    ),
    "CSINode": {("spec", "drivers"): _NAME},
    "CronJob": {("spec", "jobTemplate", *path): keys for path, keys in _METADATA.items()},
    "MutatingWebhookConfiguration": _WEBHOOKS,
    "Pod": {("status", "podIPs"): ("ip",), **_CONDITIONS},
    "Service": {("spec", "ports"): ("port", "protocol"), **_CONDITIONS},
    "ServiceAccount": {("secrets",): _NAME},
    "StatefulSet": {
        **_CONDITIONS,
        **{(*_CLAIMS, *path): keys for path, keys in {**_METADATA, **_CONDITIONS}.items()},
    },
    "ValidatingWebhookConfiguration": _WEBHOOKS,
}


def is_known(api_version: str, kind: str) -> bool:
    """Whether Kustomize has a schema of a kind."""
    return kind in _KINDS.get(api_version, "").split()


@cache
def of(api_version: str, kind: str) -> Mapping[Path, Keys]:
    """The lists of a kind that are merged, by their path."""
    return dict(_of(kind)) if is_known(api_version, kind) else {}


def _of(kind: str) -> Iterator[tuple[Path, Keys]]:
    yield from _METADATA.items()
    yield from _OWN.get(kind, {}).items()
    template = _TEMPLATES.get(kind)
    if template is not None:
        yield from (((*template, *path), keys) for path, keys in _METADATA.items())
        yield from (((*template, "spec", *path), keys) for path, keys in _POD.items())
