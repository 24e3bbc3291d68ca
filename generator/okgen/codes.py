"""The stable codes of problems: the one place where they are listed; documentation and ``--help`` read it."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """What a code stands for: a title of a few words and a text on cause and way out."""

    title: str
    text: str


# OKG1xx reading YAML · OKG2xx schema · OKG3xx cross-checks · OKG4xx add-ons · OKG5xx the tree · OKG6xx vendored files
CODES: dict[str, Code] = {
    "OKG401": Code(
        "a need of an add-on is not met",
        "The add-on cannot work with what the file says: something it depends on is missing. The help line names it.",
    ),
    "OKG402": Code(
        "archived add-on",
        "The add-on's project is archived: no fixes come any more. Its page names the successor and the way there.",
    ),
    "OKG403": Code(
        "values contradict one another",
        "Each value is fine by itself, but they cannot both hold.",
    ),
    "OKG404": Code(
        "risky value",
        "The value is accepted, but has surprised others. The message says what can happen.",
    ),
}
