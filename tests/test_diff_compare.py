"""Comparing data field by field: what is listed, applied to the old data, gives the new data, whatever the data."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import diffing
from okgen.diff.compare import compare
from okgen.diff.facts import MERGE_KEYS
from okgen.diff.json import field_of
from okgen.diff.sections import differing

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", "--x=1", "--x=2", "true"])
KEYS = st.sampled_from(["a", "b", "name", "args", "value"])
LISTS = st.sampled_from(sorted(MERGE_KEYS))


def entries(keys: tuple[str, ...]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of mappings that have some of these keys, often the same values."""
    values = st.sampled_from(["a", "b", "c", 1, True, None]) | st.lists(st.sampled_from(["a", "b"]), max_size=2)
    return st.lists(st.dictionaries(st.sampled_from([*keys, "other"]), values, max_size=3), max_size=4)


KEYED = LISTS.flatmap(
    lambda name: entries((*MERGE_KEYS[name][0].needed, *MERGE_KEYS[name][0].optional)).map(lambda found: {name: found})
)
DATA = st.recursive(
    SCALARS | KEYED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(old=DATA, new=DATA)
def test_what_is_listed_leads_from_the_old_to_the_new(old: Any, new: Any) -> None:
    fields = compare(old, new)
    listed = json.loads(json.dumps([field_of(each, folded=False) for each in fields]))

    assert diffing.form(diffing.applied(old, listed)) == diffing.form(new)
    assert bool(fields) is (diffing.form(old) != diffing.form(new))


@given(name=LISTS, data=st.data())
def test_entries_are_told_apart_by_their_merge_keys(name: str, data: st.DataObject) -> None:
    keys = MERGE_KEYS[name][0]
    marks = data.draw(st.lists(st.integers(0, 5), unique=True, max_size=5))
    others = data.draw(st.permutations(marks).map(lambda order: order[: len(marks) - 1]) | st.permutations([*marks, 9]))
    which = (keys.needed or keys.optional)[0]
    complete = dict.fromkeys(keys.needed, "x")
    old, new = ([{**complete, which: f"k{mark}", "v": [mark]} for mark in side] for side in (marks, others))

    listed = [field_of(each, folded=False) for each in compare({name: old}, {name: new})]

    assert {each["op"] for each in listed} <= {"add", "remove", "order"}
    assert diffing.applied({name: old}, listed) == {name: new}


@pytest.mark.parametrize(
    ("old", "new", "listed"),
    [
        ({"a": 1}, {"a": True}, ["replace a"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": {}}, {"a": []}, ["replace a"]),
        ({"args": ["--a=1", "--b"]}, {"args": ["--a=2", "--b"]}, ["remove args[--a=1]", "add args[--a=2]"]),
        ({"args": ["x", "x"]}, {"args": ["x"]}, ["replace args"]),
        (
            {"containers": [{"name": "a", "image": "i:1"}, {"name": "b"}]},
            {"containers": [{"name": "b"}, {"name": "a", "image": "i:2"}]},
            ["replace containers[a].image", "order containers"],
        ),
        (
            {"ports": [{"port": 80, "protocol": "TCP"}, {"port": 80, "protocol": "UDP"}]},
            {"ports": [{"port": 80, "protocol": "TCP"}]},
            ["remove ports[80 UDP]"],
        ),
        ({"a": [1, 2]}, {"a": [1, 3]}, ["replace a[1]"]),
    ],
)
def test_fields(old: Any, new: Any, listed: list[str]) -> None:
    from okgen.diff.words import path_of

    assert [f"{each.op} {path_of(each.path)}" for each in compare(old, new)] == listed


STACKS = st.dictionaries(
    st.sampled_from(["Resources", "Outputs"]),
    st.dictionaries(st.sampled_from(["A", "B", "C"]), st.dictionaries(KEYS, SCALARS | st.lists(SCALARS), min_size=1)),
)


@given(old=STACKS, new=STACKS)
def test_cutting_to_what_differs_changes_nothing(old: Any, new: Any) -> None:
    texts = [yaml.safe_dump({"Version": "1", **side}, sort_keys=False) for side in (old, new)]
    cut = [yaml.safe_load(text) or {} for text in differing(*texts)]
    assert compare(cut[0], cut[1]) == compare(old, new)


@pytest.mark.parametrize(
    ("old", "new", "cut"),
    [
        ("A:\n  B:\n    c: 1\n  D:\n    e: 1\n", "A:\n  B:\n    c: 2\n  D:\n    e: 1\n", "A:\n  B:\n    c: 1\n"),
        ("A: 1\nB: 2\n", "A: 1\nB: 3\n", "B: 2\n"),
        ("A:\n  B: 1\n", "A:\n  B: 2\n", "A:\n  B: 1\n"),
        ("A: 1\nA: 2\n", "A: 1\n", "A: 1\nA: 2\n"),
        ("# c\nA: 1\nB: 1\n", "A: 1\nB: 2\n", "# c\nA: 1\nB: 1\n"),
        (
            "A:\n  B:\n    c: |\n      x\n\n      y\nD: 1\n",
            "A:\n  B:\n    c: 1\nD: 1\n",
            "A:\n  B:\n    c: |\n      x\n\n      y\n",
        ),
        ("A: 'x\n  B:\n    y'\nC: 1\n", "A: 'x\n  B:\n    y'\nC: 2\n", "C: 1\n"),
    ],
)
def test_what_is_cut(old: str, new: str, cut: str) -> None:
    assert differing(old, new)[0] == cut
