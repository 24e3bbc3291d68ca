"""Kubernetes quantities compare as Kubernetes compares them."""

from __future__ import annotations

import pytest

from okgen.resolve.quantity import amount

TABLE = [
    ("1", 1.0),
    (2, 2.0),
    ("100m", 0.1),
    ("0.5", 0.5),
    ("1.5Gi", 1.5 * 1024**3),
    ("128Mi", 128 * 1024**2),
    ("64Ki", 64 * 1024),
    ("1k", 1e3),
    ("1M", 1e6),
    ("3E", 3e18),
    ("1Ei", 1024.0**6),
    ("2e3", 2000.0),
    ("2E3", 2000.0),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_amounts(text: str | int, expected: float) -> None:
    assert amount(text) == pytest.approx(expected)
