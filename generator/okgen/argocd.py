"""The Argo CD objects of a cluster: projects, the root Application, one Application an add-on, and their order."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from okgen import __version__
from okgen.kustomize import KEEP, VENDORED
from okgen.manifest import Kind, Manifest, labelled, manifest
from okgen.names import shorten
from okgen.resources import own_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.cluster import Cluster, Enabled

NAME_LIMIT = 63  # an Application's name becomes a label value where tracking by label is on
_API = "argoproj.io/v1alpha1"
_FINALIZER = "resources-finalizer.argocd.argoproj.io"
_WAVE = "argocd.argoproj.io/sync-wave"
_PATHS = "argocd.argoproj.io/manifest-generate-paths"
_COMPARE = "argocd.argoproj.io/compare-options"
_DIGEST = "okgen.dev/tree-digest"
# Before the add-ons, which start at 0. What the root prunes goes in the opposite order, and is waited for: Applications
# first, the latest wave before the others, projects last.
_PROJECT_WAVE, _NAMESPACES_WAVE = -2, -1
_HEALTH_KEY = "resource.customizations.health.argoproj.io_Application"
# Two hours of tries. The same commit is not tried again after the last one, and a first install waits for images,
# webhooks and certificates. `refresh` makes a retry take the newest commit, so that a mistake can be mended meanwhile.
_RETRY = {"limit": 45, "refresh": True, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m0s"}}


def name_of(cluster: Cluster, part: str) -> str:
    """The name of an Application or AppProject of this cluster."""
    return shorten(f"{cluster.name}-{part}", NAME_LIMIT)


def source_path(cluster: Cluster, *steps: str) -> str:
    """A folder of the cluster's tree as seen from the repository's root."""
    return "/".join([*([] if cluster.path == "." else [cluster.path]), cluster.name, *steps])


def bootstrap(cluster: Cluster) -> list[Manifest]:
    """What is applied once by hand: the root project, the root Application, and the health check that waves need."""
    objects = [_root_project(cluster), _root_application(cluster)]
    found = [_finished(each, "okgen", __version__) for each in objects]
    if cluster.argocd.health_check:
        found.append(_health_check(cluster.argocd.namespace))
    return found


def namespaces(cluster: Cluster) -> list[Manifest]:
    """The Namespaces of the add-ons, kube-system excepted, which every cluster has."""
    levels: dict[str, list[str]] = {}
    for enabled in cluster.addons:
        level = enabled.addon.definition["namespace"].get("podSecurity", "privileged")
        levels.setdefault(enabled.namespace, []).append(level)
    return [
        _finished(_namespace(name, wanted), "okgen", __version__)
        for name, wanted in sorted(levels.items())
        if name != "kube-system"
    ]


def namespaces_application(cluster: Cluster, spaces: Sequence[Manifest], digest: str) -> Manifest:
    """The Application of the namespaces: the first wave, and no finalizer, as what it holds is to outlive it."""
    value = _application(cluster, name_of(cluster, "namespaces"), ("namespaces",), spaces[0].name)
    value["metadata"]["annotations"].update({_WAVE: str(_NAMESPACES_WAVE), _DIGEST: digest})
    return _finished(value, "okgen", __version__)._replace(file="application-namespaces.yaml")


def namespaces_project(cluster: Cluster, spaces: Sequence[Manifest]) -> Manifest:
    """The project of that Application: Namespaces, and nothing that stands in one."""
    spec = {
        "destinations": [{**cluster.argocd.destination, "namespace": spaces[0].name}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
        # Not an empty whitelist: where Argo CD writes the project itself it leaves that out, and then all is allowed.
        "namespaceResourceBlacklist": [{"group": "*", "kind": "*"}],
    }
    value = _own_project(cluster, "namespaces", "Namespaces", spec)
    return _finished(value, "okgen", __version__)._replace(file="appproject-namespaces.yaml")


def addon_application(cluster: Cluster, enabled: Enabled, digest: str) -> Manifest:
    """The Application of an add-on. Its finalizer removes the add-on's objects, last wave first, before it goes."""
    name = enabled.addon.name
    value = _application(cluster, name_of(cluster, name), ("addons", name), enabled.namespace)
    metadata, options = value["metadata"], value["spec"]["syncPolicy"]["syncOptions"]
    metadata["annotations"].update({_WAVE: str(enabled.wave), _DIGEST: digest})
    metadata["finalizers"] = [_FINALIZER]
    if cluster.crds_vendored and enabled.crds:
        folder = "/".join([*([] if cluster.path == "." else [cluster.path]), VENDORED, name, enabled.release.version])
        metadata["annotations"][_PATHS] = f".;/{folder}"
    if any(crds.server_side_apply for crds in enabled.crds):
        metadata["annotations"][_COMPARE] = "ServerSideDiff=true"
        options.append("ServerSideApply=true")
    return _finished(value, name, enabled.release.version)._replace(file=f"application-{name}.yaml")


