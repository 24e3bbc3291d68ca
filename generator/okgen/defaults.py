"""Fills in the defaults that the schema states, fixed ones and those derived from other values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.schema import Schema, follow
from okgen.template import Names, named

if TYPE_CHECKING:
    from collections.abc import Callable


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
            expected = follow(each, root)
            if key in value:
                filled[key] = with_defaults(value[key], expected, root, derive)
            elif "default" in expected:
                filled[key] = with_defaults(expected["default"], expected, root, derive)
            elif "x-default" in expected:
                filled[key] = with_defaults(derive(expected["x-default"]), expected, root, derive)
        return filled
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(item, schema["items"], root, derive) for item in value]
    return value
