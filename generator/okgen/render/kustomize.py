"""The kustomization.yaml of each rendered folder."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from okgen.emit import dump
from okgen.form import Formed

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


@lru_cache(maxsize=256)  # clusters have the same ones
def kustomization(resources: tuple[str, ...]) -> str:
    """The text of a kustomization.yaml of these files."""
    return dump(_value(resources, []))


def _value(resources: Sequence[str], patches: list[dict[str, Any]]) -> dict[str, Any]:
    """No `namespace` and no `commonLabels`: they rewrite what must stay."""
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}
    return {**head, "patches": patches} if patches else head


def addon_kustomization(application: str, enabled: Enabled, files: Iterable[str], *, vendored: bool) -> str:
    """The kustomization of an add-on: its files, upstream's CRDs, and the user's patches after our own.

    ``application`` is the name of its Application.
    """
    is_vendored = vendored and bool(enabled.crds)
    crds = [vendored_folder(enabled)] if is_vendored else [each.url for each in enabled.crds]
    resources = (*files, *crds)
    unwanted = tuple(_unwanted(enabled)) if is_vendored else ()
    tracking = [f"{application}:apiextensions.k8s.io/{_CRD}:/any"] if enabled.crds else []

    def make(tracking: Sequence[str]) -> dict[str, Any]:
        own = map(_crd_patch, tracking)
        return _value(resources, [*map(_deletion, unwanted), *own, *map(_user_patch, enabled.patches)])

    if enabled.patches:
        return dump(make(tracking))  # they can be long, and are this cluster's own
    return dump(Formed(("kustomization", resources, unwanted), tracking, make))


def vendored_folder(enabled: Enabled) -> str:
    """Where `okgen vendor` puts the add-on's files, seen from the add-on's own folder."""
    return f"../../../{VENDORED}/{enabled.addon.name}/{enabled.release.version}"


def _crd_patch(tracking: str) -> dict[str, Any]:
    """What all CRDs of an Application carry.

    Argo CD puts its tracking id on every object but on CRDs, so that nothing tells it when they are established: the
    wave after them would begin minutes later, with the next look at everything. The id names no CRD, which therefore
    is not taken for the Application's own once it has left the repository.
    """
    patch = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": _CRD,
        "metadata": {"name": "any", "annotations": {**KEEP, **_CRD_WAVE, TRACKING: tracking}},
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
