"""The kustomization.yaml of each rendered folder."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from okgen.emit import Shared, dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.resolve.cluster import Enabled, Patch

VENDORED = "_vendor"  # below gitops.path, beside the clusters' folders

# What is kept when its Application goes, with everything that depends on it. IgnoreExtraneous: once it has left the
# repository it would else hold its Application OutOfSync for ever, and with it every later wave.
KEEP = {
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
}
TRACKING = "argocd.argoproj.io/tracking-id"
_CRD = "CustomResourceDefinition"
# Before anything in the add-on that uses them; Argo CD waits until each is established.
_CRD_WAVE = {"argocd.argoproj.io/sync-wave": "-5"}


def kustomization(resources: Iterable[str], patches: Sequence[dict[str, Any]] = ()) -> str:
    """The text of a kustomization.yaml. No `namespace` and no `commonLabels`: they rewrite what must stay."""
    value: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": _listed(tuple(resources)),
    }
    if patches:
        value["patches"] = list(patches)
    return dump(value)


@lru_cache(maxsize=256)  # clusters have the same ones
def _listed(resources: tuple[str, ...]) -> Shared | list[object]:
    return Shared(resources) if resources else []


def addon_kustomization(application: str, enabled: Enabled, files: Iterable[str], *, vendored: bool) -> str:
    """The kustomization of an add-on: its files, upstream's CRDs, and the user's patches after our own.

    ``application`` is the name of its Application.
    """
    crds = [vendored_folder(enabled)] if vendored and enabled.crds else [each.url for each in enabled.crds]
    own = [_crd_patch(application)] if enabled.crds else []
    unwanted = [_deletion(name) for name in _unwanted(enabled)] if vendored and enabled.crds else []
    return kustomization([*files, *crds], [*unwanted, *own, *(_user_patch(patch) for patch in enabled.patches)])


def vendored_folder(enabled: Enabled) -> str:
    """Where `okgen vendor` puts the add-on's files, seen from the add-on's own folder."""
    return f"../../../{VENDORED}/{enabled.addon.name}/{enabled.release.version}"


def _crd_patch(application: str) -> dict[str, Any]:
    """What all CRDs of an Application carry.

    Argo CD puts its tracking id on every object but on CRDs, so that nothing tells it when they are established: the
    wave after them would begin minutes later, with the next look at everything. The id names no CRD, which therefore
    is not taken for the Application's own once it has left the repository.
    """
    tracking = {TRACKING: f"{application}:apiextensions.k8s.io/{_CRD}:/any"}
    patch = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": _CRD,
        "metadata": {"name": "any", "annotations": {**KEEP, **_CRD_WAVE, **tracking}},
    }
    return {"target": {"kind": _CRD}, "patch": dump(patch)}


def _unwanted(enabled: Enabled) -> list[str]:
    """The CRDs that stand in the vendored folder, which clusters share, but that this cluster has no use for."""
    return [name for crds in enabled.release.crds if crds not in enabled.crds for name in crds.names]


def _deletion(name: str) -> dict[str, Any]:
    metadata = {"name": name}
    patch = {"$patch": "delete", "apiVersion": "apiextensions.k8s.io/v1", "kind": _CRD, "metadata": metadata}
    return {"patch": dump(patch)}


def _user_patch(patch: Patch) -> dict[str, Any]:
    return {"target": patch.target, "patch": patch.text}
