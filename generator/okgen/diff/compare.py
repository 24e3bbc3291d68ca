"""Compares two values of plain data field by field."""

from __future__ import annotations

import json
from typing import Any

from okgen.diff.facts import MERGE_KEYS, Keys
from okgen.diff.nouns import Entry, Field, Path

_VALUE = Keys(("value",))  # of a list of strings, the strings themselves


def compare(old: Any, new: Any) -> tuple[Field, ...]:  # noqa: ANN401 - any plain data
    """What differs; empty for the same data, whatever the order of keys in mappings.

    Lists are compared entry by entry where something tells their entries apart (``facts.MERGE_KEYS``; strings do, each
    being there once), by place where they are of one length, as a whole otherwise.
    """
    found: list[Field] = []
    _compare((), old, new, found)
    return tuple(found)


def _compare(path: Path, old: Any, new: Any, found: list[Field]) -> None:  # noqa: ANN401
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            if key not in new:
                found.append(Field((*path, key), "remove", old=old[key]))
            elif key not in old:
                found.append(Field((*path, key), "add", new=new[key]))
            else:
                _compare((*path, key), old[key], new[key], found)
    elif isinstance(old, list) and isinstance(new, list):
        _compare_lists(path, old, new, found)
    elif type(old) is not type(new) or old != new:  # True is 1 for Python, and is not for Kubernetes
        found.append(Field(path, "replace", old, new))


def _compare_lists(path: Path, old: list[Any], new: list[Any], found: list[Field]) -> None:
    keys = next((each for each in _keys_of(path) if _tells_apart(each, old) and _tells_apart(each, new)), None)
    if keys is not None:
        _compare_entries(path, keys, old, new, found)
    elif len(old) == len(new):
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            _compare((*path, place), before, after, found)
    else:
        found.append(Field(path, "replace", old, new))


def _keys_of(path: Path) -> tuple[Keys, ...]:
    name = path[-1] if path else ""
    return (*MERGE_KEYS.get(name, ()), _VALUE) if isinstance(name, str) else (_VALUE,)


def _tells_apart(keys: Keys, entries: list[Any]) -> bool:
    if keys is _VALUE:
        return all(isinstance(each, str) for each in entries) and len(set(entries)) == len(entries)
    if not all(isinstance(each, dict) and all(key in each for key in keys.needed) for each in entries):
        return False
    seen = {_mark(entry_of(keys, each)) for each in entries}
    return len(seen) == len(entries)


def entry_of(keys: Keys, value: Any) -> Entry:  # noqa: ANN401
    """The step that leads to an entry of a list."""
    if keys is _VALUE:
        return Entry((("value", value),))
    return Entry(tuple((key, value.get(key)) for key in (*keys.needed, *keys.optional)))


def _mark(entry: Entry) -> str:
    """The same for the same entry only; values may be lists."""
    return json.dumps(entry.pairs)


def _compare_entries(path: Path, keys: Keys, old: list[Any], new: list[Any], found: list[Field]) -> None:
    before = {_mark(entry_of(keys, each)): each for each in old}
    after = {_mark(entry_of(keys, each)): each for each in new}
    for mark, each in before.items():
        step = (*path, entry_of(keys, each))
        if mark not in after:
            found.append(Field(step, "remove", old=each))
        else:
            _compare(step, each, after[mark], found)
    for place, (mark, each) in enumerate(after.items()):
        if mark not in before:
            found.append(Field((*path, entry_of(keys, each)), "add", new=each, at=place))
    was = [mark for mark in before if mark in after]
    now = [mark for mark in after if mark in before]
    if was != now:
        found.append(Field(path, "order", _pairs(keys, before, was), _pairs(keys, after, now)))


def _pairs(keys: Keys, entries: dict[str, Any], marks: list[str]) -> list[dict[str, Any]]:
    return [dict(entry_of(keys, entries[mark]).pairs) for mark in marks]
