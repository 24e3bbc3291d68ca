"""Mirrors: the longest prefix wins, at a path step, and what is of no use is said."""

from __future__ import annotations

import pytest

from okgen.read import source
from okgen.resolve.registry import Mirrors

REGISTRIES = {"registry.k8s.io": "m.example.com/k8s", "registry.k8s.io/external-dns": "m.example.com/dns"}
TABLE = [
    ("registry.k8s.io/pause:3", "m.example.com/k8s/pause:3"),
    ("registry.k8s.io/external-dns/external-dns:v1", "m.example.com/dns/external-dns:v1"),
    ("registry.k8s.io/external-dns-other/x:v1", "m.example.com/k8s/external-dns-other/x:v1"),
    ("registry.k8s.io.example.com/x:v1", "registry.k8s.io.example.com/x:v1"),
    ("quay.io/x:v1", "quay.io/x:v1"),
]


@pytest.mark.parametrize(("reference", "expected"), TABLE)
def test_the_longest_prefix_wins(reference: str, expected: str) -> None:
    assert Mirrors(REGISTRIES).image(reference) == expected


def test_a_mirror_without_images_is_named_at_its_line() -> None:
    document = source.parse(b"images:\n  registries:\n    a.example.com: b.example.com\n", "cluster.yaml")
    mirrors = Mirrors(document.data["images"]["registries"])
    mirrors.image("quay.io/x:v1")
    (problem,) = mirrors.unused(document)
    assert (problem.line, problem.column, problem.code, problem.severity) == (3, 5, "OKG314", "warning")
    mirrors.image("a.example.com/x:v1")
    assert mirrors.unused(document) == []
