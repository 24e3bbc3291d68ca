"""Judges whether a document fits the schema, for the few keywords our schemas use.

``jsonschema`` takes longer to import than a whole cluster takes to render, so a valid file, which is nearly every
file, is judged here; ``violations`` explains a refusal with it. A test holds the two against one another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.judge.schema import Schema, follow

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


_patterns: dict[str, Callable[[str], object]] = {}


def matches(pattern: str, text: str) -> bool:
    """Whether a JSON Schema pattern is found. Python's ``$`` also matches before a final line feed; ours does not."""
    search = _patterns.get(pattern)
    if search is None:
        search = _patterns[pattern] = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern)).search
    return search(text) is not None


def conforms(value: Any, schema: Schema, root: Schema) -> bool:  # noqa: ANN401 - any YAML value
    """Whether a value is valid, for the keywords that our schemas use."""
    if "$ref" in schema:
        schema = follow(schema, root)
    if not _any_kind_conforms(value, schema, root):
        return False
    if isinstance(value, dict):
        return _object_conforms(value, schema, root)
    if isinstance(value, list):
        return _array_conforms(value, schema, root)
    return _string_conforms(value, schema) if isinstance(value, str) else _number_conforms(value, schema)


def _any_kind_conforms(value: Any, schema: Schema, root: Schema) -> bool:  # noqa: ANN401 - any YAML value
    return (
        ("type" not in schema or _has_type(value, schema["type"]))
        and ("enum" not in schema or value in schema["enum"])
        and ("const" not in schema or value == schema["const"])
        and ("anyOf" not in schema or any(conforms(value, each, root) for each in schema["anyOf"]))
    )


def _number_conforms(value: Any, schema: Schema) -> bool:  # noqa: ANN401 - null, a boolean or a number
    if value is None or isinstance(value, bool):
        return True
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _has_type(value: Any, names: str | list[str]) -> bool:  # noqa: ANN401 - any YAML value
    listed = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in listed
    return any(isinstance(value, _TYPES[name]) for name in listed)


def _string_conforms(value: str, schema: Schema) -> bool:
    return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)) and (
        "pattern" not in schema or matches(schema["pattern"], value)
    )


def _object_conforms(value: dict[str, Any], schema: Schema, root: Schema) -> bool:
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return False
    if any(key not in value for key in schema.get("required", ())):
        return False
    names = schema.get("propertyNames")
    if names is not None and not all(conforms(key, names, root) for key in value):
        return False
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for key, item in value.items():
        expected = known.get(key, others)
        if expected is False or (expected is not True and not conforms(item, expected, root)):
            return False
    return True


def _array_conforms(value: list[Any], schema: Schema, root: Schema) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    if schema.get("uniqueItems") and any(item in value[:number] for number, item in enumerate(value)):
        return False
    return "items" not in schema or all(conforms(item, schema["items"], root) for item in value)
