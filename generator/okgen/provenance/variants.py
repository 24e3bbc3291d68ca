"""Other values for a key of cluster.yaml, of the same kind as the one it has, for asking what follows from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import minor
from okgen.judge.schema import follow
from okgen.resolve.partitions import all_partitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.judge.schema import Schema
    from okgen.problem import Path

_OLDEST = 16  # of Kubernetes' minors; no add-on runs on an older one


def variants(path: Path, value: Any, schema: Schema) -> list[Any]:  # noqa: ANN401 - any YAML value
    """Values to try in the place of one; ``schema`` is that of cluster.yaml, which need not accept them all.

    Of a closed set all others; of a text one that differs in a letter; none for what can have one value only.
    """
    own = _schema_of(path, schema)
    if path == ("kubernetesVersion",):
        newest = max(minor(own["x-newest"]), minor(value))
        return [f"1.{each}" for each in range(newest, _OLDEST, -1) if f"1.{each}" != value]
    if path == ("aws", "region"):
        return list(_regions(value))
    if "const" in own or "enum" in own:
        return [each for each in own.get("enum", ()) if each != value]
    return _of_kind(value)


def _of_kind(value: Any) -> list[Any]:  # noqa: ANN401 - any YAML value
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [each for each in (value + 1, value - 1, 1) if each != value and each >= 0]
    return [_other(value)] if isinstance(value, str) else []


def _schema_of(path: Path, root: Schema) -> Schema:
    schema = root
    for step in path:
        schema = follow(schema, root)
        if isinstance(step, int):
            schema = schema.get("items", {})
        else:
            further = schema.get("additionalProperties")
            schema = schema.get("properties", {}).get(step) or (further if isinstance(further, dict) else {})
    return follow(schema, root)


def _regions(region: str) -> Iterator[str]:
    """One of the same partition, and one of another."""
    for same in (True, False):
        regions = [each.regions for each in all_partitions() if (region in each.regions) is same]
        yield from [each for each in regions[0] if each != region][:1]


def _other(text: str) -> str:
    """A text of the same form: its last digit is another, or its last letter where it has no digit."""
    found = list(re.finditer(r"[0-9]", text)) or list(re.finditer(r"[A-Za-z]", text))
    if not found:
        return f"{text}x"
    at = found[-1].start()
    return f"{text[:at]}{_next(text[at])}{text[at + 1 :]}"


def _next(letter: str) -> str:
    first, last = ("0", "9") if letter.isdigit() else ("a", "z") if letter.islower() else ("A", "Z")
    return first if letter == last else chr(ord(letter) + 1)
