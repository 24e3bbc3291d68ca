"""Kustomize's way of selecting objects: anchored patterns for names and kinds, label selectors for labels.

The patterns come from a user's file, so they are matched without backtracking: what Go's regexp does in linear time
could keep Python's busy for years.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# What Kubernetes takes for names and values of labels, in selectors of annotations too.
_KEY = r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
_SPECIAL = "()^$\\.[]|*+?{}"


class SelectorError(ValueError):
    """The pattern or selector cannot be read; the message says why."""


class _Atom(NamedTuple):
    """One position of a pattern: the characters it takes (None: any), and how often."""

    characters: frozenset[str] | None
    inverted: bool
    optional: bool
    repeated: bool


class _Pattern(NamedTuple):
    """All alternatives, one behind the other, as sets of places: bit n stands for the place before the n-th atom.

    Behind each alternative comes a place without an atom: who is there has matched it.
    """

    starts: int
    ends: int
    optional: int
    repeated: int
    anything: int  # the places of atoms that take what `takes` and `refuses` do not mention
    takes: dict[str, int]
    refuses: dict[str, int]

    def reach(self, places: int) -> int:
        """Those places and the ones behind optional atoms: an addition carries through each row of them."""
        return places | ((self.optional + (places & self.optional)) ^ self.optional)


def pattern_matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches one of the alternatives. Raises SelectorError."""
    compiled = _compiled(pattern)
    places = compiled.reach(compiled.starts)
    for character in text:
        taking = compiled.anything & ~compiled.refuses.get(character, 0) | compiled.takes.get(character, 0)
        moved = places & taking
        places = compiled.reach(moved << 1 | moved & compiled.repeated)
    return places & compiled.ends != 0


@lru_cache(maxsize=4096)  # each pattern meets the names of all objects
def _compiled(pattern: str) -> _Pattern:
    starts = ends = optional = repeated = anything = 0
    takes: dict[str, int] = {}
    refuses: dict[str, int] = {}
    place = 1
    for alternative in pattern.split("|"):
        starts |= place
        for atom in _atoms(alternative):
            optional |= place * atom.optional
            repeated |= place * atom.repeated
            anything |= place * (atom.characters is None or atom.inverted)
            mentioned = refuses if atom.inverted else takes
            for character in atom.characters or ():
                mentioned[character] = mentioned.get(character, 0) | place
            place <<= 1
        ends |= place
        place <<= 1
    return _Pattern(starts, ends, optional, repeated, anything, takes, refuses)


def _atoms(pattern: str) -> list[_Atom]:
    text = pattern.removeprefix("^").removesuffix("$")
    atoms: list[_Atom] = []
    at = 0
    while at < len(text):
        characters, inverted, at = _one(text, at, pattern)
        mark = text[at] if at < len(text) and text[at] in "*+?" else ""
        atoms.append(_Atom(characters, inverted, mark in ("*", "?") and mark != "", mark in ("*", "+") and mark != ""))
        at += len(mark)
    return atoms


def _one(text: str, at: int, pattern: str) -> tuple[frozenset[str] | None, bool, int]:
    character = text[at]
    if character == ".":
        return None, False, at + 1
    if character == "[":
        return _class(text, at, pattern)
    if character == "\\" and at + 1 < len(text) and not text[at + 1].isalnum():
        return frozenset(text[at + 1]), False, at + 2
    if character in _SPECIAL:
        raise SelectorError(f"{character} is not supported in {pattern}: use letters, ., [a-z], *, +, ? and |")
    return frozenset(character), False, at + 1


def _class(text: str, at: int, pattern: str) -> tuple[frozenset[str], bool, int]:
    end = text.find("]", at + 1)
    inside = text[at + 1 : end]
    inverted = inside.startswith("^")
    inside = inside.removeprefix("^")
    if end < 0 or not inside or "\\" in inside or "[" in inside:
        raise SelectorError(f"cannot read the class in {pattern}: write [a-z0-9-]")
    found: set[str] = set()
    place = 0
    while place < len(inside):
        if inside[place + 1 : place + 2] == "-" and place + 2 < len(inside):
            first, last = ord(inside[place]), ord(inside[place + 2])
            if first > last or last > 0x7F:  # noqa: PLR2004 - names are ASCII
                raise SelectorError(f"cannot read the range in {pattern}")
            found.update(map(chr, range(first, last + 1)))
            place += 3
        else:
            found.add(inside[place])
            place += 1
    return frozenset(found), inverted, end + 1


def labels_match(selector: str, labels: dict[str, str]) -> bool:
    """Whether labels satisfy a selector such as ``a=b,c!=d,e in (f, g),!h``. Raises SelectorError.

    Source: k8s.io/apimachinery/pkg/labels.
    """
    return all(
        (key in labels if values is None else labels.get(key) in values) is wanted
        for key, values, wanted in _requirements(selector)
    )


_Requirement = tuple[str, frozenset[str] | None, bool]  # key, values (None: whatever it has), whether it shall be so


@lru_cache(maxsize=4096)  # each selector meets the labels of all objects
def _requirements(selector: str) -> list[_Requirement]:
    parts, depth, start = [], 0, 0
    for at, character in enumerate(selector):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(selector[start:at])
            start = at + 1
    return [_requirement(part.strip()) for part in [*parts, selector[start:]]]


def _requirement(text: str) -> _Requirement:
    if text.endswith(")"):
        return _set_requirement(text)
    for sign in ("!=", "==", "="):
        key, found, value = text.partition(sign)
        if found:
            return _key(key, text), _values([value], text), sign != "!="
    return _key(text.removeprefix("!"), text), None, not text.startswith("!")


def _set_requirement(text: str) -> _Requirement:
    """``key in (a, b)`` and ``key notin (a, b)``; like Kubernetes, ``notin`` also holds where the key is absent."""
    before, _, listed = text[:-1].partition("(")
    key, _, operator = before.strip().rpartition(" ")
    if operator not in ("in", "notin"):
        raise SelectorError(f"cannot read the requirement {text}")
    return _key(key, text), _values(listed.split(","), text), operator == "in"


def _key(text: str, requirement: str) -> str:
    key = text.strip()
    if not re.fullmatch(_KEY, key):
        raise SelectorError(f"cannot read the requirement {requirement or 'between two commas'}")
    return key


def _values(texts: Iterable[str], requirement: str) -> frozenset[str]:
    values = frozenset(text.strip() for text in texts)
    if not all(re.fullmatch(_VALUE, value) for value in values):
        raise SelectorError(f"cannot read the requirement {requirement}: a label can have no such value")
    return values
