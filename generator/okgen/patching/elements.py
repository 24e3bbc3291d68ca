"""The elements of lists that strategic merge patches merge: found by their keys, as kyaml finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.patching.lists import Keys

_MOST = 500  # elements, each of which is held against all
Values = tuple[str, ...]  # of an element's keys, as text; "" for a key that it lacks


class InexpressibleError(ValueError):
    """A patch of this form cannot say it, or it is not known here what comes of one."""


def check(sides: Sequence[list[Any]], keys: Keys) -> None:
    """Raises InexpressibleError where an element lacks the first of its keys: such elements fall together in kyaml."""
    if sum(map(len, sides)) > _MOST:
        raise InexpressibleError(f"more than {_MOST} elements")
    if not all(isinstance(each, dict) and _is_scalar(each.get(keys[0])) for side in sides for each in side):
        raise InexpressibleError(f"elements without {keys[0]}")


def _is_scalar(value: Any) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(value, str | int) and value != ""


def united(sides: Iterable[list[Any]]) -> list[str]:
    """The texts of lists of texts, each once. Raises InexpressibleError where there is anything else."""
    found: dict[str, None] = {}
    for side in sides:
        for each in side:
            if not isinstance(each, str) or not each:
                raise InexpressibleError("elements that are no texts")
            found[each] = None
    return list(found)


def values(sides: Iterable[list[Any]], keys: Keys) -> list[Values]:
    """What the elements have for their keys, each once. Where one lacks what another has, both are taken for one."""
    found: list[Values] = []
    for side in sides:
        for each in side:
            mark = tuple(_text(each[key]) if key in each and each[key] is not None else "" for key in keys)
            if mark not in found:
                found.append(mark)
    if len(keys) > 1:
        for one, _ in enumerate(found):
            for other, _ in enumerate(found):
                both = _together(found[one], found[other])
                if both:
                    found[one] = found[other] = both
    return found


def _together(one: Values, other: Values) -> Values | None:
    if not any(a == b for a, b in zip(one, other, strict=True)):
        return None
    if any(a != b and a and b for a, b in zip(one, other, strict=True)):
        return None
    return tuple(a or b for a, b in zip(one, other, strict=True))


def valid(named: Sequence[Values], wanted: Values, keys: Keys) -> tuple[Keys, Values]:
    """Those of the keys that some element has, and the values of one element for them; all keys where none has any."""
    known = {key for each in named for key, value in zip(keys, each, strict=True) if value}
    if not known:
        return keys, wanted
    pairs = [(key, value) for key, value in zip(keys, wanted, strict=True) if key in known]
    return tuple(key for key, _ in pairs), tuple(value for _, value in pairs)


def matching(side: list[Any], keys: Keys, wanted: Values, missing: object) -> Any:  # noqa: ANN401 - any YAML value
    """The first element with these values; for a key without a value, whatever the element has there."""
    keys, wanted = valid([wanted], wanted, keys)
    return next((each for each in side if all(map(_has, [each] * len(keys), keys, wanted))), missing)


def put(side: list[Any], element: Any, keys: Keys, wanted: Sequence[str]) -> None:  # noqa: ANN401 - any YAML value
    """Puts an element in the place of those with these values, or at the end; None takes them away.

    As in kyaml, values that are given for the first keys only are enough.
    """
    kept = []
    is_there = False
    for each in side:
        if each is None or each == {}:
            continue
        if not isinstance(each, dict) or not all(map(_has, [each] * len(wanted), keys, wanted)):
            kept.append(each)
        else:
            is_there = True
            kept += [] if element is None else [element]
    side[:] = kept
    if element is not None and not is_there:
        side.append(element)


def joined(merged: list[Any], found: list[Any], keys: Keys) -> list[Any]:
    """Merged elements, then those of a list that are not among them."""
    for each in list(found):
        wanted = []
        for key in keys:
            if key in each:
                wanted.append("null" if each[key] is None else _text(each[key]))
            else:
                merged.append(each)
        if len(keys) > 1:
            put(merged, None, keys, wanted)
        put(merged, each, keys, wanted)
    return merged


def spelled(sides: Iterable[list[Any]], key: str, text: str) -> Any:  # noqa: ANN401 - a scalar
    """The value that an element has for a key where this is its text."""
    return next(each[key] for side in sides for each in side if key in each and _text(each[key]) == text)


def _has(element: dict[str, Any], key: str, wanted: str) -> bool:
    if not wanted:
        return key in element
    return key in element and ("null" if element[key] is None else _text(element[key])) == wanted


def _text(value: Any) -> str:  # noqa: ANN401 - any YAML value
    """A scalar as it is written. Raises InexpressibleError where there are several ways."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, dict | list):
        return ""
    raise InexpressibleError("a fractional number as a key")
