"""Compares every cluster of a run with what was there before, on disk or at a Git revision."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen import pipeline
from okgen.addons.catalogue import Catalogue
from okgen.diff import before, moves
from okgen.diff.baseline import Baseline
from okgen.diff.built import Builder
from okgen.diff.causes import Causes
from okgen.diff.items import items
from okgen.diff.nouns import ADDED, CHANGED, REMOVED, Before, ClusterDiff
from okgen.diff.read import Reader
from okgen.diff.units import Comparer
from okgen.problem import Refused, Unable
from okgen.read import source
from okgen.resolve.resolver import resolve
from okgen.write.places import place_of
from okgen.write.plan import EDITED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from okgen.diff.nouns import Change
    from okgen.diff.revision import Revision
    from okgen.pipeline import Findings, Rendered
    from okgen.read.inputs import Input

_STOPS = (EDITED, before.NOT_OURS)
_BATCH = 100  # clusters whose trees are in memory at once, as Git is asked for many in one go


class Run(NamedTuple):
    """What is compared: ``files`` are the arguments, ``output`` and ``base`` those options or None."""

    files: Sequence[str]
    inputs: Sequence[Input]
    output: str | None
    base: str | None


class Place(NamedTuple):
    """A folder of clusters' folders; below ``trusted`` no symbolic link is followed. ``root``: the repository."""

    parent: str
    trusted: str
    root: str


def compared(run: Run, counted: Iterable[Input], findings: Findings, beside: Findings) -> Iterator[ClusterDiff]:
    """The differences of each cluster, those of clusters that are gone at the end. Raises Unable, TemplateError.

    ``counted``: the inputs of the run, perhaps through a progress bar. What is wrong goes into ``findings``; into
    ``beside`` what is wrong with files beside the trees, which is no reason not to compare.
    """
    rendered = pipeline.rendering(counted, findings, run.output, alone=len(run.inputs) == 1)
    judge = _Judge(run)
    claimed: dict[Place, set[str]] = {}
    pairs = _on_disk(rendered, findings, judge) if run.base is None else _committed(rendered, judge)
    for each, was, moved in pairs:
        for folder in filter(None, (each.place.folder, moved)):
            place = Place(os.path.dirname(folder), each.place.trusted, each.input.root)
            claimed.setdefault(place, set()).add(folder)
        beside.add(pipeline.vendored(each))
        yield judge.cluster(each, was, moved)
    if findings.are_errors or run.output is not None:
        return  # in a folder that was named, trees of other repositories may stand beside those of this run
    for place, folders in claimed.items():
        if _covers(run.files, place.root):
            yield from judge.gone(place, folders)


class _Judge:
    """Turns what differs into what there is to know, with what that needs from cluster to cluster."""

    def __init__(self, run: Run) -> None:
        self._base, self._output = run.base, run.output
        reader = Reader()
        self._comparer = Comparer(reader)
        self._catalogue = Catalogue()
        self._baseline = Baseline(run.inputs, run.base)
        self._builder = Builder(reader)
        self._causes = Causes(self._baseline, self._catalogue, reader, self._builder)

    def revision(self, root: str) -> Revision:
        """The revision that is compared with, in a repository."""
        found = self._baseline.revision(root)
        assert found is not None, "there is one, or Unable was raised"
        return found

    def moved(self, each: Rendered) -> str:
        """The folder that a cluster's tree had before if it was another one, else "". Raises Unable, TemplateError."""
        old = self._baseline.source(each.input, each.cluster.name)
        if old is None:
            return ""
        try:
            cluster, _ = resolve(source.parse(old.raw, each.document.file), self._catalogue, each.input.root)
        except Refused:
            return ""
        folder = place_of(each.input, cluster.path, cluster.name, self._output).folder
        return "" if folder == each.place.folder else folder

    def cluster(self, each: Rendered, was: Before, moved: str) -> ClusterDiff:
        """What differs for a cluster that is rendered; ``moved``: the folder it was in if another, else ""."""
        changes, followers = self._comparer.changes(was.differences)
        state = ADDED if not was.exists else CHANGED if was.differences else ""
        shown = self._builder.shown(each.files, was, changes)
        found = items(each.cluster.name, state, shown, self._records)
        if moved:
            found = moves.told(found, moved, each.place.folder)
        diff = ClusterDiff(
            each.cluster.name,
            each.document.file,
            os.path.relpath(each.place.folder),
            state,
            was.okgen,
            tuple(changes),
            tuple(shown),
            tuple(found),
            tuple(followers),
            sum(one.remark in _STOPS for one in was.differences) if not moved else 0,
            os.path.relpath(moved) if moved else "",
        )
        return _lightened(diff._replace(items=tuple(self._causes.of(each, was, diff)))) if found else diff

    def gone(self, place: Place, claimed: set[str]) -> Iterator[ClusterDiff]:
        """The clusters whose cluster.yaml is gone."""
        if self._base is None:
            try:
                folders = before.strays(place.parent, place.trusted, claimed)
                found = {folder: before.on_disk(folder, place.trusted, {}) for folder in folders}
            except Refused as refused:
                raise Unable(str(refused)) from None
        else:
            found = self._gone_since(place, claimed)
        for folder, was in found.items():
            changes, followers = self._comparer.changes(was.differences)
            name, where = os.path.basename(folder), os.path.relpath(folder)
            told = Causes.gone(items(name, REMOVED, changes, self._records), self._why_gone(name, where))
            all_ = tuple(changes)
            yield _lightened(
                ClusterDiff(name, "", where, REMOVED, was.okgen, all_, all_, tuple(told), tuple(followers))
            )

    def _why_gone(self, name: str, where: str) -> str:
        left = "" if self._base is not None else f"; okgen leaves its tree {where} for you to delete"
        return f"no cluster.yaml has the name {name} any more{left}"

    def _gone_since(self, place: Place, claimed: set[str]) -> dict[str, Before]:
        from okgen.diff.revision import Tree

        revision = self.revision(place.root)
        parent = _inside(place.parent, place.root)
        names = revision.strays(parent, {_inside(folder, place.root) for folder in claimed})
        was = revision.before([Tree(name, {}) for name in names])
        return {os.path.join(place.root, name): each for name, each in zip(names, was, strict=True)}

    def _records(self, addon: str) -> dict[str, Any]:
        """What the definition of an add-on says of DNS records; nothing for one that this okgen does not know."""
        if addon not in self._catalogue.names:
            return {}
        found: dict[str, Any] = self._catalogue.addon(addon).definition.get("records", {})
        return found


