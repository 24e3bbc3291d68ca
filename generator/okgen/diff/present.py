"""Causes told from the new tree alone, for a cluster.yaml of which no commit holds what it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from okgen import __version__
from okgen.diff.built import LISTING
from okgen.diff.compare import compare
from okgen.diff.group import shape
from okgen.diff.keys import NOTHING, placed, reached
from okgen.diff.nouns import REMOVED, Cause
from okgen.problem import Path, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.diff.built import Builder
    from okgen.diff.nouns import Before, Change, Field, Item
    from okgen.pipeline import Rendered
    from okgen.provenance import Cause as Origin
    from okgen.provenance import Provenance
    from okgen.read.source import Document

UNKNOWN = Cause("no commit holds the cluster.yaml of before")
_MOST_FIELDS = 50  # of an item
_MOST_TRACED = 25  # clusters of a run; tracing one takes as long as rendering a hundred


class _Trace(NamedTuple):
    """Where an item of one cluster comes from, in a form that may do for the same item of another.

    ``path`` is one of cluster.yaml, which gives a value there or leaves it to the default that stands in ``at``.
    """

    reason: str
    path: Path
    at: Cause | None

    def cause(self, document: Document) -> Cause | None:
        """The cause for a cluster.yaml; None where that gives what the other left out, or the other way round."""
        value = reached(document.data, self.path)
        if (value is NOTHING) is not (self.at is not None):
            return None
        return self.at or Cause(self.reason, document.file, document.place(self.path, key=True)[0], dotted(self.path))


class Traces:
    """Traces the items of one cluster after the other; what many share is traced once."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._known: dict[object, tuple[_Trace, ...]] = {}
        self._traced: set[str] = set()
        self._last: tuple[str, Provenance] | None = None

    def causes(self, item: Item, each: Rendered, was: Before) -> tuple[Cause, ...]:
        """What the new values come from; of what is gone that is not known."""
        upgrade = f"okgen upgrade {was.okgen} → {__version__}" if was.okgen not in ("", __version__) else ""
        looks = shape(item, each.cluster.name)
        known = [trace.cause(each.document) for trace in self._known.get(looks, ())]
        if not known or None in known:
            if len(self._traced | {each.place.folder}) > _MOST_TRACED:
                return (UNKNOWN,)
            self._traced.add(each.place.folder)
            self._known[looks] = tuple(dict.fromkeys(self._traces(item, each)))
            known = [trace.cause(each.document) for trace in self._known[looks]]
        found = tuple(dict.fromkeys(cause for cause in known if cause is not None))
        return found or (Cause(upgrade) if upgrade else UNKNOWN,)

    def _traces(self, item: Item, each: Rendered) -> Iterator[_Trace]:
        from okgen.provenance import Provenance  # only where there is no past

        if self._last is None or self._last[0] != each.place.folder:
            self._last = each.place.folder, Provenance(each.document, each.cluster, each.files)
        for change, fields in item.touches:
            for path in _paths(change, fields or change.fields):
                for file, place in self._patches(change, path, each) or [(change.file, path)]:
                    try:
                        ends = self._last[1].ends(file, place)
                    except LookupError:
                        continue
                    yield from _chosen(ends, whole=not place)

    def _patches(self, change: Change, path: Path, each: Rendered) -> list[tuple[str, Path]]:
        """The patches that a value comes from, as places in the kustomization that has them."""
        if not change.built:
            return []

        def differ(one: Any, other: Any) -> bool:  # noqa: ANN401 - any plain data
            first, second = (reached(value, path) for value in (one, other))
            return (first is NOTHING) is not (second is NOTHING) or bool(compare(first, second))

        found = self._builder.decisive(each.files, change.file, differ)
        folder = change.file.rpartition("/")[0]
        patches = self._builder.side(each.files, folder).patches
        return [(f"{folder}/{LISTING}", ("patches", patches.index(one), "patch")) for one in found]


def _chosen(ends: list[Origin], *, whole: bool) -> Iterator[_Trace]:
    """Of all that a value comes from what is most likely to have changed; ``whole``: of an object that is new."""
    from okgen.provenance import DEFAULT, GIVEN

    given = [each for each in ends if each.kind == GIVEN]
    conditions = [each for each in given if each.is_condition]
    values = [each for each in given if not each.is_condition]
    if whole and conditions:
        values = conditions
    defaults = [each for each in ends if each.kind == DEFAULT and not each.is_condition]
    if values:
        yield from (_Trace("", each.path, None) for each in values)
    else:
        for each in defaults:
            at = Cause("okgen's default", each.file, each.line, dotted(each.path))
            yield _Trace("", each.path, at)


def _paths(change: Change, fields: tuple[Field, ...]) -> Iterator[Path]:
    """Where the new values stand, with places in lists for merge keys; nothing for what is gone."""
    if change.state == REMOVED or change.new is None:
        return
    if not fields:
        yield ()
    for field in fields[:_MOST_FIELDS]:
        path = placed(change.new.value, field.path)
        if len(path) == len(field.path) and field.op != "remove":
            yield path
