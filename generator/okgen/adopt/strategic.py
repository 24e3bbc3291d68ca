"""Strategic merge patches, made where they say an edit exactly: in mappings, and in lists merged by name."""

from __future__ import annotations

import json
from typing import Any

from okgen.patching import lists, merge
from okgen.patching.elements import InexpressibleError
from okgen.patching.lists import ANY, Path

_NAME = ("name",)


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Whether two values are equal for a reader of YAML, who tells 1, 1.0, "1" and true apart."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def make(base: dict[str, Any], edited: dict[str, Any]) -> dict[str, Any]:
    """The patch that turns an object into the edited one. Raises InexpressibleError."""
    merged = lists.of(base["apiVersion"], base["kind"])
    by_name = frozenset(path for path, keys in merged.items() if keys == _NAME)
    changes = _mapping(base, edited, (), by_name)
    metadata = {key: base["metadata"][key] for key in ("name", "namespace") if key in base["metadata"]}
    identity = {"apiVersion": base["apiVersion"], "kind": base["kind"]}
    patch = {**identity, "metadata": {**metadata, **changes.pop("metadata", {})}, **changes}
    if not same(merge.applied(base, patch), edited):
        raise InexpressibleError("the order of a list would be another")
    return patch


def _mapping(base: dict[str, Any], edited: dict[str, Any], path: Path, by_name: frozenset[Path]) -> dict[str, Any]:
    if base.keys() - edited.keys():
        raise InexpressibleError("a key is gone")
    found = {}
    for key, value in edited.items():
        if key not in base:
            _check_new(value)
            found[key] = value
        elif not same(base[key], value):
            found[key] = _change(base[key], value, (*path, key), by_name)
    return found


def _check_new(value: Any) -> None:  # noqa: ANN401 - any YAML value
    if value is None:
        raise InexpressibleError("null would take a key away")
    if isinstance(value, dict) and any(key.startswith("$") for key in value):
        raise InexpressibleError("it holds a word of the patch language")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_new(each)


def _change(base: Any, edited: Any, path: Path, by_name: frozenset[Path]) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(base, dict) and isinstance(edited, dict):
        return _mapping(base, edited, path, by_name)
    if isinstance(base, list) and isinstance(edited, list) and path in by_name:
        return _elements(base, edited, path, by_name)
    if any(each is None or isinstance(each, dict | list) for each in (base, edited)):
        raise InexpressibleError("not one scalar for another")
    return edited


def _elements(base: list[Any], edited: list[Any], path: Path, by_name: frozenset[Path]) -> list[Any]:
    """The elements up to the last that was changed, with nothing but their names where they were not."""
    names = _names(base)
    if names is None or names != _names(edited):
        raise InexpressibleError("elements came or went")
    last = max(place for place, old in enumerate(base) if not same(old, edited[place]))
    return [
        {"name": name, **_mapping(old, new, (*path, ANY), by_name)}
        for name, old, new in zip(names[: last + 1], base, edited, strict=False)
    ]


def _names(elements: list[Any]) -> list[str] | None:
    """The names of the elements; None where one has none, or two have the same."""
    names = [each.get("name") if isinstance(each, dict) else None for each in elements]
    known = [name for name in names if isinstance(name, str)]
    return known if len(set(known)) == len(names) else None
