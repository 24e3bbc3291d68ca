"""Shortened names are valid, stable and stay apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okgen.resolve.names import shorten

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
labels = st.from_regex(LABEL, fullmatch=True)
limits = st.integers(10, 80)


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("shop-prod-external-dns", 64, "shop-prod-external-dns"),
        ("a" * 63, 63, "a" * 63),
        ("a" * 64, 63, "a" * 54 + "-ffe054fe"),
        # Never blindly cut: what is behind the cut decides about the digits.
        ("shop-prod-external-secrets", 22, "shop-prod-ext-fd9173b3"),
        ("shop-prod-external-storage", 22, "shop-prod-ext-36b25ff0"),
        # No hyphen or dot in front of the hyphen.
        ("shop-prod----external-secrets", 20, "shop-prod-99242749"),
        ("shop.prod.external-secrets", 19, "shop.prod-9da431da"),
        ("-" * 20, 10, "d3c15337"),
    ],
)
def test_shorten(name: str, limit: int, expected: str) -> None:
    assert shorten(name, limit) == expected


@given(labels, limits)
def test_a_label_stays_a_label(name: str, limit: int) -> None:
    short = shorten(name, limit)
    assert LABEL.fullmatch(short)
    assert len(short) <= limit


@given(labels, limits)
def test_what_fits_is_not_touched_and_what_is_short_stays(name: str, limit: int) -> None:
    short = shorten(name, limit)
    assert (short == name) is (len(name) <= limit)
    assert shorten(short, limit) == short


@given(st.text("ab-", min_size=20, max_size=40).filter(str.strip), st.text("ab-", min_size=20, max_size=40), limits)
def test_different_names_stay_different(one: str, other: str, limit: int) -> None:
    assert (shorten(one, limit) == shorten(other, limit)) is (one == other)


@pytest.mark.parametrize("limit", [-1, 0, 9])
def test_a_limit_without_room_is_a_mistake_of_the_caller(limit: int) -> None:
    with pytest.raises(ValueError, match="leaves no room"):
        shorten("name", limit)
