"""Templates: what fills in, what is left out, and where a fault is reported."""

from __future__ import annotations

from typing import Any

import pytest

from okgen.addons.compiling import compile_template
from okgen.addons.template import Template, TemplateError, named, new_scope
from okgen.read import source

NAMES = {
    "name": "shop",
    "count": 2,
    "on": True,
    "off": False,
    "none": None,
    "zones": [{"name": "a.example.com"}, {"name": "b.example.com"}],
    "labels": {"team": "x"},
    "empty": [],
}


def template(text: str) -> Template:
    document = source.parse(text.encode(), "overlays/x/base/t.yaml")
    return compile_template(document.data, document.file, document.root)


def fill(text: str) -> list[Any]:
    return template(text).fill(new_scope(named(NAMES)))


TABLE: list[tuple[str, list[Any]]] = [
    ("a: 1", [{"a": 1}]),
    ("a: ${{ count }}", [{"a": 2}]),
    ("a: '${{ count }}-${{ name }}'", [{"a": "2-shop"}]),
    ("a: 'x ${{ on }}'", [{"a": "x true"}]),
    ("a: ${{ labels }}", [{"a": {"team": "x"}}]),
    ("a: [1, '${{ *[z.name for z in zones] }}', 2]", [{"a": [1, "a.example.com", "b.example.com", 2]}]),
    ("{a: '${{ omit }}', b: 1}", [{"b": 1}]),
    ("{a: ['${{ omit }}', 1], b: 1}", [{"a": [1], "b": 1}]),
    # what becomes empty by an omission goes; what was written empty stays
    ("{a: {b: '${{ omit }}'}, c: {}, d: []}", [{"c": {}, "d": []}]),
    ("{a: ['${{ omit }}'], c: 1}", [{"c": 1}]),
    ("{a: ['${{ *empty }}'], c: 1}", [{"c": 1}]),
    ("{a: {okgen: {when: '${{ off }}'}, x: 1}, c: 1}", [{"c": 1}]),
    ("{a: {okgen: {when: '${{ on }}'}, x: '${{ name }}'}}", [{"a": {"x": "shop"}}]),
    ("{a: [{okgen: {when: '${{ off }}'}, x: 1}, 2]}", [{"a": [2]}]),
    # a value under a false condition is not evaluated
    ("{a: {okgen: {when: '${{ none is not None }}'}, x: '${{ none.id }}'}, c: 1}", [{"c": 1}]),
    (
        "{a: [{okgen: {forEach: '${{ zones }}'}, name: '${{ item.name }}', i: '${{ index }}', fixed: [1]}]}",
        [{"a": [{"name": "a.example.com", "i": 0, "fixed": [1]}, {"name": "b.example.com", "i": 1, "fixed": [1]}]}],
    ),
    (
        "{okgen: {forEach: '${{ zones }}', when: '${{ index > 0 }}'}, name: '${{ item.name }}'}",
        [{"name": "b.example.com"}],
    ),
    ("{okgen: {when: '${{ off }}'}, name: 1}", []),
    ("{okgen: {when: '${{ on }}'}, name: 1}", [{"name": 1}]),
    # a condition inside a loop sees the loop's item
    (
        (
            "{a: [{okgen: {forEach: '${{ zones }}'}, k: 1,"
            " b: {okgen: {when: '${{ index == 0 }}'}, name: '${{ item.name }}'}}]}"
        ),
        [{"a": [{"b": {"name": "a.example.com"}, "k": 1}, {"k": 1}]}],
    ),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_fills(text: str, expected: list[Any]) -> None:
    assert fill(text) == expected


def test_values_are_never_templates() -> None:
    hostile = "${{ name }} {{ x }} ${{"
    found = template("a: ${{ name }}\nb: 'x ${{ name }}'").fill(new_scope({"name": hostile}))
    assert found == [{"a": hostile, "b": f"x {hostile}"}]


FAULTS = [
    ("a: 1\nb:\n  c: ${{ nothing }}", ":3:6: NameError"),
    ("a: ${{ labels.missing }}", ":1:4: KeyError"),
    ("a: 'x ${{ none }}'", ":1:4: TypeError"),
    ("a: ${{ 1 + }}", ":1:4: not an expression"),
    ("a: 'x ${{ name'", ":1:4: an expression is not closed"),
    ("a: {okgen: {unless: 1}}", "`okgen` takes"),
    ("a: {okgen: {when: maybe}}", "expected one ${{ expression }}"),
    ("a: {okgen: 1}", "`okgen` takes"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_names_the_place_of_a_fault(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        fill(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("overlays/x/base/t.yaml")


def test_the_same_values_build_the_same_object() -> None:
    compiled = template("{a: '${{ name }}', b: {c: [1, 2]}}")
    (values,) = compiled.values(new_scope(named(NAMES)))
    assert values == ("shop",)
    assert compiled.build(values) == compiled.build(values)


def test_a_workload_is_named_at_the_top() -> None:
    assert template("{okgen: {workload: webhook}, a: 1}").workload == "webhook"
    assert template("a: 1").workload == ""
