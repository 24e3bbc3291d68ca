"""Kustomize's way of selecting objects: anchored patterns for names and kinds, label selectors for labels.

The patterns come from a user's file, so they are matched without backtracking: what Go's regexp does in linear time
could keep Python's busy for years.
"""

from __future__ import annotations

from typing import NamedTuple

_SPECIAL = "()^$\\.[]|*+?{}"


class SelectorError(ValueError):
    """The pattern or selector cannot be read; the message says why."""


class _Atom(NamedTuple):
    """One position of a pattern: the characters it takes (None: any), and how often."""

    characters: frozenset[str] | None
    inverted: bool
    optional: bool
    repeated: bool

    def takes(self, character: str) -> bool:
        return self.characters is None or (character in self.characters) is not self.inverted


def pattern_matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches one of the alternatives. Raises SelectorError."""
    return any(_walk(_atoms(alternative), text) for alternative in pattern.split("|"))


def _walk(atoms: list[_Atom], text: str) -> bool:
    """Follows every way through the pattern at once."""
    places = _skip(atoms, {0})
    for character in text:
        moved = set()
        for place in places:
            if place < len(atoms) and atoms[place].takes(character):
                moved.add(place + 1)
                if atoms[place].repeated:
                    moved.add(place)
        places = _skip(atoms, moved)
    return len(atoms) in places


def _skip(atoms: list[_Atom], places: set[int]) -> set[int]:
    found = set(places)
    for place, atom in enumerate(atoms):
        if place in found and atom.optional:
            found.add(place + 1)
    return found


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
    return all(_requirement(part, labels) for part in _split(selector))


def _split(selector: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, character in enumerate(selector):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(selector[start:at])
            start = at + 1
    return [part.strip() for part in [*parts, selector[start:]]]


def _requirement(text: str, labels: dict[str, str]) -> bool:
    if text.endswith(")"):
        return _set_requirement(text, labels)
    for sign in ("!=", "==", "="):
        key, found, value = text.partition(sign)
        if found:
            return (labels.get(_key(key, text)) == value.strip()) is (sign != "!=")
    return _key(text[1:], text) not in labels if text.startswith("!") else _key(text, text) in labels


def _set_requirement(text: str, labels: dict[str, str]) -> bool:
    """``key in (a, b)`` and ``key notin (a, b)``; like Kubernetes, ``notin`` also holds where the key is absent."""
    before, _, listed = text[:-1].partition("(")
    key, _, operator = before.strip().rpartition(" ")
    if operator not in ("in", "notin"):
        raise SelectorError(f"cannot read the requirement {text}")
    found = labels.get(_key(key, text))
    return (found in [value.strip() for value in listed.split(",")]) is (operator == "in")


def _key(text: str, requirement: str) -> str:
    key = text.strip()
    if not key or any(character in " ()!=<>," for character in key):
        raise SelectorError(f"cannot read the requirement {requirement or 'between two commas'}")
    return key
