"""The Argo CD objects of a cluster: projects, the root Application, one Application an add-on, and their order."""

from __future__ import annotations

from functools import cache, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from okgen import __version__
from okgen.emit import Shared
from okgen.form import formed
from okgen.render.kustomize import KEEP, TRACKING, VENDORED
from okgen.render.manifest import NAME, Manifest, labelled, manifest
from okgen.resolve.names import shorten
from okgen.resources import own_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.resolve.cluster import Cluster, Enabled

NAME_LIMIT = 63  # an Application's name becomes a label value where tracking by label is on
_API = "argoproj.io/v1alpha1"
_FINALIZER = "resources-finalizer.argocd.argoproj.io"
_WAVE = "argocd.argoproj.io/sync-wave"
_PATHS = "argocd.argoproj.io/manifest-generate-paths"
_COMPARE = "argocd.argoproj.io/compare-options"
DIGEST = "okgen.dev/tree-digest"
_PROJECT_WAVE, _NAMESPACES_WAVE = -2, -1  # before the add-ons, which start at 0
REMOVAL_WAVES = (-4, -3)  # before the project, see _marker; as many waves can be emptied by one commit
_HEALTH_KEY = "resource.customizations.health.argoproj.io_Application"
# Two hours of tries. The same commit is not tried again after the last one, and a first install waits for images,
# webhooks and certificates. The first one follows after two seconds, as Argo CD takes new CRDs for broken ones
# at first. `refresh` makes a retry take the newest commit, so that a mistake can be mended meanwhile.
_RETRY = {"limit": 45, "refresh": True, "backoff": {"duration": "1s", "factor": 2, "maxDuration": "3m0s"}}
# PruneLast: what is taken out goes when all else is there.
_OPTIONS = ("FailOnSharedResource=true", "PruneLast=true")


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
    return [_namespace(name, tuple(wanted)) for name, wanted in sorted(levels.items()) if name != "kube-system"]


def namespaces_application(cluster: Cluster, spaces: Sequence[Manifest], digest: str) -> Manifest:
    """The Application of the namespaces: the first wave, and no finalizer, as what it holds is to outlive it."""
    value = _application(cluster, name_of(cluster, "namespaces"), ("namespaces",), spaces[0].name)
    value["metadata"]["annotations"].update({_WAVE: str(_NAMESPACES_WAVE), DIGEST: digest})
    return _finished(value, "okgen", __version__, "application-namespaces.yaml")


def addon_application(cluster: Cluster, enabled: Enabled, digest: str) -> Manifest:
    """The Application of an add-on. Its finalizer removes the add-on's objects, last wave first, before it goes."""
    name = enabled.addon.name
    server_side = any(crds.server_side_apply for crds in enabled.crds)
    options = (*_OPTIONS, "ServerSideApply=true") if server_side else _OPTIONS
    value = _application(cluster, name_of(cluster, name), ("addons", name), enabled.namespace, options)
    metadata = value["metadata"]
    metadata["annotations"].update({_WAVE: str(enabled.wave), DIGEST: digest})
    metadata["finalizers"] = [_FINALIZER]
    if cluster.crds_vendored and enabled.crds:
        folder = "/".join([*([] if cluster.path == "." else [cluster.path]), VENDORED, name, enabled.release.version])
        metadata["annotations"][_PATHS] = f".;/{folder}"
    if server_side:
        metadata["annotations"][_COMPARE] = "ServerSideDiff=true"
    return _finished(value, name, enabled.release.version, f"application-{name}.yaml")


def project(cluster: Cluster, manifests: Iterable[Manifest]) -> Manifest:
    """The add-ons' project: exactly this repository and the namespaces and kinds that were rendered."""
    rendered = set(map(attrgetter("namespace", "api_version", "kind"), manifests))
    spaces = {enabled.namespace for enabled in cluster.addons}.union(space for space, _, _ in rendered) - {""}
    spec = {
        "description": f"Add-ons of cluster {cluster.name}, rendered by okgen",
        "sourceRepos": [cluster.repository],
        "destinations": [{**cluster.argocd.destination, "namespace": space} for space in sorted(spaces)],
        "clusterResourceWhitelist": _kinds(
            frozenset((version, kind) for space, version, kind in rendered if not space)
        ),
        "namespaceResourceWhitelist": _kinds(frozenset((version, kind) for space, version, kind in rendered if space)),
    }
    value = _project(cluster, shorten(cluster.name, NAME_LIMIT), spec)
    value["metadata"]["annotations"] = {_WAVE: str(_PROJECT_WAVE)}
    value["metadata"]["finalizers"] = [_FINALIZER]  # stays until no Application refers to it
    return _finished(value, "okgen", __version__)


