"""What okgen rendered for one cluster, in the order in which Argo CD would apply it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import yaml

import rendering
from e2e.rig.kube import annotation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.rig.kube import Kubectl, Object

WAVE = "argocd.argoproj.io/sync-wave"
OPTIONS = "argocd.argoproj.io/sync-options"
# Within a wave Argo CD applies kinds in an order of its own; of that, as much as matters.
FIRST_KINDS = ("Namespace", "CustomResourceDefinition", "ServiceAccount", "Secret", "ConfigMap")
LAST_KINDS = ("Deployment",)


class Application(NamedTuple):
    """What one Argo CD Application syncs."""

    name: str
    folder: Path
    objects: list[Object]

    def waves(self) -> Iterator[list[Object]]:
        """The objects, wave by wave."""
        for _, wave in itertools.groupby(sorted(self.objects, key=_order), wave_of):
            yield list(wave)

    def pruned(self) -> list[Object]:
        """The objects that go with the Application, the last wave first."""
        return [each for each in sorted(self.objects, key=_order, reverse=True) if not kept(each)]

    def of_kind(self, *kinds: str) -> list[Object]:
        """Those of some kinds."""
        return [each for each in self.objects if each["kind"] in kinds]


class Tree(NamedTuple):
    """A cluster's folder: the Applications in the order of their waves, that of the Namespaces first."""

    name: str
    applications: list[Application]

    @property
    def objects(self) -> list[Object]:
        """All objects."""
        return [each for application in self.applications for each in application.objects]

    def of_kind(self, *kinds: str) -> list[Object]:
        """All of some kinds."""
        return [each for application in self.applications for each in application.of_kind(*kinds)]


def wave_of(obj: Object) -> int:
    """The sync wave of an object."""
    return int(annotation(obj, WAVE) or 0)


def kept(obj: Object) -> bool:
    """Whether Argo CD leaves the object where it is when its Application or file goes."""
    return "Prune=false" in annotation(obj, OPTIONS).split(",")


def _order(obj: Object) -> tuple[int, int, str, str]:
    kind, name = obj["kind"], obj["metadata"]["name"]
    rank = 0 if kind in FIRST_KINDS else 2 if kind in LAST_KINDS else 1
    return wave_of(obj), rank, kind, name


def render(kubectl: Kubectl, folder: Path, cluster: str) -> Tree:
    """Renders the text of a cluster.yaml into a folder and builds what came out with the kustomize inside kubectl.

    CRDs named by URL are fetched, so a CrdHost must answer.
    """
    rendering.rendered(folder, cluster)
    (index,) = folder.rglob(rendering.INDEX)
    root = index.parent
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in root.glob("argocd/application-*.yaml")]
    found.sort(key=lambda each: (wave_of(each), each["metadata"]["name"]))
    applications = [_application(kubectl, folder, each) for each in found]
    return Tree(root.name, applications)


def _application(kubectl: Kubectl, folder: Path, application: Object) -> Application:
    place = folder / application["spec"]["source"]["path"]
    return Application(place.name, place, kubectl.kustomize(place))
