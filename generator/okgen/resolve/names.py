"""Fits derived names into the limits of the systems that take them, without two of them becoming one."""

from __future__ import annotations

_HEX = 8  # 32 bits: two of a thousand long names meet once in ten thousand tries


def shorten(name: str, limit: int) -> str:
    """The name itself where it fits; else its start, a hyphen and 8 hexadecimal digits of its SHA-256.

    The digits come from the whole name, so names that only differ behind the cut stay different, and a name keeps its
    short form for ever. The start never ends in a hyphen or dot; the characters are those of the name, plus lower-case
    hexadecimal digits and the hyphen: a DNS label stays one, and so does the name of an IAM role.
    ``limit`` counts characters and leaves room for at least one before the hyphen: ValueError below 10.
    """
    if limit < _HEX + 2:
        message = f"a limit of {limit} leaves no room for a name and its {_HEX} digits"
        raise ValueError(message)
    if len(name) <= limit:
        return name
    import hashlib  # few names are too long

    digest = hashlib.sha256(name.encode()).hexdigest()[:_HEX]
    start = name[: limit - _HEX - 1].rstrip("-.")
    return f"{start}-{digest}" if start else digest
