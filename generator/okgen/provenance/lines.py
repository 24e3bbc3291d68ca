"""From a line of a file to the fields that stand there, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from okgen.text import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.problem import Path
    from okgen.read.source import Document, Node


class _Entry(NamedTuple):
    """A key with its value, or an item of a list, where it starts; ``value`` is where its value does."""

    line: int
    column: int
    path: Path
    value: Node


def paths(document: Document, line: int, column: int = 0) -> list[Path]:
    """The fields that start in a line: its scalars, or else its keys; a text of several lines is in all of them.

    With a column only the one that it is in. None for a comment, or where nothing stands.
    """
    entries = list(_entries(document.root, ()))
    here = [each for each in entries if each.line == line]
    if column:
        here = [each for each in here if each.column <= column] or here[:1]
        return (
            [max(here, key=lambda each: (each.column, len(each.path))).path]
            if here
            else _around(document, entries, line)
        )
    scalars = [each.path for each in here if not each.value.children]
    return scalars or [each.path for each in here if isinstance(each.path[-1], str)] or _around(document, entries, line)


def line_of(document: Document, path: Path) -> int:
    """The line a field starts in."""
    return document.place(path, key=True)[0]


def _around(document: Document, entries: list[_Entry], line: int) -> list[Path]:
    """The field whose text goes on in a line where none starts."""
    before = [each for each in entries if each.line < line and not each.value.children]
    if not before:
        return []
    last = max(before, key=lambda each: (each.line, each.column))
    texts = lines_of(document.text)
    rest = texts[last.value.line - 1 : line]
    if rest[0][last.value.column - 1 :].startswith(("|", ">")):
        indent = _indent(texts[last.line - 1])
        inside = all(not text.strip() or _indent(text) > indent for text in rest[1:])
    else:
        inside = bool(rest[-1].strip()) and not rest[-1].lstrip().startswith(("#", "---", "..."))
    return [last.path] if inside else []


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _entries(node: Node, path: Path) -> Iterator[_Entry]:
    if isinstance(node.children, dict):
        for key, (line, column, child) in node.children.items():
            yield _Entry(line, column, (*path, key), child)
            yield from _entries(child, (*path, key))
    elif isinstance(node.children, list):
        for index, item in enumerate(node.children):
            yield _Entry(item.line, item.column, (*path, index), item)
            yield from _entries(item, (*path, index))
