"""Reads a YAML file: bytes in, plain data with the position of every key and value out, or problems."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, cast

import yaml

from okgen.problem import Path, Problem, Related, dotted, in_order
from okgen.read.content import MOST_BYTES, Misread, raw, text_of
from okgen.read.nodes import Builder, Node
from okgen.text import lines_of, place_after

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MOST_BYTES", "Document", "Misread", "Node", "parse", "read"]

_MOST_CHARACTERS = 20
_LAST_SHORT = 0xFF
# What libyaml refuses; what only YAML 1.1 takes for the end of a line: line numbers would depend on the reader; what
# turns the direction of text around: reviewers would see another file than the one that is read.
_UNWANTED = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
_LINE_ENDS = frozenset("\x85\u2028\u2029")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Document:
    """A YAML document: its file as messages name it, its text without byte order mark, its data and its nodes."""

    __slots__ = ("_lines", "data", "file", "root", "text")

    def __init__(self, file: str, text: str, root: Node) -> None:
        self.file = file
        self.text = text
        self.root = root
        self.data: Any = root.value
        self._lines: list[str] = []  # made when first asked for

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of its key.

        For a path that is not there: of the key of the nearest parent that is, the start of the file at the top.
        """
        node, line, column = self.root, 1, 1
        for step in path:
            children = node.children
            if isinstance(children, dict) and step in children:
                line, column, node = children[step]
            elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
                node = children[step]
                line, column = node.line, node.column
            else:
                return line, column
        return (line, column) if key else (node.line, node.column)

    def problem(  # noqa: PLR0913 - the fields of a problem
        self,
        code: str,
        path: Path,
        message: str,
        help: str = "",  # noqa: A002 - the name it has in a problem
        *,
        key: bool = False,
        severity: str = "error",
        related: tuple[Related, ...] = (),
    ) -> Problem:
        """A problem with the value at a path, or with its key."""
        line, column = self.place(path, key=key)
        return Problem(self.file, line, column, code, severity, message, dotted(path), help, related)

    def related(self, path: Path, label: str, *, key: bool = False) -> Related:
        """The place of the value at a path, or of its key, for a problem that is found elsewhere."""
        return Related(self.file, *self.place(path, key=key), label)

    def written(self, path: Path) -> str:
        """A number, boolean or null as it stands in the file: 1.30 rather than 1.3. "" where an alias stands for it."""
        line, column = self.place(path)
        self._lines = self._lines or lines_of(self.text)
        found = re.match(r"(?:[&!]\S*\s+)*([^\s,\[\]{}*]*)", self._lines[line - 1][column - 1 :])
        return found.group(1) if found else ""


def read(path: str, file: str, *, dates: bool = False) -> Document:
    """The document in a file of at most 1 MiB that messages call ``file``; never waits for a pipe or a device.

    ``dates``: whether a date may stand without quotes, as the string it is written as.

    Raises Unable when there is no such file, Misread when it is not a document.
    """
    return parse(raw(path, file), file, dates=dates)


def parse(data: bytes, file: str, *, dates: bool = False) -> Document:
    """The document in the bytes of a file that messages call ``file``. Raises Misread with all that is wrong."""
    text = text_of(data, file)
    _check_characters(text, file)
    builder = Builder(_events(text), file, dates=dates)
    problems, root = builder.problems, None
    try:
        root = builder.document()
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter two: escapes, to PyYAML's own parser
        from okgen.read import syntax  # most files do without

        slip = syntax.explain(error, text, builder.last, builder.bracket)
        problems.append(Problem(file, slip.line, slip.column, slip.code, "error", slip.message, help=slip.help))
    if problems:
        raise Misread(in_order(problems), text)
    if root is None:
        raise Misread([Problem(file, 1, 1, "OKG104", "error", "the file holds no data")], text)
    return Document(file, text, root)


def _check_characters(text: str, file: str) -> None:
    """Refuse characters that no YAML file needs, and directives that name tags. Raises Misread."""
    problems = []
    for found in itertools.islice(re.finditer(_UNWANTED, text), _MOST_CHARACTERS):
        number = ord(found.group())
        message = f"control character U+{number:04X}"
        if found.group() in _LINE_ENDS:
            message = f"U+{number:04X} ends a line for YAML 1.1 and does not for YAML 1.2"
        elif found.group() in _TURNS:
            message = f"U+{number:04X} turns the direction of text around: the line is not what it looks like"
        escape = f"\\x{number:02x}" if number <= _LAST_SHORT else f"\\u{number:04x}"
        help_text = f'remove it, or write "{escape}" in double quotes'
        problems.append(Problem(file, *place_after(text[: found.start()]), "OKG103", "error", message, help=help_text))
    # libyaml compares every %TAG directive with all before it, so that many would take minutes.
    directive = re.search(r"(?:\A|(?<=[\r\n]))%TAG", text)
    if directive:
        message, place = "a %TAG directive: only plain values are read here", place_after(text[: directive.start()])
        problems.append(Problem(file, *place, "OKG110", "error", message, help="remove it"))
    if problems:
        raise Misread(in_order(problems), text)


def _events(text: str) -> Callable[[], yaml.Event]:
    """The parser's next event. Its composer is never used: deep nesting overflows the stack there."""
    if yaml.__with_libyaml__:
        return cast("Callable[[], yaml.Event]", yaml.CSafeLoader(text).get_event)
    next_event = cast("Callable[[], yaml.Event]", yaml.SafeLoader(text).get_event)

    def checked() -> yaml.Event:
        event = next_event()
        if isinstance(event, yaml.ScalarEvent):
            event.value.encode()  # raises ValueError for half a surrogate pair, which libyaml refuses as well
        return event

    return checked
