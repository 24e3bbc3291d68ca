"""The order of work, from input files to what every command builds on; nothing else knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from okgen import source
from okgen.catalogue import Catalogue
from okgen.problem import Problem, Refused
from okgen.render import Renderer
from okgen.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.cluster import Cluster
    from okgen.inputs import Input
    from okgen.source import Document


class Resolved(NamedTuple):
    """An input that is right, and the cluster it describes."""

    input: Input
    document: Document
    cluster: Cluster


class Rendered(NamedTuple):
    """A cluster and the text of every file of its tree, by path below the cluster's folder."""

    input: Input
    document: Document
    cluster: Cluster
    files: dict[str, str]


class Findings:
    """The problems of a run and the text of the files they point into."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}

    def add(self, problems: Iterable[Problem]) -> None:
        """Keep problems for the report."""
        self.problems += problems


def resolved(inputs: Sequence[Input], findings: Findings) -> list[Resolved]:
    """Read, judge and resolve every input; what is wrong goes into ``findings``. Raises Unable, TemplateError."""
    catalogue = Catalogue()
    found = []
    for each in inputs:
        try:
            document = source.read(each.path, each.file)
            findings.texts[each.file] = document.text
            cluster, warnings = resolve(document, catalogue, each.root)
        except Refused as refused:
            findings.add(refused.problems)
        else:
            findings.add(warnings)
            found.append(Resolved(each, document, cluster))
    return found


def rendered(inputs: Sequence[Input], findings: Findings) -> list[Rendered]:
    """Render every input that is right. Raises Unable, TemplateError."""
    renderer = Renderer()
    found = []
    for each in resolved(inputs, findings):
        try:
            files = renderer.files(each.cluster, each.document)
        except Refused as refused:
            findings.add(refused.problems)
        else:
            found.append(Rendered(each.input, each.document, each.cluster, files))
    return found
