"""Values that are alike but for some strings: the text of each is the one it would have by itself."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from okgen.emit import compact, dump, dump_json, json_at, yaml_at
from okgen.form import Formed, formed, joined, split

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTILE = st.one_of(
    st.text("ab: -#\n\t'\"\\{}[]&*!|>%@`?y0\ue000\x85\u2028", max_size=8),
    st.sampled_from(["\ue0000\ue000", '"\ue0001\ue000"', r"\ue0000\ue000", "yes", "1e3", "", "two\nlines\n", "é"]),
)
LEAVES = st.one_of(HOSTILE, st.integers(-2, 2), st.booleans(), st.none(), st.floats(-2, 2))
VALUES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(HOSTILE, inner, max_size=4))
)
OBJECTS = st.one_of(st.lists(VALUES, min_size=1, max_size=4), st.dictionaries(HOSTILE, VALUES, min_size=1, max_size=4))


@given(VALUES)
def test_data_is_the_same_after_it_was_taken_apart(value: Any) -> None:
    shape, strings = split(value)
    hash(shape)
    back = joined(shape, iter(strings))
    assert (back, repr(back)) == (value, repr(value)), "1 is not True"


@given(OBJECTS, st.data())
@settings(max_examples=150)
def test_every_text_is_the_one_of_the_value_alone(value: Any, data: st.DataObject) -> None:
    """The first of a kind, the second, from which the form is made, and those that take it."""
    shape, first = split(value)
    kind = (object(), shape)  # of this example alone
    others = [data.draw(st.lists(HOSTILE, min_size=len(first), max_size=len(first))) for _ in range(3)]
    for strings in (first, *others):

        def make(given: Sequence[str]) -> Any:
            return joined(shape, iter(given))

        formed = Formed(kind, strings, make, is_list=isinstance(value, list))
        alone = joined(shape, iter(strings))
        assert formed.value == alone
        assert dump(formed) == dump(alone)
        assert dump({"a": formed, "b": [formed]}) == dump({"a": alone, "b": [alone]})
        for write in (compact, json_at):
            assert formed.text(write, "  ") == write(alone, "  ")
        assert formed.size == len(compact(alone))


def test_a_form_is_made_of_the_second_and_taken_by_the_third() -> None:
    made, kind = [], object()

    def make(strings: Sequence[str]) -> dict[str, str]:
        made.append(strings)
        return {"name": strings[0], "kind": "Fixed"}

    texts = [Formed(kind, [name], make).text(yaml_at, "") for name in ("one", "two", "three", "on")]
    assert texts == [f"name: {name}\nkind: Fixed\n" for name in ("one", "two", "three", '"on"')]
    assert made == [["one"], ["\ue0000\ue000"]]


def test_strings_that_are_more_than_put_in_their_places_make_no_form() -> None:
    kind = object()

    def make(strings: Sequence[str]) -> dict[str, str]:
        return {"name": f"{strings[0]}-suffix"}

    texts = [Formed(kind, [name], make).text(yaml_at, "") for name in ("one", "two", "three")]
    assert texts == [f"name: {name}-suffix\n" for name in ("one", "two", "three")]


@given(OBJECTS, st.data())
@settings(max_examples=150)
def test_plain_data_in_plain_data_is_written_as_by_itself(value: Any, data: st.DataObject) -> None:
    shape, first = split(value)
    for strings in (first, *(data.draw(st.lists(HOSTILE, min_size=len(first), max_size=len(first))) for _ in range(3))):
        alone = {"inner": joined(shape, iter(strings)), "name": "b"}
        inner = Formed(shape, strings, lambda given: joined(shape, iter(given)), is_list=isinstance(value, list))
        outer = formed({"inner": inner, "name": "b"})
        assert dump(outer) == dump(alone)
        assert dump_json(outer) == dump_json(alone)


def test_slots_are_those_of_the_strings_that_are_taken() -> None:
    def make(strings: Sequence[str]) -> dict[str, Any]:
        return {"a": strings[1], "b": {"c": [strings[0], "\ue0007\ue000", strings[1]]}, "d": strings[2]}

    like = Formed(object(), ["x", "\ue0002\ue000", "z"], make)
    assert like.slots(lambda value: value["b"]) == (0, 1)
    assert like.slots(lambda value: value["a"]) == (1,)
    assert like.slots(list) == ()


class Kind:
    """Can be seen to be forgotten."""


def test_what_is_kept_is_bounded() -> None:
    first = Kind()
    seen = weakref.ref(first)
    for kind in (first, first, *(Kind() for _ in range(3_000))):
        Formed(kind, ["a"], lambda strings: {"name": strings[0]}).text(yaml_at, "")
    del first, kind
    assert seen() is None
