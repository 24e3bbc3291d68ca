"""Fills in the defaults that the schema states, fixed ones and those derived from other values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.addons.template import Names, named
from okgen.judge.schema import Schema, follow

if TYPE_CHECKING:
    from collections.abc import Callable


_NONE = object()
# Defaults that follow from nothing are the same for every cluster: by the schema's id, with the schema itself, which
# holds on to the id.
_fixed: dict[int, tuple[Schema, Any]] = {}


def with_defaults(value: Any, schema: Schema, root: Schema, derive: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """A copy with every default filled in, its mappings as Names; ``derive`` gives the value of an ``x-default``.

    Keys come in the schema's order, those of free mappings sorted, so that the order in the file changes nothing.
    """
    schema = follow(schema, root)
    if value is None and "object" in schema.get("type", ()):
        value = {}
    if isinstance(value, dict):
        known = schema.get("properties")
        if not known:
            return named(dict(sorted(value.items())))
        filled = Names()
        for key, each in known.items():
            if key in value:
                found = with_defaults(value[key], each, root, derive)
            else:
                kept = _fixed.get(id(each))
                found = kept[1] if kept is not None and kept[0] is each else _default(each, root, derive)
            if found is not _NONE:
                filled[key] = found
        return filled
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(item, schema["items"], root, derive) for item in value]
    return value


def _default(each: Schema, root: Schema, derive: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - a value or _NONE
    schema = follow(each, root)
    if "x-default" in schema:
        return with_defaults(derive(schema["x-default"]), schema, root, derive)
    found = with_defaults(schema["default"], schema, root, derive) if "default" in schema else _NONE
    if not _is_derived(schema, root):
        _fixed[id(each)] = (each, found)
    return found


def _is_derived(schema: Schema, root: Schema) -> bool:
    """Whether a default in it follows from other values."""
    inner = follow(schema, root).get("properties", {}).values()
    return "x-default" in schema or any(_is_derived(each, root) for each in inner)
