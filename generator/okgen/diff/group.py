"""The same change in many clusters, told once; and the table of clusters by add-ons."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from okgen.diff import nouns
from okgen.diff.facts import RISKS
from okgen.diff.nouns import ADDED, CHANGED, REMOVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.diff.nouns import Cause, ClusterDiff, Item

NAME = "<cluster>"  # in what many clusters share, the name of each
NO_EFFECT = "no effect"


class Group(NamedTuple):
    """An item, all that it is said of in the same words, and the clusters it happens in with the causes of each."""

    item: Item
    subjects: tuple[str, ...]
    clusters: tuple[str, ...]
    causes: tuple[Cause, ...]


class Cell(NamedTuple):
    """How many objects are added, changed and removed, and the gravest risk; "" where nothing happens."""

    added: int
    changed: int
    removed: int
    risk: str

    def __str__(self) -> str:
        counts = {"+": self.added, "~": self.changed, "-": self.removed}
        return " ".join(f"{sign}{count}" for sign, count in counts.items() if count)


class Row(NamedTuple):
    """Clusters with the same cells; ``cells`` by add-on, "" for what is the cluster's own."""

    clusters: tuple[str, ...]
    cells: dict[str, Cell]
    verdict: str


def groups(diffs: Iterable[ClusterDiff]) -> list[Group]:
    """The items of all clusters by risk, each once."""
    found: dict[tuple[str, str, str, tuple[str, ...], str], list[tuple[str, Item]]] = {}
    for diff in diffs:
        for item in diff.items:
            found.setdefault(shape(item, diff.name), []).append((diff.name, item))
    ranks = list(RISKS)
    merged: dict[object, Group] = {}
    for group in (_group(looks, pairs) for looks, pairs in found.items()):
        same = group.item.risk, group.item.lines, group.item.note, group.clusters, group.causes
        known = merged.get(same)
        merged[same] = group if known is None else known._replace(subjects=known.subjects + group.subjects)
    return sorted(merged.values(), key=lambda each: ranks.index(each.item.risk))


def shape(item: Item, cluster: str) -> tuple[str, str, str, tuple[str, ...], str]:
    """What an item says, with a mark in place of the cluster's name: risk, add-on, subject, lines, note."""
    pattern = _pattern(cluster)
    texts = (pattern.sub(NAME, text) for text in item.lines)
    return item.risk, item.addon, pattern.sub(NAME, item.subject), tuple(texts), pattern.sub(NAME, item.note)


@cache
def _pattern(cluster: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9-]){re.escape(cluster)}(?![a-z0-9])")


def _group(looks: tuple[str, str, str, tuple[str, ...], str], pairs: Sequence[tuple[str, Item]]) -> Group:
    _, first = pairs[0]
    clusters = tuple(dict.fromkeys(name for name, _ in pairs))
    causes = tuple(dict.fromkeys(cause for _, item in pairs for cause in item.causes))
    if len(clusters) > 1:
        _, _, subject, lines, note = looks
        first = first._replace(subject=subject, lines=lines, note=note)
    return Group(first, (first.subject,), clusters, causes)


def rows(diffs: Iterable[ClusterDiff]) -> list[Row]:
    """The lines of the table: clusters in which the same happens share one."""
    found: dict[object, list[str]] = {}
    made: dict[object, tuple[dict[str, Cell], str]] = {}
    for diff in diffs:
        cells, verdict = cells_of(diff), verdict_of(diff)
        key = tuple(sorted(cells.items())), verdict
        found.setdefault(key, []).append(diff.name)
        made[key] = cells, verdict
    return [Row(tuple(names), *made[key]) for key, names in found.items()]


def cells_of(diff: ClusterDiff) -> dict[str, Cell]:
    """The cells of a cluster, by add-on; those in which nothing happens are left out."""
    counts: dict[str, dict[str, int]] = {}
    risks: dict[str, str] = {}
    for change in diff.shown:
        if change.state == CHANGED and not change.fields:
            continue
        if change.unit.form != nouns.KUSTOMIZE or change.state == CHANGED:
            own = counts.setdefault(change.addon, {ADDED: 0, CHANGED: 0, REMOVED: 0})
            own[change.state] += 1
    for item in diff.items:  # the gravest comes first
        risks.setdefault(item.addon, item.risk)
    return {
        addon: Cell(own[ADDED], own[CHANGED], own[REMOVED], risks.get(addon, ""))
        for addon, own in sorted(counts.items())
    }


def verdict_of(diff: ClusterDiff) -> str:
    """The verdict on a cluster in a few words: its two gravest risks, or that there is no effect."""
    if diff.state == ADDED:
        return "new cluster"
    if diff.state == REMOVED:
        return "cluster removed"
    words = list(dict.fromkeys(RISKS[item.risk].verdict for item in diff.items))
    return ", ".join(words) or NO_EFFECT
