"""Where keys and values stand in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from test_source import FILE, parse

if TYPE_CHECKING:
    from okgen.read.source import Node

PLACED = parse(
    "# c\n"
    "apiVersion: v1\n"
    "dns:\n"
    "  zones:\n"
    "    - {name: é, id: 1.30}   # c\n"
    "    - name: &x b\n"
    "      'id': *x\n"
    "empty:\n"
    "base: &base {one: 1, two: [2]}\n"
    "derived:\n"
    "  <<: *base\n"
    "  one: 010.5\n"
    "copy: *base\n"
)


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (2, 1), (1, 1)),
        (("apiVersion",), (2, 13), (2, 1)),
        (("dns",), (4, 3), (3, 1)),
        (("dns", "zones"), (5, 5), (4, 3)),
        (("dns", "zones", 0), (5, 7), (5, 7)),
        (("dns", "zones", 0, "id"), (5, 21), (5, 17)),
        (("dns", "zones", 1, "name"), (6, 13), (6, 7)),
        (("dns", "zones", 1, "id"), (7, 13), (7, 7)),
        (("empty",), (8, 7), (8, 1)),
        (("derived", "one"), (12, 8), (12, 3)),
        (("derived", "two"), (9, 27), (9, 22)),
        (("derived", "two", 0), (9, 28), (9, 28)),
        (("copy",), (13, 7), (13, 1)),
        (("copy", "two"), (9, 27), (9, 22)),
        # missing
        (("metadata",), (1, 1), (1, 1)),
        (("metadata", "name"), (1, 1), (1, 1)),
        (("dns", "zone"), (3, 1), (3, 1)),
        (("dns", "zones", 0, "private"), (5, 7), (5, 7)),
        (("dns", "zones", 2), (4, 3), (4, 3)),
        (("dns", "zones", -1), (4, 3), (4, 3)),
        (("dns", "zones", "name"), (4, 3), (4, 3)),
        (("empty", "a"), (8, 1), (8, 1)),
        (("apiVersion", 0), (2, 1), (2, 1)),
    ],
)
def test_place(path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]) -> None:
    assert PLACED.place(path) == value
    assert PLACED.place(path, key=True) == key


def test_problem() -> None:
    problem = PLACED.problem("OKG201", ("dns", "zones", 0, "id"), "wrong", "mend it", key=True, severity="warning")

    assert problem == (FILE, 5, 17, "OKG201", "warning", "wrong", "dns.zones[0].id", "mend it", ())


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("dns", "zones", 0, "id"), "1.30"),
        (("dns", "zones", 1, "name"), "b"),
        (("dns", "zones", 1, "id"), ""),
        (("derived", "one"), "010.5"),
        (("empty",), ""),
    ],
)
def test_written(path: tuple[str | int, ...], written: str) -> None:
    assert PLACED.written(path) == written


NAMES = st.text("bcdé漢😀", min_size=1, max_size=5)
PLAIN = st.recursive(
    NAMES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)


@given(PLAIN, st.sampled_from([True, False, None]))
def test_places_are_where_the_text_is(value: object, flow: bool | None) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, width=20)
    document = parse(text)
    lines = text.split("\n")

    def look(node: Node) -> None:
        at = lines[node.line - 1][node.column - 1 :]
        if isinstance(node.children, dict):
            for key, (line, column, child) in node.children.items():
                assert lines[line - 1][column - 1 :].lstrip("? ").startswith(key)
                look(child)
        elif isinstance(node.children, list):
            assert at[0] in "[-"
            for child in node.children:
                look(child)
        else:
            assert at.startswith(node.value)

    look(document.root)
