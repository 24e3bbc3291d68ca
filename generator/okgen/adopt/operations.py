"""JSON patches (RFC 6902) that say any edit, and fail rather than change another element of a list than was meant."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from okgen.adopt.strategic import same

if TYPE_CHECKING:
    from collections.abc import Iterator

Operation = dict[str, Any]


def make(base: Any, edited: Any, pointer: str = "", *, known: bool = False) -> Iterator[Operation]:  # noqa: ANN401
    """The operations that turn one YAML value into the other; ``pointer`` is where it stands.

    ``known``: whether an operation before these makes sure of all that is there.
    """
    if same(base, edited):
        return
    if isinstance(base, dict) and isinstance(edited, dict):
        yield from _mapping(base, edited, pointer, known=known)
    elif isinstance(base, list) and isinstance(edited, list):
        yield from _list(base, edited, pointer, known=known)
    else:
        yield {"op": "replace", "path": pointer, "value": edited}


def _mapping(base: dict[str, Any], edited: dict[str, Any], pointer: str, *, known: bool) -> Iterator[Operation]:
    for key, value in base.items():
        path = f"{pointer}/{_escaped(key)}"
        if key in edited:
            yield from make(value, edited[key], path, known=known)
        else:
            yield {"op": "remove", "path": path}
    for key, value in edited.items():
        if key not in base:
            yield {"op": "add", "path": f"{pointer}/{_escaped(key)}", "value": value}


def _list(base: list[Any], edited: list[Any], pointer: str, *, known: bool) -> Iterator[Operation]:
    """From the end to the start, so that what comes first does not move what comes next."""
    before, after = ([json.dumps(each, sort_keys=True) for each in side] for side in (base, edited))
    opcodes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for _, start, end, new_start, new_end in reversed(opcodes):
        old, new = base[start:end], edited[new_start:new_end]
        both = min(len(old), len(new))
        yield from _insertions(base, new[both:], start + both, pointer, known=known)
        for place in range(end - 1, start + both - 1, -1):
            path = f"{pointer}/{place}"
            yield from () if known else ({"op": "test", "path": path, "value": base[place]},)
            yield {"op": "remove", "path": path}
        for offset in range(both - 1, -1, -1):
            path = f"{pointer}/{start + offset}"
            if not same(old[offset], new[offset]):
                named = _name(old[offset]) is not None
                yield from _guard(old[offset], path, known=known)
                yield from make(old[offset], new[offset], path, known=known or not named)


def _insertions(base: list[Any], new: list[Any], place: int, pointer: str, *, known: bool) -> Iterator[Operation]:
    if place == len(base):
        yield from ({"op": "add", "path": f"{pointer}/-", "value": value} for value in new)
    elif new:
        yield from _guard(base[place], f"{pointer}/{place}", known=known)
        yield from ({"op": "add", "path": f"{pointer}/{place}", "value": value} for value in reversed(new))


def _guard(old: Any, path: str, *, known: bool) -> Iterator[Operation]:  # noqa: ANN401 - any YAML value
    """Fails when another element has come to this place: it is known by its name, or else by all that it says."""
    name = _name(old)
    if not known:
        yield {"op": "test", "path": path, "value": old} if name is None else _test_of_name(path, name)


def _test_of_name(path: str, name: str) -> Operation:
    return {"op": "test", "path": f"{path}/name", "value": name}


def _name(element: Any) -> str | None:  # noqa: ANN401 - any YAML value
    name = element.get("name") if isinstance(element, dict) else None
    return name if isinstance(name, str) else None


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
