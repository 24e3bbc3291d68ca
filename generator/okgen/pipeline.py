"""The order of work, from input files to what every command builds on; nothing else knows it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from okgen.problem import Refused, has_errors
from okgen.repository import SETTINGS
from okgen.together import Together, claim, facts
from okgen.write import plan, tree
from okgen.write.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from okgen.addons.catalogue import Catalogue
    from okgen.fleet.facts import Facts
    from okgen.problem import Problem
    from okgen.read.inputs import Input
    from okgen.read.source import Document
    from okgen.render.renderer import Renderer
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
    """A cluster, where its tree goes, and the text of every file, by path below the cluster's folder.

    ``facts`` are for the rules about fleets, None where the cluster is alone.
    """

    input: Input
    document: Document
    cluster: Cluster
    place: Place
    files: dict[str, str]
    facts: Facts | None


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


class Planned(NamedTuple):
    """What a render does to the folder of a cluster, and what else a run has to know of that cluster.

    ``facts`` is None where it is the only one of its run. ``problems`` are those of its file, ``text`` is its text.
    ``rendered`` is None where all this is known without rendering: then the plan is empty, and no problem an error.
    """

    input: Input
    claim: Claim
    facts: Facts | None
    problems: tuple[Problem, ...]
    text: str
    plan: Plan
    rendered: Rendered | None


class Knowledge(Protocol):
    """Knows of some clusters that their trees are as they would be rendered, and wants to know of others."""

    def sound(self, given: Input) -> Planned | None:
        """What is known of a cluster whose tree is as it would be rendered; None where that is not known."""

    def keep(self, planned: Planned) -> None:
        """A cluster that has been rendered, perhaps with mistakes."""


class _Stages:
    """Takes one input after the other through the stages; what is wrong goes into ``findings``.

    ``alone``: whether there is but one input, which has nothing to share. All of it raises Unable, TemplateError.
    """

    def __init__(self, findings: Findings, output: str | None = None, *, alone: bool = False) -> None:
        self._findings, self._output, self._alone = findings, output, alone
        self._catalogue: Catalogue | None = None
        self._renderer: Renderer | None = None
        self._together = Together()

    def resolved(self, given: Input) -> Resolved | None:
        """The cluster of an input; None where it has mistakes."""
        # Here, as a run that finds all as it was needs none of it.
        from okgen.addons.catalogue import Catalogue
        from okgen.read import source
        from okgen.resolve.resolver import resolve

        self._catalogue = self._catalogue or Catalogue()
        findings = self._findings
        findings.inputs.append(given)
        try:
            document = source.read(given.path, given.file)
            findings.texts[given.file] = document.text
            cluster, warnings = resolve(document, self._catalogue, given.root)
        except source.Misread as misread:
            findings.texts[given.file] = misread.text
            findings.add(misread.problems)
        except Refused as refused:
            findings.add(refused.problems)
        else:
            findings.add(warnings)
            return Resolved(given, document, cluster)
        return None

    def rendered(self, given: Input) -> Rendered | None:
        """The files of an input's cluster; None where it has mistakes, or another has its folder."""
        from okgen.render.renderer import Renderer

        self._renderer = self._renderer or Renderer()
        found = self.resolved(given)
        if found is None:
            return None
        _, document, cluster = found
        place = place_of(given, cluster.path, cluster.name, self._output)
        if not self._together.is_first(claim(document, cluster, place.folder)):
            return None
        known = None if self._alone else facts(document, cluster)
        self._together.add(known)
        try:
            return Rendered(given, document, cluster, place, self._renderer.files(cluster, document), known)
        except Refused as refused:
            self._findings.add(refused.problems)
            return None

    def planned(self, given: Input, *, force: bool) -> Planned | None:
        """What a render does to the folder of an input's cluster; None where it has mistakes or is no such folder."""
        before = len(self._findings.problems)
        each = self.rendered(given)
        found = plans([each], self._findings, force=force) if each else []
        if each is None or not found:
            return None
        held = claim(each.document, each.cluster, each.place.folder)
        own = tuple(self._findings.problems[before:])
        return Planned(given, held, each.facts, own, each.document.text, found[0], each)

    def told(self, known: Planned) -> bool:
        """Takes what is known of a cluster for its own work; False where another has its folder."""
        self._findings.inputs.append(known.input)
        self._findings.add(known.problems)
        self._findings.texts[known.input.file] = known.text
        is_first = self._together.is_first(known.claim)
        if is_first:
            self._together.add(known.facts)
        return is_first

    def close(self) -> None:
        """Finds what only several clusters can have wrong; after that, problems whose rules are off go."""
        self._findings.add(self._together.problems())
        self._findings.judge()


def resolving(inputs: Iterable[Input], findings: Findings) -> Iterator[Resolved]:
    """Read, judge and resolve one input after the other; what is wrong goes into ``findings``.

    Of a fleet no more than one cluster need be in memory: this, ``rendering`` and ``planning`` keep none.
    Raises Unable, TemplateError.
    """
    yield from filter(None, map(_Stages(findings).resolved, inputs))


def rendering(
    inputs: Iterable[Input], findings: Findings, output: str | None = None, *, alone: bool = False
) -> Iterator[Rendered]:
    """Render one input that is right after the other; ``output`` is ``--output``, or None.

    ``alone``: whether there is but one. What only several clusters can have wrong is found at the end.
    Raises Unable, TemplateError.
    """
    stages = _Stages(findings, output, alone=alone)
    yield from filter(None, map(stages.rendered, inputs))
    stages.close()


def planning(  # noqa: PLR0913 - what there is to say of a run
    inputs: Iterable[Input],
    findings: Findings,
    output: str | None = None,
    knowledge: Knowledge | None = None,
    *,
    alone: bool = False,
    force: bool = False,
) -> Iterator[Planned]:
    """What each render does to its folder; what stands in its way goes into ``findings``.

    A cluster of which ``knowledge`` knows that its tree is as it would be rendered is not rendered.
    Raises Unable, TemplateError.
    """
    stages = _Stages(findings, output, alone=alone)
    for each in inputs:
        found = knowledge.sound(each) if knowledge else None
        if found is not None:
            if stages.told(found):
                yield found
            continue
        found = stages.planned(each, force=force)
        if found is not None:
            if knowledge:
                knowledge.keep(found)
            yield found
    stages.close()


def resolved(inputs: Iterable[Input], findings: Findings) -> list[Resolved]:
    """All that ``resolving`` gives, for what needs every cluster at once. Raises Unable, TemplateError."""
    return list(resolving(inputs, findings))


def rendered(inputs: Sequence[Input], findings: Findings, output: str | None = None) -> list[Rendered]:
    """All that ``rendering`` gives, for what needs every cluster at once. Raises Unable, TemplateError."""
    return list(rendering(inputs, findings, output, alone=len(inputs) == 1))


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
    from okgen.upstream.vendored import faults, sources_of  # few clusters need them

    return [
        each.document.problem("OKG601", ("gitops", "crds"), line, f"run okgen vendor {each.document.file}")
        for line in faults(sources_of(each.cluster), each.place)
    ]