def addon_project(cluster: Cluster, enabled: Enabled, manifests: Iterable[Manifest], kinds: set[Kind]) -> Manifest:
    """The project of an add-on: this repository, the namespaces that were rendered, and ``kinds`` with those rendered.

    Argo CD neither prunes nor deletes what a project does not admit. Therefore ``kinds`` are all that the add-on can
    have: one that is no longer rendered must still be admitted when the Application prunes it. And therefore each
    Application has a project of its own, which its finalizer keeps until the Application is gone with its objects.
    """
    rendered = list(manifests)
    admitted = sorted(kinds.union(each.admitted_as for each in rendered))
    spaces = sorted({enabled.namespace, *(each.namespace for each in rendered if each.namespace)})
    name = enabled.addon.name
    spec = {
        "destinations": [{**cluster.argocd.destination, "namespace": space} for space in spaces],
        "clusterResourceWhitelist": [_entry(kind) for kind in admitted if not kind.namespaced],
        "namespaceResourceWhitelist": [_entry(kind) for kind in admitted if kind.namespaced],
    }
    value = _own_project(cluster, name, name, spec)
    return _finished(value, name, enabled.release.version)._replace(file=f"appproject-{name}.yaml")


def _finished(value: dict[str, Any], name: str, version: str) -> Manifest:
    return manifest(labelled(value, name, version))


def _entry(kind: Kind) -> dict[str, str]:
    return {"group": kind.group, "kind": kind.kind}


def _own_project(cluster: Cluster, part: str, what: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The project of one Application, with its name; the finalizer keeps it until no Application refers to it."""
    value = _project(cluster, name_of(cluster, part), what, spec)
    value["metadata"].update({"annotations": {_WAVE: str(_PROJECT_WAVE)}, "finalizers": [_FINALIZER]})
    return value


def _project(cluster: Cluster, name: str, what: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": cluster.argocd.namespace},
        "spec": {
            "description": f"{what} of cluster {cluster.name}, rendered by okgen",
            "sourceRepos": [cluster.repository],
            **spec,
        },
    }


def _root_project(cluster: Cluster) -> dict[str, Any]:
    spec = {
        "destinations": [{**cluster.argocd.root_destination, "namespace": cluster.argocd.namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [
            {"group": "argoproj.io", "kind": "AppProject"},
            {"group": "argoproj.io", "kind": "Application"},
        ],
    }
    return _project(cluster, name_of(cluster, "root"), "The Applications", spec)


def _root_application(cluster: Cluster) -> dict[str, Any]:
    value = _application(cluster, shorten(cluster.name, NAME_LIMIT), ("argocd",), cluster.argocd.namespace)
    value["spec"]["project"] = name_of(cluster, "root")
    # Without PruneLast, which would prune everything at once, and not before all that remains is healthy.
    value["spec"]["syncPolicy"]["syncOptions"] = ["FailOnSharedResource=true"]
    value["spec"]["destination"].update(cluster.argocd.root_destination)
    if cluster.argocd.root_destination.keys() != cluster.argocd.destination.keys():
        value["spec"]["destination"].pop(*cluster.argocd.destination)
    return value


def _application(cluster: Cluster, name: str, steps: tuple[str, ...], namespace: str) -> dict[str, Any]:
    """An Application in the project of its own name."""
    return {
        "apiVersion": _API,
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": cluster.argocd.namespace,
            "labels": dict(cluster.labels),
            "annotations": {_PATHS: "."},
        },
        "spec": {
            "project": name,
            "source": {
                "repoURL": cluster.repository,
                "targetRevision": cluster.revision,
                "path": source_path(cluster, *steps),
            },
            "destination": {**cluster.argocd.destination, "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["FailOnSharedResource=true", "PruneLast=true"],
                "retry": _RETRY,
            },
        },
    }


def _namespace(name: str, levels: list[str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "annotations": dict(KEEP)}
    level = min(levels, key=("privileged", "baseline", "restricted").index)  # as lax as its laxest add-on needs
    metadata["labels"] = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


@cache  # the same for every cluster of a run
def _health_check(namespace: str) -> Manifest:
    """One key of argocd-cm, for server-side apply: everything else in it belongs to others."""
    value = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": namespace},
        "data": {_HEALTH_KEY: own_file("application-health.lua").decode()},
    }
    return manifest(value)
