"""Reads JSON as it should be: every key once, and no numbers that are none."""

from __future__ import annotations

from typing import Any, NoReturn


def loads(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a text. Raises ValueError, RecursionError; JSONDecodeError where the place is known."""
    import json  # most of what is read is known without parsing it

    return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_number)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a mapping; a merge of two branches can leave a key twice, and either could be the wrong one."""
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a key is there twice")
    return read


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
