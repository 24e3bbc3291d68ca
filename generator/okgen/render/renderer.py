"""Renders a resolved cluster into the files of its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from okgen.problem import Refused
from okgen.render import argocd, iam
from okgen.render.addon import AddonRenderer
from okgen.render.kustomize import addon_kustomization, kustomization
from okgen.render.manifest import Manifest, manifest
from okgen.render.readme import readme
from okgen.render.targets import unmatched
from okgen.write.index import digest, encoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from okgen.problem import Problem
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster, Enabled


class _Objects(NamedTuple):
    """The objects of an add-on, as files by path as well, and the lines of its digest around its kustomization's."""

    manifests: list[Manifest]
    files: dict[str, str]
    before: str
    after: str


class Renderer:
    """Renders clusters one after the other, building what they share only once."""

    def __init__(self) -> None:
        self._addons = AddonRenderer()
        self._objects: dict[str, _Objects] = {}
        self._known_crds: dict[tuple[str, ...], list[Manifest]] = {}
        self._crd = manifest(
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "any"}}
        )

    def files(self, cluster: Cluster, document: Document) -> dict[str, str]:
        """The text of every file, by its path below the cluster's folder. Raises Refused, TemplateError."""
        found, problems = self.judged(cluster, document)
        if problems:
            raise Refused(problems)
        return found

    def judged(self, cluster: Cluster, document: Document) -> tuple[dict[str, str], list[Problem]]:
        """The text of every file, and what is wrong with them. Raises TemplateError."""
        found = _folder("bootstrap", argocd.bootstrap(cluster))
        rendered: list[Manifest] = []
        applications: list[Manifest] = []
        problems: list[Problem] = []
        spaces = argocd.namespaces(cluster)
        if spaces:
            files = _folder("namespaces", spaces)
            found.update(files)
            rendered += spaces
            applications.append(argocd.namespaces_application(cluster, spaces, _digest(_lines(files))))
        for enabled in cluster.addons:
            manifests = self._addons.manifests(enabled, cluster.profile, cluster.minor)
            problems += _intruders(document, cluster, enabled, manifests)
            crds = self._crds(enabled)
            problems += unmatched(document, enabled, [*manifests, *crds] if enabled.patches else [])
            files, made = self._folder(cluster, enabled, manifests)
            found.update(files)
            rendered += [*manifests, *crds]
            applications.append(argocd.addon_application(cluster, enabled, made))
        found.update(_folder("argocd", [argocd.project(cluster, rendered), *applications]))
        try:
            found.update(iam.files(cluster))
        except iam.TooLarge as too_large:
            problems += [_excess(document, each) for each in too_large.excesses]
        return {**found, "README.md": readme(cluster, found)}, problems

    def _folder(self, cluster: Cluster, enabled: Enabled, manifests: list[Manifest]) -> tuple[dict[str, str], str]:
        """The folder of an add-on, as files by path, and a digest of them."""
        name = enabled.addon.name
        path = f"addons/{name}/kustomization.yaml"
        last = self._objects.get(name)
        if last is None or last.manifests != manifests:  # mostly those of the cluster before
            files = {f"addons/{name}/{each.file}": each.text for each in manifests}
            before, after = (
                _lines({each: text for each, text in files.items() if (each < path) is is_before})
                for is_before in (True, False)
            )
            last = self._objects[name] = _Objects(manifests, files, before, after)
        listed = [each.file for each in manifests]
        application = argocd.name_of(cluster, name)
        listing = addon_kustomization(application, enabled, listed, vendored=cluster.crds_vendored)
        return {**last.files, path: listing}, _digest(last.before + _lines({path: listing}) + last.after)

    def _crds(self, enabled: Enabled) -> list[Manifest]:
        """Upstream's CRDs, which okgen knows by name only."""
        key = (enabled.addon.name, *[crds.url for crds in enabled.crds])
        if key not in self._known_crds:
            self._known_crds[key] = [
                self._crd._replace(name=name, text="") for crds in enabled.crds for name in crds.names
            ]
        return self._known_crds[key]


def _folder(folder: str, manifests: Sequence[Manifest]) -> dict[str, str]:
    files = {f"{folder}/{each.file}": each.text for each in manifests}
    files[f"{folder}/kustomization.yaml"] = kustomization(tuple(each.file for each in manifests))
    return files


def _intruders(document: Document, cluster: Cluster, enabled: Enabled, manifests: list[Manifest]) -> Iterator[Problem]:
    """A problem where an add-on puts something into Argo CD's own namespace, which its project must not admit."""
    own = cluster.argocd.namespace
    inside = next((each for each in manifests if each.namespace == own), None)
    if inside:
        name = enabled.addon.name
        message = f"{name} puts the {inside.kind} {inside.name} into Argo CD's own namespace {own}"
        help_text = "whoever can deploy there is Argo CD's administrator; keep the two apart"
        yield document.problem("OKG312", ("addons", name), message, help_text, key=True)


def _excess(document: Document, excess: iam.Excess) -> Problem:
    path = ("addons", excess.addon) if excess.addon else ("addons",)
    return document.problem("OKG350", path, excess.message, excess.help, key=True)


def _lines(files: dict[str, str]) -> str:
    """A line a file, in the order of their paths, which is another when the file is."""
    return "".join(f"{encoded(text)[1]}  {path}\n" for path, text in sorted(files.items()))


def _digest(lines: str) -> str:
    """Changes when any file of a folder does."""
    return f"sha256:{digest(lines.encode())}"