def _finished(value: dict[str, Any], name: str, version: str, file: str = "") -> Manifest:
    value = labelled(value, name, version)
    return manifest(value, formed(value), file)


@lru_cache(maxsize=256)  # clusters have the same ones
def _kinds(kinds: frozenset[tuple[str, str]]) -> Shared | list[object]:
    """The groups and kinds of these API versions and kinds, sorted."""
    found = sorted({(version.rpartition("/")[0], kind) for version, kind in kinds})
    return Shared([{"group": group, "kind": kind} for group, kind in found]) if found else []


def _project(cluster: Cluster, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": cluster.argocd.namespace},
        "spec": spec,
    }


def _marker(cluster: Cluster, kind: str, name: str, wave: int) -> dict[str, str]:
    """Annotations by which Argo CD removes Applications before it narrows their project.

    Argo CD leaves behind what an Application's project does not admit, so an Application has to go before the project
    is applied, in an earlier wave. Its own wave is a later one; but among all that is to be pruned, the first wave
    changes places with the last, the second with the last but one. So an object of the bootstrap passes for one of the
    root's that has left Git: it gives its early wave to an Application that really goes. KEEP saves it from that fate.
    """
    root = shorten(cluster.name, NAME_LIMIT)
    return {TRACKING: f"{root}:argoproj.io/{kind}:{cluster.argocd.namespace}/{name}", **KEEP, _WAVE: str(wave)}


def _root_project(cluster: Cluster) -> dict[str, Any]:
    spec = {
        "description": f"The Applications of cluster {cluster.name}, rendered by okgen",
        "sourceRepos": [cluster.repository],
        "destinations": [{**cluster.argocd.root_destination, "namespace": cluster.argocd.namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": _kinds(frozenset(((_API, "AppProject"), (_API, "Application")))),
    }
    value = _project(cluster, name_of(cluster, "root"), spec)
    value["metadata"]["annotations"] = _marker(cluster, "AppProject", value["metadata"]["name"], REMOVAL_WAVES[1])
    return value


def _root_application(cluster: Cluster) -> dict[str, Any]:
    # Without PruneLast: what is taken out would go when its project is narrow already.
    options = tuple(each for each in _OPTIONS if each != "PruneLast=true")
    value = _application(cluster, shorten(cluster.name, NAME_LIMIT), ("argocd",), cluster.argocd.namespace, options)
    value["spec"]["project"] = name_of(cluster, "root")
    metadata = value["metadata"]
    metadata["annotations"].update(_marker(cluster, "Application", metadata["name"], REMOVAL_WAVES[0]))
    value["spec"]["destination"].update(cluster.argocd.root_destination)
    if cluster.argocd.root_destination.keys() != cluster.argocd.destination.keys():
        value["spec"]["destination"].pop(*cluster.argocd.destination)
    return value


def _application(
    cluster: Cluster, name: str, steps: tuple[str, ...], namespace: str, options: tuple[str, ...] = _OPTIONS
) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": cluster.argocd.namespace,
            "labels": {key: value for key, value in cluster.labels.items() if key != NAME},
            "annotations": {_PATHS: "."},
        },
        "spec": {
            "project": shorten(cluster.name, NAME_LIMIT),
            "source": {
                "repoURL": cluster.repository,
                "targetRevision": cluster.revision,
                "path": source_path(cluster, *steps),
            },
            "destination": {**cluster.argocd.destination, "namespace": namespace},
            "syncPolicy": _sync_policy(options),
        },
    }


@cache  # the same for every cluster of a run
def _sync_policy(options: tuple[str, ...]) -> Shared:
    return Shared({"automated": {"prune": True, "selfHeal": True}, "syncOptions": list(options), "retry": _RETRY})


@lru_cache(maxsize=256)  # clusters have the same ones
def _namespace(name: str, levels: tuple[str, ...]) -> Manifest:
    metadata: dict[str, Any] = {"name": name, "annotations": dict(KEEP)}
    level = min(levels, key=("privileged", "baseline", "restricted").index)  # as lax as its laxest add-on needs
    metadata["labels"] = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
    return _finished({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, "okgen", __version__)


@cache  # the same for every cluster of a run
def _health_check(namespace: str) -> Manifest:
    """One key of argocd-cm, for server-side apply: everything else in it belongs to others."""
    value = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": namespace},
        "data": {_HEALTH_KEY: own_file("render/application-health.lua").decode()},
    }
    return manifest(value)
