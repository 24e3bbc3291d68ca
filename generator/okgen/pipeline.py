"""The order of work, from input files to what every command builds on; nothing else knows it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen.addons.catalogue import Catalogue
from okgen.problem import Refused, has_errors
from okgen.read import source
from okgen.render.kustomize import VENDORED
from okgen.render.renderer import Renderer
from okgen.repository import SETTINGS
from okgen.resolve.resolver import resolve
from okgen.together import Together, claim
from okgen.write import plan, tree
from okgen.write.places import place_of

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Iterator

    from okgen.fleet.facts import Facts
    from okgen.problem import Problem
    from okgen.read.inputs import Input
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster
    from okgen.together import Claim
    from okgen.write.places import Place
    from okgen.write.plan import Plan


class Resolved(NamedTuple):
    """An input that is right, and the cluster it describes."""

    input: Input
    document: Document
    cluster: Cluster


class Rendered(NamedTuple):
    """A cluster, where its tree goes, and the text of every file, by path below the cluster's folder."""

    input: Input
    document: Document
    cluster: Cluster
    place: Place
    files: dict[str, str]


class Findings:
    """The problems of a run, the inputs it has looked at so far, and the text of the files that problems point into."""

    def __init__(self) -> None:
        self.inputs: list[Input] = []
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}
        self.are_errors = False  # then nothing may be written

    def add(self, problems: Iterable[Problem]) -> None:
        """Keep problems for the report."""
        found = list(problems)
        self.problems += found
        self.are_errors = self.are_errors or has_errors(found)

    def judge(self, *, complete: bool = True) -> None:
        """Let go of problems whose rules are off in the repositories of the inputs. Raises Unable.

        ``complete``: whether every rule has been asked, so that one that is off for nothing is worth a word.
        """
        roots = {each.root for each in self.inputs}
        if any(os.path.lexists(os.path.join(root, SETTINGS)) for root in roots):
            from okgen.fleet import exemptions  # few repositories have them

            self.problems, texts = exemptions.judge(self.problems, self.inputs, complete=complete)
            self.texts |= texts
            self.are_errors = has_errors(self.problems)


class Sound(NamedTuple):
    """A cluster whose tree is as it would be rendered: what else there is to know of it, or it would be in memory.

    ``problems`` are warnings; ``text`` is that of its file, for them and for what others have to do with it.
    """

    input: Input
    claim: Claim
    facts: Facts
    problems: tuple[Problem, ...]
    text: str


def resolving(inputs: Iterable[Input], findings: Findings) -> Iterator[Resolved]:
    """Read, judge and resolve one input after the other; what is wrong goes into ``findings``.

    Of a fleet no more than one cluster need be in memory: this, ``rendering`` and ``planning`` keep none.
    Raises Unable, TemplateError.
    """
    catalogue = Catalogue()
    for each in inputs:
        findings.inputs.append(each)
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
            yield Resolved(each, document, cluster)


def rendering(
    inputs: Iterable[Input], findings: Findings, output: str | None = None, sound: deque[Sound] | None = None
) -> Iterator[Rendered]:
    """Render one input that is right after the other; ``output`` is ``--output``, or None.

    What only several clusters can have wrong is found at the end; after that the problems whose rules are off in their
    repositories go. ``sound`` are clusters of the run beside the inputs: it gains those that come before an input when
    that is asked for. Raises Unable, TemplateError.
    """
    renderer = Renderer()
    together = Together()
    for each in resolving(inputs, findings):
        _take(sound, together, findings)
        place = place_of(each.input, each.cluster, output)
        if not together.is_first(claim(each.document, each.cluster, place)):
            continue
        together.add(each.document, each.cluster)
        try:
            files = renderer.files(each.cluster, each.document)
        except Refused as refused:
            findings.add(refused.problems)
        else:
            yield Rendered(each.input, each.document, each.cluster, place, files)
    _take(sound, together, findings)
    findings.add(together.problems())
    findings.judge()


def _take(sound: deque[Sound] | None, together: Together, findings: Findings) -> None:
    while sound:
        known = sound.popleft()
        findings.inputs.append(known.input)
        findings.add(known.problems)
        findings.texts[known.input.file] = known.text
        if together.is_first(known.claim):
            together.add_known(known.facts)


def planning(
    inputs: Iterable[Input],
    findings: Findings,
    output: str | None = None,
    sound: deque[Sound] | None = None,
    *,
    force: bool = False,
) -> Iterator[tuple[Rendered, Plan]]:
    """What each render does to its folder; what stands in its way goes into ``findings``. Raises Unable."""
    for each in rendering(inputs, findings, output, sound):
        found = plans([each], findings, force=force)
        if found:
            yield each, found[0]


def resolved(inputs: Iterable[Input], findings: Findings) -> list[Resolved]:
    """All that ``resolving`` gives, for what needs every cluster at once. Raises Unable, TemplateError."""
    return list(resolving(inputs, findings))


def rendered(inputs: Iterable[Input], findings: Findings, output: str | None = None) -> list[Rendered]:
    """All that ``rendering`` gives, for what needs every cluster at once. Raises Unable, TemplateError."""
    return list(rendering(inputs, findings, output))


def plans(trees: Iterable[Rendered], findings: Findings, *, force: bool = False) -> list[Plan]:
    """What each render does to its folder; what stands in its way goes into ``findings``. Raises Unable."""
    found = []
    for each in trees:
        findings.add(vendored(each))
        try:
            snapshot = tree.snapshot(each.place.folder, each.files, trusted_root=each.place.trusted)
        except Refused as refused:
            findings.add(refused.problems)
            continue
        found.append(plan.make(each.files, snapshot, force=force))
    return found


def vendored(each: Rendered) -> list[Problem]:
    """What is wrong with the upstream files in the repository that a tree refers to."""
    if not each.cluster.crds_vendored:
        return []
    from okgen.upstream.vendor import check_vendored  # few clusters need them
    from okgen.upstream.vendored import sources_of

    wanted = [source for enabled in each.cluster.addons for source in sources_of(enabled)]
    return [
        each.document.problem("OKG601", ("gitops", "crds"), line, f"run okgen vendor {each.document.file}")
        for line in check_vendored(wanted, os.path.relpath(os.path.join(each.place.parent, VENDORED)))
    ]