def _lightened(diff: ClusterDiff) -> ClusterDiff:
    """A comparison without the data that nobody asks for any more: a fleet has many."""
    changes, shown = (tuple(map(_without_data, each)) for each in (diff.changes, diff.shown))
    items_ = tuple(each._replace(touches=()) for each in diff.items)
    return diff._replace(changes=changes, shown=shown, items=items_)


def _without_data(each: Change) -> Change:
    if each.state != CHANGED:
        return each
    old, new = (side and side._replace(value=None) for side in (each.old, each.new))
    return each._replace(old=old, new=new)


# A cluster, what was there before, and the folder that was in if another; else "".
_Pair = tuple["Rendered", Before, str]


def _on_disk(rendered: Iterable[Rendered], findings: Findings, judge: _Judge) -> Iterator[_Pair]:
    for each in rendered:
        try:
            was, moved = before.on_disk(each.place.folder, each.place.trusted, each.files), ""
            if not was.exists and (moved := judge.moved(each)):
                there = before.on_disk(moved, each.place.trusted, each.files)
                was, moved = (there, moved) if there.exists else (was, "")
            yield each, was, moved
        except Refused as refused:
            findings.add(refused.problems)


def _committed(rendered: Iterable[Rendered], judge: _Judge) -> Iterator[_Pair]:
    batch: list[Rendered] = []
    for each in rendered:
        batch.append(each)
        if len(batch) == _BATCH:
            yield from _batch(batch, judge)
            batch = []
    yield from _batch(batch, judge)


def _batch(batch: list[Rendered], judge: _Judge) -> Iterator[_Pair]:
    from okgen.diff.revision import Tree

    for root in dict.fromkeys(each.input.root for each in batch):
        own = [each for each in batch if each.input.root == root]
        revision = judge.revision(root)
        trees = [Tree(_inside(each.place.folder, root), each.files) for each in own]
        there = revision.before(trees)
        folders = ["" if was.exists else judge.moved(each) for each, was in zip(own, there, strict=True)]
        others = [Tree(_inside(folder, root), each.files) for each, folder in zip(own, folders, strict=True) if folder]
        found = iter(revision.before(others) if others else ())
        for each, was, folder in zip(own, there, folders, strict=True):
            moved = next(found) if folder else was
            yield (each, moved, folder) if moved.exists else (each, was, "")


def _inside(path: str, root: str) -> str:
    """A path from the repository's root, "" for the root itself. Raises Unable for one outside of it."""
    found = os.path.relpath(path, root)
    if found == os.pardir or found.startswith(f"{os.pardir}{os.sep}"):
        raise Unable(f"--base: {os.path.relpath(path)} is outside of the repository {os.path.relpath(root)}")
    return "" if found == os.curdir else found


def _covers(names: Sequence[str], root: str) -> bool:
    """Whether the arguments take in every cluster.yaml of a repository, so that what none claims is claimed by none."""
    folders = [os.path.realpath(name) for name in names if os.path.isdir(name)]
    real = os.path.realpath(root)
    return any(os.path.commonpath([folder, real]) == folder for folder in folders)
