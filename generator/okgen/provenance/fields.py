"""Fields of rendered files: their paths, their lines, and which of them two renders disagree about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen import source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.problem import Path
    from okgen.source import Document, Node


def parsed(file: str, text: str) -> Document | None:
    """A rendered YAML or JSON file with its places; None for text of another kind. Raises Refused."""
    return source.parse(text.encode(), file) if file.endswith((".yaml", ".json")) else None


def data_of(file: str, text: str) -> Any:  # noqa: ANN401 - any YAML value
    """What a rendered file holds; for text that is no YAML its lines."""
    document = parsed(file, text)
    return text.split("\n") if document is None else document.data


def leaves(data: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any YAML value
    """The path of every scalar and of every empty mapping and list."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    if not steps or not data:
        yield path
        return
    for step, value in steps:
        yield from leaves(value, (*path, step))


def at(data: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
    """The value at a path. Raises LookupError, TypeError when there is none."""
    for step in path:
        data = data[step]
    return data


def moved(old: Any, new: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any YAML value
    """The leaves of ``old`` that are others in ``new``, or gone. An item that is elsewhere in its list is neither."""
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        for key, value in old.items():
            if key in new:
                yield from moved(value, new[key], (*path, key))
            else:
                yield from leaves(value, (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _moved_items(old, new, path)
    elif old != new or type(old) is not type(new):
        yield from leaves(old, path)


def _moved_items(old: list[Any], new: list[Any], path: Path) -> Iterator[Path]:
    left = list(new)
    changed = []
    for index, value in enumerate(old):
        if value in left:
            left.remove(value)
        else:
            changed.append((index, value))
    for index, value in changed:
        pair = next((each for each in left if _are_alike(value, each)), None)
        if pair is None:
            yield from leaves(value, (*path, index))
        else:
            left.remove(pair)
            yield from moved(value, pair, (*path, index))


def _are_alike(one: Any, other: Any) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys()


def at_line(root: Node, line: int) -> list[Path]:
    """The paths of what starts in a line: its leaves, else its keys, else the leaf that goes on there."""
    leaf: list[Path] = []
    keys: list[Path] = []
    before: tuple[int, int, Path] = (0, 0, ())
    for path, place, is_leaf in _places(root, ()):
        if place[0] == line:
            (leaf if is_leaf else keys).append(path)
        elif is_leaf and place[0] < line:
            before = max(before, (*place, path), key=lambda each: each[:2])
    return leaf or keys or [before[2]]


def _places(node: Node, path: Path) -> Iterator[tuple[Path, tuple[int, int], bool]]:
    """The path and place of each key or item, and whether a leaf stands there."""
    if isinstance(node.children, dict):
        for key, (line, column, child) in node.children.items():
            yield (*path, key), (line, column), not child.children
            yield from _places(child, (*path, key))
    elif isinstance(node.children, list):
        for index, item in enumerate(node.children):
            yield (*path, index), (item.line, item.column), not item.children
            yield from _places(item, (*path, index))
