"""Kustomize's selectors: the same answers as anchored regular expressions give, without their running time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okgen.resolve.selector import SelectorError, labels_match, pattern_matches

PATTERNS = [
    ("external-dns", "external-dns", True),
    ("external-dns", "external-dns-2", False),
    ("external-.*", "external-dns", True),
    (".*", "", True),
    ("a|b|external-dns", "external-dns", True),
    ("^external-dns$", "external-dns", True),
    ("external.dns", "external-dns", True),
    (r"external\.dns", "external-dns", False),
    (r"external\.dns", "external.dns", True),
    ("[a-c]+x?", "abcab", True),
    ("[^a-c]+", "xyz", True),
    ("[^a-c]+", "xaz", False),
    ("ab*c", "ac", True),
    ("ab+c", "ac", False),
    ("", "", True),
    ("", "x", False),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), PATTERNS)
def test_patterns(pattern: str, text: str, expected: bool) -> None:
    assert pattern_matches(pattern, text) is expected


@pytest.mark.parametrize("pattern", ["(a)", "a{2}", "*a", "[", "[]", "[z-a]", r"\d", "a)", "[\\]]", "a\\"])
def test_refuses_patterns_it_cannot_read(pattern: str) -> None:
    with pytest.raises(SelectorError):
        pattern_matches(pattern, "a")


atoms = st.sampled_from(["a", "b", "-", ".", "[ab]", "[^a]", r"\."])
marks = st.sampled_from(["", "*", "+", "?"])
patterns = st.lists(st.tuples(atoms, marks), max_size=6).map(lambda parts: "".join(a + m for a, m in parts))


@given(st.lists(patterns, min_size=1, max_size=3).map("|".join), st.text("ab-.", max_size=8))
def test_agrees_with_regular_expressions(pattern: str, text: str) -> None:
    assert pattern_matches(pattern, text) is (re.fullmatch(f"(?:{pattern})", text) is not None)


def test_hostile_patterns_take_no_time() -> None:
    assert not pattern_matches(".*" * 100 + "x", "a" * 253)


LABELS = {"app": "x", "tier": "web"}
SELECTORS = [
    ("app=x", True),
    ("app==x", True),
    ("app!=x", False),
    ("other!=x", True),
    ("app=x,tier=db", False),
    ("app in (x, y)", True),
    ("app notin (x,y)", False),
    ("other notin (x)", True),
    ("other in (x)", False),
    ("tier", True),
    ("!tier", False),
    ("!other", True),
    ("app in (x),!other", True),
]


@pytest.mark.parametrize(("selector", "expected"), SELECTORS)
def test_label_selectors(selector: str, expected: bool) -> None:
    assert labels_match(selector, LABELS) is expected


@pytest.mark.parametrize(
    "selector",
    ["app=x,", "=x", "a b", "app in x", "(a)", "!", "app!=b c", "app!=ü", "!-x-", "app!==x", "app in (a b)", "!a b"],
)
def test_refuses_label_selectors_it_cannot_read(selector: str) -> None:
    with pytest.raises(SelectorError):
        labels_match(selector, LABELS)
