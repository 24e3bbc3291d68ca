"""Builds nodes, plain data with positions, from the events of a YAML parser, and refuses what is not plain data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from yaml import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, StreamEndEvent

from okgen.problem import Problem, dotted
from okgen.read import scalars
from okgen.read.scalars import Doubt
from okgen.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    Event = Any  # PyYAML's types let marks be None, which they never are in what a parser returns

MOST_LEVELS = 100
TOO_DEEP = f"more than {MOST_LEVELS} levels of lists and mappings in one another"
MOST_NODES = 100_000
MOST_TEXT = 4 * 1024 * 1024  # characters; only aliases make more of a file than it holds
_MOST_PROBLEMS = 100
_MOST_STEPS = 20  # of a path in a message
_MERGE = "<<"
# DEL, C1 controls with NEL, half of a surrogate pair, and two that are no characters; seen with kustomize 5.8.1.
_UNWRITABLE = re.compile("[\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


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
    text: int = 0


class _Stop(Exception):  # noqa: N818 - no error, the way out of a deep place
    """Reading on makes no sense; the problems say why."""


class Builder:
    """Builds the nodes of one file. ``problems`` grows as it reads; ``last`` is the scalar read last.

    ``dates``: a date without quotes is the string, as no other reader of YAML has a say in this file.
    """

    def __init__(self, next_event: Callable[[], Event], file: str, *, dates: bool = False) -> None:
        self.problems: list[Problem] = []
        self.last: ScalarEvent | None = None
        self._next = next_event
        self._file = file
        self._dates = dates
        self._path: list[str | int] = []
        self._open: list[Event] = []
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0
        self._text = 0
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

    @property
    def bracket(self) -> tuple[int, int] | None:
        """Line and column, from 0, of the innermost bracket that was open when reading stopped."""
        if self._open and self._open[-1].flow_style:
            mark = self._open[-1].start_mark
            return mark.line, mark.column
        return None

    def refuse(self, code: str, event: Event, message: str, help_text: str = "") -> None:
        """Keep a problem; the path is that of what is being read."""
        mark = event.start_mark
        place = (self._file, mark.line + 1, mark.column + 1)
        self.problems.append(
            Problem(*place, code, "error", message, dotted(tuple(self._path[:_MOST_STEPS])), help_text)
        )
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
            self._stop("OKG113", event, TOO_DEEP)
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
        self._open.append(event)
        node = self._mapping(event, depth) if isinstance(event, MappingStartEvent) else self._sequence(event, depth)
        self._open.pop()
        return node

    def _scalar(self, event: ScalarEvent) -> Any:  # noqa: ANN401 - any scalar
        self.last = event
        self._text += len(event.value)
        if not event.value.isascii() or "\x7f" in event.value:
            self._refuse_unwritable(event)
        try:
            if event.tag is not None:
                return scalars.tagged(event.tag, event.value)
            return scalars.plain(event.value) if event.implicit[0] else event.value
        except Doubt as doubt:
            if not (self._dates and event.tag is None and scalars.is_date(event.value)):
                self._doubt(event, doubt)
            return event.value

    def _refuse_unwritable(self, event: ScalarEvent) -> None:
        """Refuses what an escape can hide in quotes, but Kustomize cannot read however it is written."""
        found = _UNWRITABLE.search(event.value)
        if found:
            message = f"a string holds the character U+{ord(found[0]):04X}, which Kustomize cannot read"
            self.refuse("OKG103", event, message, "leave it out")

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
        merges: list[Node] = []
        merge_line = 0
        path = self._path
        while not isinstance(event := self._next(), MappingEndEvent):
            mark = event.start_mark
            merging = isinstance(event, ScalarEvent) and event.value == _MERGE and _is_plain(event)
            path.append(event.value if isinstance(event, ScalarEvent) else "?")
            key = path[-1] = _MERGE if merging else self._key(event, depth)
            before = merge_line if merging else children[key][0] if key in children else 0
            if before:
                message = f'key "{shown(key)}" stands here twice, first in line {before}'
                self.refuse("OKG106", event, message, "keep one of the two")
            if merging:
                merge_line = before or mark.line + 1
                merges += self._merged(self._next(), depth)
            else:
                child = self._node(self._next(), depth + 1)
                children.setdefault(key, (mark.line + 1, mark.column + 1, child))
            path.pop()
        data = {key: entry[2].value for key, entry in children.items()}
        for node in merges:
            assert isinstance(node.children, dict)
            for key, entry in node.children.items():
                if key not in children:
                    children[key] = entry
                    data[key] = node.value[key]
        mark = start.start_mark
        return Node(mark.line + 1, mark.column + 1, data, children)

    def _key(self, event: Event, depth: int) -> str:
        known = len(self.problems)
        key = self._node(event, depth + 1).value
        if isinstance(key, str):
            return key
        text = event.value if isinstance(event, ScalarEvent) else "?"
        if len(self.problems) == known or isinstance(key, (dict, list)):
            self._not_a_string(event, key, text)
        return text

    def _not_a_string(self, event: Event, key: object, text: str) -> None:
        if isinstance(key, (dict, list)):
            what = "mapping" if isinstance(key, dict) else "list"
            self.refuse("OKG107", event, f"a {what} as a key: keys are strings", "write a string")
        elif not text:
            self.refuse("OKG107", event, "an empty key: keys are strings", 'write the key, or "" for an empty string')
        else:
            what = {bool: "a boolean", type(None): "null"}.get(type(key), "a number")
            message = f"key {shown(text)} without quotes is {what}: keys are strings"
            self.refuse("OKG107", event, message, f'write "{shown(text)}"')

    def _merged(self, event: Event, depth: int) -> list[Node]:
        """The mappings that a merge key names, the one that wins first."""
        known = len(self.problems)
        node = self._node(event, depth)
        given = node.children if isinstance(node.children, list) else [node]
        if all(isinstance(each.children, dict) for each in given):
            return given
        if len(self.problems) == known:
            message = 'the merge key "<<" takes a mapping, or a list of mappings'
            self.refuse("OKG112", event, message, 'write "<<" in quotes for a key of that name')
        return []

    def _anchored(self, event: Event, depth: int) -> Node:
        name, nodes, text, deepest = event.anchor, self._nodes, self._text, self._deepest
        opened = self._anchors[name] = _Anchor()
        self._deepest = depth - 1
        node = self._value(event, depth)
        levels = self._deepest - depth + 1
        self._deepest = max(deepest, self._deepest)
        if self._anchors[name] is opened:  # else an anchor inside has taken the name
            self._anchors[name] = _Anchor(node, self._nodes - nodes, levels, self._text - text)
        return node

    def _alias(self, event: Event, depth: int) -> Node:
        mark = event.start_mark
        anchor = self._anchors.get(event.anchor)
        if anchor is None or anchor.node is None:
            name = shown(event.anchor)
            message, help_text = f'alias "*{name}": no "&{name}" stands before it', "put it in quotes if it is no alias"
            if anchor is not None:
                message, help_text = f'alias "*{name}" stands inside what it stands for', "write out what is meant"
            self.refuse("OKG111", event, message, help_text)
            return Node(mark.line + 1, mark.column + 1, None)
        self._count(anchor.nodes, event)
        self._text += anchor.text
        if self._text > MOST_TEXT:
            self._stop("OKG113", event, f"more than {MOST_TEXT:,} characters, each alias counted as what it stands for")
        if anchor.levels:
            self._enter(depth + anchor.levels - 1, event)
        return Node(mark.line + 1, mark.column + 1, _copied(anchor.node.value), anchor.node.children)


def _copied(value: Any) -> Any:  # noqa: ANN401 - any plain data
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value


def _is_plain(event: ScalarEvent) -> bool:
    return event.implicit[0] and event.tag is None


def _is_empty(event: ScalarEvent) -> bool:
    """Whether nothing is written there at all."""
    return not event.value and event.anchor is None and _is_plain(event)
