"""Builds nodes, plain data with positions, from the events of a YAML parser, and refuses what is not plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from yaml import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, StreamEndEvent, YAMLError

from okgen import scalars
from okgen.problem import Problem, dotted
from okgen.scalars import Doubt, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from yaml import Event

MOST_LEVELS = 100
MOST_NODES = 100_000
_MOST_PROBLEMS = 100
_MERGE = "<<"


class Node(NamedTuple):
    """A value and its place; ``line`` and ``column`` count from 1.

    ``value`` is plain data, shared with nothing else. ``children`` is for a mapping: key -> line and column of the key,
    node of the value; for a list: its nodes; for a scalar: None.
    """

    line: int
    column: int
    value: Any
    children: dict[str, tuple[int, int, Node]] | list[Node] | None = None


class _Anchor(NamedTuple):
    """What an alias stands for; without a node while that is still being read."""

    node: Node | None = None
    nodes: int = 0
    levels: int = 0


class _Stop(Exception):  # noqa: N818 - no error, the way out of a deep place
    """Reading on makes no sense; the problems say why."""


class Builder:
    """Builds the nodes of one file. ``problems`` grows as it reads; ``last`` is the scalar read last."""

    def __init__(self, next_event: Callable[[], Event], file: str) -> None:
        self.problems: list[Problem] = []
        self.last: ScalarEvent | None = None
        self._next = next_event
        self._file = file
        self._path: list[str | int] = []
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0
        self._deepest = 0

    def document(self) -> Node | None:
        """The root of the one document that is not empty, None without one or when reading stopped.

        Raises YAMLError where the file is not YAML.
        """
        self._next()  # the start of the stream
        root = None
        try:
            while not isinstance(start := self._next(), StreamEndEvent):
                self._count(1, start)
                first = self._next()
                if isinstance(first, ScalarEvent) and _is_empty(first):
                    self._next()
                    continue
                if root is not None:
                    self._stop("OKG105", start, "a second YAML document starts here", "one file describes one cluster")
                root = self._node(first, 1)
                self._next()
        except _Stop:
            return None
        return root

    def refuse(self, code: str, event: Event, message: str, help_text: str = "") -> None:
        """Keep a problem; the path is that of what is being read."""
        mark = event.start_mark
        place = (self._file, mark.line + 1, mark.column + 1)
        self.problems.append(Problem(*place, code, "error", message, dotted(tuple(self._path)), help_text))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise _Stop

    def _stop(self, code: str, event: Event, message: str, help_text: str = "") -> NoReturn:
        self.refuse(code, event, message, help_text)
        raise _Stop

    def _count(self, nodes: int, event: Event) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            self._stop("OKG113", event, f"more than {MOST_NODES:,} values, each alias counted as what it stands for")

    def _enter(self, depth: int, event: Event) -> None:
        if depth > MOST_LEVELS:
            self._stop("OKG113", event, f"more than {MOST_LEVELS} levels of lists and mappings in one another")
        self._deepest = max(self._deepest, depth)

    def _node(self, event: Event, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        if event.anchor is not None:
            return self._anchored(event, depth)
        return self._value(event, depth)

    def _value(self, event: Event, depth: int) -> Node:
        self._count(1, event)
        mark = event.start_mark
        if isinstance(event, ScalarEvent):
            return Node(mark.line + 1, mark.column + 1, self._scalar(event))
        self._enter(depth, event)
        name = "map" if isinstance(event, MappingStartEvent) else "seq"
        if event.tag not in (None, scalars.CORE + name):
            self._doubt(event, scalars.wrong_tag(event.tag))
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, depth)
        return self._sequence(event, depth)

    def _scalar(self, event: ScalarEvent) -> Any:  # noqa: ANN401 - any scalar
        self.last = event
        try:
            if event.tag is not None:
                return scalars.tagged(event.tag, event.value)
            return scalars.plain(event.value) if event.implicit[0] else event.value
        except Doubt as doubt:
            self._doubt(event, doubt)
            return event.value

    def _doubt(self, event: Event, doubt: Doubt) -> None:
        self.refuse(doubt.code, event, doubt.message, doubt.help)

    def _sequence(self, start: Event, depth: int) -> Node:
        children: list[Node] = []
        path = self._path
        while not isinstance(event := self._next(), SequenceEndEvent):
            path.append(len(children))
            children.append(self._node(event, depth + 1))
            path.pop()
        mark = start.start_mark
        return Node(mark.line + 1, mark.column + 1, [child.value for child in children], children)

    def _mapping(self, start: Event, depth: int) -> Node:
        children: dict[str, tuple[int, int, Node]] = {}
        merged: tuple[int, int, Node] | None = None
        path = self._path
        while not isinstance(event := self._next(), MappingEndEvent):
            merging = isinstance(event, ScalarEvent) and event.value == _MERGE and _is_plain(event)
            key = _MERGE if merging else self._key(event, depth)
            path.append(key)
            before = merged if merging else children.get(key)
            if before is not None:
                where = f'key "{shown(key)}" stands here twice, first in line {before[0]}'
                self.refuse("OKG106", event, where, "keep one of the two")
            mark, known = event.start_mark, len(self.problems)
            entry = (mark.line + 1, mark.column + 1, self._node(self._next(), depth + 1))
            if not merging:
                children.setdefault(key, entry)
            elif len(self.problems) == known:
                merged = entry
                ...
            path.pop()
        mark = start.start_mark
        ...

def _is_plain(event: ScalarEvent) -> bool:
    return event.implicit[0] and event.tag is None


def _is_empty(event: ScalarEvent) -> bool:
    """Whether nothing is written there at all."""
    return not event.value and event.implicit[0] and event.tag is None and event.anchor is None
