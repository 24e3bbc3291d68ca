"""Causes told from the new tree alone, for a cluster.yaml of which no commit holds what it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen import __version__
from okgen.diff.keys import placed
from okgen.diff.nouns import REMOVED, Cause
from okgen.problem import Path, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.diff.nouns import Before, Change, Field, Item
    from okgen.pipeline import Rendered
    from okgen.provenance import Cause as Origin
    from okgen.provenance import Provenance

UNKNOWN = Cause("no commit holds the cluster.yaml of before")


class Present:
    """The causes of one cluster's items: what the new values come from."""

    def __init__(self, each: Rendered, was: Before) -> None:
        self._each = each
        self._provenance: Provenance | None = None
        self._upgrade = was.okgen if was.okgen != __version__ else ""

    def causes(self, item: Item) -> tuple[Cause, ...]:
        """The causes of an item; of what is gone they are not known."""
        found: dict[Cause, None] = {}
        for change, fields in item.touches:
            for path in _paths(change, fields or change.fields):
                found.update(dict.fromkeys(self._of(change.file, path)))
        return tuple(found) or (UNKNOWN,)

    def _of(self, file: str, path: Path) -> Iterator[Cause]:
        from okgen.provenance import Provenance  # only where there is no past

        if self._provenance is None:
            self._provenance = Provenance(self._each.document, self._each.cluster, self._each.files)
        try:
            ends = self._provenance.ends(file, path)
        except LookupError:
            return
        yield from _chosen(ends, self._upgrade, whole=not path)


def _chosen(ends: list[Origin], upgrade: str, *, whole: bool) -> Iterator[Cause]:
    """Of all that a value comes from what is most likely to have changed; ``whole``: of an object that is new."""
    from okgen.provenance import DEFAULT, GIVEN

    values, conditions = (
        [each for each in ends if each.kind == GIVEN and each.is_condition is so] for so in (False, True)
    )
    defaults = [each for each in ends if each.kind == DEFAULT and not each.is_condition]
    if whole and conditions:
        values = conditions
    if values:
        yield from (_cause(each, "") for each in values)
    elif defaults:
        yield from (_cause(each, "okgen's default") for each in defaults)
    elif upgrade:
        yield Cause(f"okgen upgrade {upgrade} → {__version__}")
    else:
        yield from (_cause(each, "") for each in conditions)


def _cause(origin: Origin, reason: str) -> Cause:
    return Cause(reason, origin.file, origin.line, dotted(origin.path))


def _paths(change: Change, fields: tuple[Field, ...]) -> Iterator[Path]:
    """Where the new values stand, with places in lists for merge keys; nothing for what is gone."""
    if change.state == REMOVED or change.new is None:
        return
    if not fields:
        yield ()
    for field in fields:
        path = placed(change.new.value, field.path)
        if len(path) == len(field.path) and field.op != "remove":
            yield path
