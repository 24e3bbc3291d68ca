"""What it means that a cluster has another name, or its tree another place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen.diff.facts import REMOVAL, REST
from okgen.diff.nouns import Item
from okgen.diff.words import ARROW
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterable

_RENAMED = (
    "for Argo CD and AWS it is another cluster: its Applications, projects, roles and stack have other names.\n"
    "Remove it under the old name, then start it under the new one: docs/argocd.md, Renaming a cluster"
)
_PLACED = "Argo CD reads the new tree once its bootstrap is applied; delete the old tree after that"
_STAYS = "the old tree stays, and Argo CD goes on syncing it"
_GONE = "the old tree is gone: Argo CD cannot sync it any more, and deletes nothing by that"
_LEFT = "it stays as it is until you remove the cluster under its old name"


def told(items: Iterable[Item], old: str, new: str) -> list[Item]:
    """The items of a cluster whose tree went from one folder to another, with that as the first of them."""
    found = list(items)
    before, after = os.path.basename(old), os.path.basename(new)
    renamed = before != after
    lines = [f"~ tree: {os.path.relpath(old)} {ARROW} {os.path.relpath(new)}"]
    there = _STAYS if os.path.lexists(os.path.join(old, index.NAME)) else _GONE
    if renamed:
        lines.insert(0, f"~ name: {before} {ARROW} {after}")
        found = [each._replace(note=_LEFT) if each.risk == REMOVAL else each for each in found]
    risk = REMOVAL if renamed else REST
    first = Item(risk, "", f"cluster {after}", tuple(lines), f"{_RENAMED if renamed else _PLACED}\n{there}", ())
    place = next((place for place, each in enumerate(found) if each.risk == risk), len(found))
    return [*found[:place], first, *found[place:]]
