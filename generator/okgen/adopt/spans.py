"""Where each value of a YAML text begins and ends, so that an edit can leave every other character alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_Event = Any  # an event of PyYAML, whose stubs say of marks that they may be missing; the parser's never are

ALIAS, MAPPING, SCALAR, SEQUENCE = "alias", "mapping", "scalar", "sequence"


class Span(NamedTuple):
    """A value: characters from ``start`` to ``end`` of the text, without the line end or comment behind it.

    ``column``: that of a mapping's keys or a list's dashes, else of the value itself; from 0. ``inside``: whether it
    stands within brackets; ``bracket``: where its own opens, -1 without. ``bare``: a scalar without quotes, anchor and
    tag. ``entries`` are those of a mapping, ``items`` those of a list.
    """

    kind: str
    start: int
    end: int
    column: int
    inside: bool
    bracket: int
    bare: bool
    entries: dict[str, Entry]
    items: list[Span]


class Entry(NamedTuple):
    """An entry of a mapping: where its key starts and ends, and its value."""

    start: int
    end: int
    value: Span


def of(text: str) -> Span:
    """The root of a text that holds one document, as ``source.parse`` has found."""
    loader: Any = _Loader(text)
    try:
        while not isinstance(loader.get_event(), yaml.DocumentStartEvent):
            pass
        return _Reader(text, loader.get_event).value(loader.get_event(), inside=False)
    finally:
        loader.dispose()


def at(root: Span, *path: str) -> Entry | None:
    """The entry at a path of at least one key; None where the text does not write it there."""
    found: Entry | None = None
    for step in path:
        found = (found.value if found else root).entries.get(step)
        if found is None:
            return None
    return found


class _Reader:
    """Turns events into spans; how deep they nest has been checked before."""

    def __init__(self, text: str, take: Callable[[], Any]) -> None:
        self._text, self._take = text, take

    def value(self, event: _Event, *, inside: bool) -> Span:
        """The span of the value that begins with an event."""
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, inside=inside)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, inside=inside)
        start, end, bare = event.start_mark, event.end_mark.index, False
        if isinstance(event, yaml.ScalarEvent):
            end = _end_of_scalar(event, self._text)
            bare = event.implicit[0] and event.anchor is None
        kind = ALIAS if isinstance(event, yaml.AliasEvent) else SCALAR
        return Span(kind, start.index, end, start.column, inside, -1, bare, {}, [])

    def _mapping(self, event: _Event, *, inside: bool) -> Span:
        start, bracket = event.start_mark, self._bracket(event, "{")
        column, end = start.column, event.end_mark.index
        entries: dict[str, Entry] = {}
        while not _closes(key := self._take(), yaml.MappingEndEvent):
            if not entries:
                column = key.start_mark.column
            value = self.value(self._take(), inside=inside or bracket >= 0)
            entry = Entry(key.start_mark.index, key.end_mark.index, value)
            entries[str(getattr(key, "value", ""))] = entry
            end = max(value.end, entry.end)
        end = key.end_mark.index if bracket >= 0 else end
        return Span(MAPPING, start.index, end, column, inside, bracket, False, entries, [])

    def _sequence(self, event: _Event, *, inside: bool) -> Span:
        start, bracket = event.start_mark, self._bracket(event, "[")
        items: list[Span] = []
        while not _closes(item := self._take(), yaml.SequenceEndEvent):
            items.append(self.value(item, inside=inside or bracket >= 0))
        end, column = item.end_mark.index, start.column
        if bracket < 0:
            end = items[-1].end
            dash = self._text.rindex("-", 0, max(items[0].start, start.index + 1))
            column = dash - self._text.rfind("\n", 0, dash) - 1
        return Span(SEQUENCE, start.index, end, column, inside, bracket, False, {}, items)

    def _bracket(self, event: _Event, opening: str) -> int:
        place: int = event.start_mark.index
        return self._text.index(opening, place) if event.flow_style else -1


def _closes(event: _Event, kind: type[yaml.Event]) -> bool:
    return isinstance(event, kind)


def _end_of_scalar(event: _Event, text: str) -> int:
    """The parser counts the empty lines behind a block scalar as its own; only ``+`` keeps them."""
    start: int = event.start_mark.index
    end: int = event.end_mark.index
    if event.style not in ("|", ">"):
        return end
    header = text[start:end].split("\n", 1)[0]
    return end if "+" in header else start + len(text[start:end].rstrip())
