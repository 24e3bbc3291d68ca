"""Values that are alike but for some of their strings: what is around these strings is written once and kept."""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.emit import Shared, inline, yaml_at

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from okgen.emit import Writer

_MOST_KEPT = 1_024
_STRING = "string"  # in a shape, where a string was
Shape = Any  # nested tuples

# Stands for a string while a form is made. Its ends are of the private use area: they make every writer quote it, and a
# value of the user's that has them as well is noticed.
_END = "\ue000"
_FOUND = re.compile('"(?:\ue000|\\\\ue000)([0-9]+)(?:\ue000|\\\\ue000)"')
_END_LEFT = re.compile(r"\ue000|\\ue000")


class _Form(NamedTuple):
    """A text in pieces: every other one is put in, and ``slots`` says which string stands there."""

    pieces: list[str]
    slots: tuple[int, ...]


_ONCE = _Form([], ())  # seen once: there may never be another like it
_NONE = _Form([], ())  # its strings are not only put in their places
_forms: dict[tuple[Hashable, Writer, str], _Form] = {}


def split(value: object) -> tuple[Shape, list[str]]:
    """What is left of plain data without its strings, hashable, and these strings; ``joined`` is the way back."""
    strings: list[str] = []
    return _shape(value, strings), strings


def _shape(value: object, strings: list[str]) -> Shape:
    if type(value) is str:
        strings.append(value)
        return _STRING
    if isinstance(value, (list, tuple)):
        return (list if isinstance(value, list) else tuple, *[_shape(each, strings) for each in value])
    if isinstance(value, dict):
        return (dict, tuple(value), *[_shape(each, strings) for each in value.values()])
    return (type(value), value)  # with its type, as 1 equals True


def joined(shape: Shape, strings: Iterator[str]) -> Any:  # noqa: ANN401 - plain data
    """The data of this shape with these strings in their order."""
    if shape is _STRING:
        return next(strings)
    kind, *held = shape
    if kind is dict:
        return {key: joined(each, strings) for key, each in zip(held[0], held[1:], strict=True)}
    return kind(joined(each, strings) for each in held) if kind is list or kind is tuple else held[0]


class Formed(Shared):
    """A mapping, or a list, made from strings that ``make`` only puts in their places, whatever they are.

    ``kind`` is equal for values that the same ``make`` builds, apart from the strings.
    """

    __slots__ = ("_make", "_strings", "kind")

    def __init__(
        self, kind: Hashable, strings: Sequence[str], make: Callable[[Sequence[str]], Any], *, is_list: bool = False
    ) -> None:
        self.kind, self._strings, self._make, self.is_list = kind, strings, make, is_list

    @property
    def value(self) -> Any:  # noqa: ANN401 - what ``make`` makes
        """The data itself, made anew each time."""
        return self._make(self._strings)

    def text(self, write: Writer, indent: str) -> str:
        """What is written for it at this depth."""
        key = (self.kind, write, indent)
        form = _forms.get(key)
        if form is _ONCE:
            form = _forms[key] = self._form(write, indent)
        if form is None:
            if len(_forms) >= _MOST_KEPT:
                _forms.clear()
            _forms[key] = form = _ONCE
        if not form.pieces or (write is yaml_at and any("\n" in each for each in self._strings)):
            return write(self.value, indent)  # several lines are written by the depth they stand at
        scalar = inline if write is yaml_at else encode_basestring_ascii
        texts = [scalar(each) for each in self._strings]
        pieces = form.pieces.copy()
        pieces[1::2] = [texts[slot] for slot in form.slots]
        return "".join(pieces)

    def _form(self, write: Writer, indent: str) -> _Form:
        count = len(self._strings)
        blank = write(self._make([""] * count), indent)
        pieces = _FOUND.split(write(self._make([f"{_END}{number}{_END}" for number in range(count)]), indent))
        if _END_LEFT.search(blank) or any(map(_END_LEFT.search, pieces[::2])):
            return _NONE
        return _Form(pieces, tuple(map(int, pieces[1::2])))
