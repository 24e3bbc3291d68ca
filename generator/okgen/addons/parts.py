"""The fixed parts of a template, and how they and the values of its expressions make an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.emit import keep

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Omit:
    """Stands for a value that is to be left out together with its key or list item."""

    def __repr__(self) -> str:
        return "omit"


OMIT = _Omit()

# The parts of a template, as plain tuples, so that they can be marshalled: (kind, what it holds).
CONSTANT = 0  # a value without expressions
VALUE = 1  # one expression; True when the items of its list go into the list around it
MAPPING = 2  # ((key, part), …)
SEQUENCE = 3  # (part, …)
REPEATED = 4  # a mapping under `when` or `forEach`: present once for each tuple of values
Part = tuple[int, Any]


def build(part: Part, values: Iterator[Any]) -> Any:  # noqa: ANN401 - any YAML value
    """The object that these values make, taken in order; OMIT where nothing is left of it."""
    kind, held = part
    if kind == CONSTANT:
        return held
    if kind == VALUE:
        return next(values)
    if kind == MAPPING:
        built = {key: build(child, values) for key, child in held}
        kept = {key: value for key, value in built.items() if value is not OMIT}
        return kept if kept or not built else OMIT
    if kind == SEQUENCE:
        return _build_sequence(held, values)
    present = next(values)  # a mapping that is the value of a key: there or not
    return build(held, iter(present[0])) if present else OMIT


def _build_sequence(items: tuple[Part, ...], values: Iterator[Any]) -> Any:  # noqa: ANN401 - a list or OMIT
    built: list[Any] = []
    for child in items:
        kind, held = child
        if kind == REPEATED:
            for each in next(values):
                built.append(build(held, iter(each)))  # noqa: PERF401 - `values` moves on with each
        elif kind == VALUE and held:
            built.extend(next(values))
        else:
            built.append(build(child, values))
    return [value for value in built if value is not OMIT] or OMIT


def tell(part: Part) -> None:
    """Tells the writer which parts are the same in all that is built from them."""
    kind, held = part
    if kind == CONSTANT:
        keep(held)
    elif kind == MAPPING:
        for _, child in held:
            tell(child)
    elif kind == SEQUENCE:
        for child in held:
            tell(child)
    elif kind == REPEATED:
        tell(held)
