"""The order of work, from input files to what every command builds on; nothing else knows it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen import plan, source, tree
from okgen.catalogue import Catalogue
from okgen.kustomize import VENDORED
from okgen.places import place_of
from okgen.problem import Problem, Refused, has_errors
from okgen.render import Renderer
from okgen.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from okgen.cluster import Cluster
    from okgen.inputs import Input
    from okgen.places import Place
    from okgen.plan import Plan
    from okgen.source import Document


class Resolved(NamedTuple):
    """An input that is right, and the cluster it describes."""

    input: Input
    document: Document
    cluster: Cluster


class Rendered(NamedTuple):
    """A cluster, where its tree goes, and the text of every file, by path below the cluster's folder."""

    document: Document
    cluster: Cluster
    place: Place
    files: dict[str, str]


class Findings:
    """The problems of a run and the text of the files they point into."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}

    def add(self, problems: Iterable[Problem]) -> None:
        """Keep problems for the report."""
        self.problems += problems

    @property
    def are_errors(self) -> bool:
        """Whether anything may be written."""
        return has_errors(self.problems)


def resolved(inputs: Sequence[Input], findings: Findings) -> list[Resolved]:
    """Read, judge and resolve every input; what is wrong goes into ``findings``. Raises Unable, TemplateError."""
    catalogue = Catalogue()
    found = []
    for each in inputs:
        try:
            document = source.read(each.path, each.file)
            findings.texts[each.file] = document.text
            cluster, warnings = resolve(document, catalogue, each.root)
        except source.Misread as misread:
            findings.texts[each.file] = misread.text
            findings.add(misread.problems)
        except Refused as refused:
            findings.add(refused.problems)
        else:
            findings.add(warnings)
            found.append(Resolved(each, document, cluster))
    return found


def rendered(inputs: Sequence[Input], findings: Findings, output: str | None = None) -> list[Rendered]:
    """Render every input that is right; ``output`` is ``--output``, or None. Raises Unable, TemplateError."""
    renderer = Renderer()
    found: dict[str, Rendered] = {}
    for each in resolved(inputs, findings):
        place = place_of(each.input, each.cluster, output)
        if place.folder in found:
            findings.add([_second(each.document, place, found[place.folder], "is rendered into the same folder")])
            continue
        try:
            files = renderer.files(each.cluster, each.document)
        except Refused as refused:
            findings.add(refused.problems)
            files = {}
        found[place.folder] = Rendered(each.document, each.cluster, place, files)
    for inner in found.values():
        outer = next((found[folder] for folder in _above(inner.place.folder) if folder in found), None)
        if outer:
            findings.add([_second(inner.document, inner.place, outer, "is rendered into a folder around")])
    return list(found.values())


def plans(trees: Sequence[Rendered], findings: Findings, *, force: bool = False) -> list[Plan]:
    """What each render does to its folder; what stands in its way goes into ``findings``. Raises Unable."""
    found = []
    for each in trees:
        findings.add(_vendored(each))
        try:
            snapshot = tree.snapshot(each.place.folder, each.files, trusted_root=each.place.trusted)
        except Refused as refused:
            findings.add(refused.problems)
            continue
        found.append(plan.make(each.files, snapshot, force=force))
    return found


def _above(folder: str) -> Iterator[str]:
    """The folders that a folder lies in, the nearest first."""
    while (parent := os.path.dirname(folder)) != folder:
        yield parent
        folder = parent


def _second(document: Document, place: Place, first: Rendered, what: str) -> Problem:
    name = ("metadata", "name")
    message = f"{first.document.file} {what} {os.path.relpath(place.folder)}"
    there = first.document.related(name, f"cluster {first.cluster.name}")
    return document.problem("OKG320", name, message, "give each cluster a name of its own", related=(there,))


def _vendored(each: Rendered) -> list[Problem]:
    if not each.cluster.crds_vendored:
        return []
    from okgen.vendor import check_vendored  # few clusters need them
    from okgen.vendored import sources_of

    wanted = [source for enabled in each.cluster.addons for source in sources_of(enabled)]
    return [
        each.document.problem("OKG601", ("gitops", "crds"), line, f"run okgen vendor {each.document.file}")
        for line in check_vendored(wanted, os.path.relpath(os.path.join(each.place.parent, VENDORED)))
    ]
