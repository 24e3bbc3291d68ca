"""Values that are alike but for some of their strings: what is around these strings is written once and kept."""

from __future__ import annotations

import re
from itertools import islice
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.emit import Shared, inlines, yaml_at

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from okgen.emit import Writer

_MOST_KEPT = 1_024
_STRING = "string"  # in a shape, where a string was
Shape = Any  # nested tuples

# Stands for a string while a form is made. Its ends are of the private use area: they make every writer quote it, and a
# value of the user's that has them as well is noticed.
_END = "\ue000"
_FOUND = re.compile('"(?:\ue000|\\\\ue000)([0-9]+)(?:\ue000|\\\\ue000)"')
_SHOWN = re.compile(r"\\ue000([0-9]+)\\ue000")
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
    if isinstance(value, dict):
        return (dict, tuple(value), *_shapes(value.values(), strings))
    if isinstance(value, (list, tuple)):
        return (list if isinstance(value, list) else tuple, *_shapes(value, strings))
    if isinstance(value, Formed):
        strings += value.strings
        return _Like(value)
    return (type(value), value)  # with its type, as 1 equals True


def _shapes(values: Iterable[object], strings: list[str]) -> list[Shape]:
    # Most are strings, which are not worth a call each.
    add: Callable[[str], object] = strings.append
    return [_STRING if type(each) is str and add(each) is None else _shape(each, strings) for each in values]


def joined(shape: Shape, strings: Iterator[str]) -> Any:  # noqa: ANN401 - plain data
    """The data of this shape with these strings in their order."""
    if shape is _STRING:
        return next(strings)
    if isinstance(shape, _Like):
        return shape.with_strings(strings)
    kind, *held = shape
    if kind is dict:
        return {key: joined(each, strings) for key, each in zip(held[0], held[1:], strict=True)}
    return kind(joined(each, strings) for each in held) if kind is list or kind is tuple else held[0]


def formed(value: Mapping[str, Any]) -> Formed:
    """A mapping of plain data, of which others like it are written faster."""
    shape, strings = split(value)
    return Formed(("plain", shape), strings, lambda given: joined(shape, iter(given)), value)


class Formed(Shared):
    """A mapping, or a list, made from strings that ``make`` only puts in their places, whatever they are.

    ``kind`` is equal for values that the same ``make`` builds, apart from the strings; its ``repr`` shows all else that
    comes from a user.
    """

    __slots__ = ("kind", "make", "strings")

    def __init__(
        self,
        kind: Hashable,
        strings: Sequence[str],
        make: Callable[[Sequence[str]], Any],
        value: Any = None,  # noqa: ANN401 - what ``make`` makes of these strings, where it is there already
        *,
        is_list: bool = False,
    ) -> None:
        self.kind, self.strings, self.make, self._value, self.is_list = kind, strings, make, value, is_list
        self._size = 0

    @property
    def value(self) -> Any:  # noqa: ANN401 - what ``make`` makes
        """The data itself."""
        if self._value is None:
            self._value = self.make(self.strings)
        return self._value

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
        if form.pieces:
            texts = inlines(self.strings) if write is yaml_at else [*map(encode_basestring_ascii, self.strings)]
            if texts is not None:  # several lines are written by the depth they stand at
                pieces = form.pieces.copy()
                pieces[1::2] = map(texts.__getitem__, form.slots)
                return "".join(pieces)
        return write(self.value, indent)

    def slots(self, take: Callable[[Any], object]) -> tuple[int, ...]:
        """Which of the strings, by number, are in what ``take`` takes of the value, as the ``repr`` of that shows."""
        found = set(map(int, _SHOWN.findall(repr(take(self.make(self._marks()))))))
        return tuple(sorted(found & {*range(len(self.strings))}))

    def _marks(self) -> list[str]:
        return [f"{_END}{number}{_END}" for number in range(len(self.strings))]

    def _form(self, write: Writer, indent: str) -> _Form:
        pieces = _FOUND.split(write(self.make(self._marks()), indent))
        if _END_LEFT.search(repr(self.kind)) or any(map(_END_LEFT.search, pieces[::2])):
            return _NONE
        return _Form(pieces, tuple(map(int, pieces[1::2])))


class _Like:
    """In a shape, where something formed was: equal for all of a kind."""

    __slots__ = ("_one",)

    def __init__(self, one: Formed) -> None:
        self._one = one

    def __repr__(self) -> str:
        return repr(self._one.kind)

    def __hash__(self) -> int:
        return hash(self._one.kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Like) and self._one.kind == other._one.kind

    def with_strings(self, strings: Iterator[str]) -> Formed:
        """Another of the kind, with the next strings."""
        one = self._one
        return Formed(one.kind, list(islice(strings, len(one.strings))), one.make, is_list=one.is_list)
