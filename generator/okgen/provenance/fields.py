"""Fields of rendered files: their paths, their lines, and which of them two renders disagree about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.read import source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.problem import Path
    from okgen.read.source import Document


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
        pair = max(left, key=lambda other: _likeness(value, other), default=None)
        if pair is None or not _likeness(value, pair):
            yield from leaves(value, (*path, index))
        else:
            left.remove(pair)
            yield from moved(value, pair, (*path, index))


def _likeness(one: Any, other: Any) -> int:  # noqa: ANN401 - any YAML value
    """How much two items of lists have in common; 0 when they are not one and the same thing, changed."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return 0
    same = [key for key, value in one.items() if key in other and value == other[key]]
    return len(same) + (one.keys() == other.keys())


def counterpart(file: str, old: Iterable[str], new: Iterable[str]) -> str | None:
    """The file of ``new`` that an object has moved to whose name is another now; itself where it is still there."""
    if file in (after := set(new)):
        return file
    before = set(old)
    start = f"{file.rpartition('/')[0]}/{file.rpartition('/')[2].partition('-')[0]}-"
    gone = sorted(each for each in before - after if each.startswith(start))
    made = sorted(each for each in after - before if each.startswith(start))
    return dict(zip(gone, made, strict=False)).get(file)


def find(data: Any, text: str) -> Path:  # noqa: ANN401 - any YAML value
    r"""The path that a text names, in the way of jq: ``.spec.containers[0].image``, ``labels["a/b"]``.

    The first dot may be left out, and the quotes too where what is there shows which dots are part of a key; kubectl's
    ``\.`` is a dot of a key as well. Raises LookupError when there is no such field.
    """
    text = text.replace("\\.", ".")
    found = next(_found(data, text if text.startswith((".", "[")) or not text else f".{text}"), None)
    if found is None:
        raise LookupError(text)
    return found


def _found(data: Any, text: str) -> Iterator[Path]:  # noqa: ANN401 - any YAML value
    if not text:
        yield ()
    elif isinstance(data, list):
        index = re.match(r"\[([0-9]{1,6})\]", text)
        if index and int(index[1]) < len(data):
            yield from ((int(index[1]), *rest) for rest in _found(data[int(index[1])], text[index.end() :]))
    elif isinstance(data, dict):
        for key, value in sorted(data.items(), key=lambda item: -len(item[0])):
            for form in (f".{key}", f'["{key}"]', f'.["{key}"]'):
                after = text[len(form) :]
                if text.startswith(form) and (not after or after[0] in ".["):
                    yield from ((key, *rest) for rest in _found(value, after))
