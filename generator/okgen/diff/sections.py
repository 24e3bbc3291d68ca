"""Cuts two long YAML texts down to the parts that differ, where their parts are clear: reading takes most time."""

from __future__ import annotations

import re

# A key without indentation, or one level in with nothing behind it: as okgen writes mappings of mappings.
_START = re.compile(r"^(?=[A-Za-z]|  [A-Za-z0-9]+:$)", re.MULTILINE)
_HEAD = re.compile(r"( {2})?([A-Za-z0-9]+):[^\n]*\n")
# Every further line of a part lies deeper, so that nothing in it can end it early.
_BODY = re.compile(r"(?: {4}[^\n]*\n|\n)*")


def differing(old: str, new: str) -> tuple[str, str]:
    """Both texts with only those parts that differ; as they are where a part came, went or cannot be told.

    A part that is no YAML by itself is none in the whole text either, so that cutting hides no mistake.
    """
    before, after = _parts(old), _parts(new)
    if before is None or after is None or before.keys() != after.keys():
        return old, new
    wanted = {key for key, text in before.items() if after[key] != text}
    wanted |= {(top, "") for top, _ in wanted}
    one, other = ("".join(text for key, text in parts.items() if key in wanted) for parts in (before, after))
    return one, other


def _parts(text: str) -> dict[tuple[str, str], str] | None:
    """The parts of a text by their key and the key they are in; None for a text that is not made so."""
    found: dict[tuple[str, str], str] = {}
    top = ""
    first, *chunks = _START.split(text)
    for chunk in chunks:
        head = _HEAD.match(chunk)
        if head is None or not _BODY.fullmatch(chunk, head.end()):
            return None
        inner = head[2] if head[1] else ""
        top = top if inner else head[2]
        if not top or (top, inner) in found:
            return None
        found[top, inner] = chunk
    return None if first else found
