"""Where every field of a rendered tree comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rendering
from okgen import pipeline
from okgen.addons.catalogue import Catalogue
from okgen.judge.schema import bundle
from okgen.problem import dotted
from okgen.provenance import (
    ABSENT,
    DEFAULT,
    DERIVED,
    GIVEN,
    OKGEN,
    PATCH,
    RELEASE,
    TEMPLATE,
    Provenance,
    fields,
    lines,
)
from okgen.provenance.objects import Objects
from okgen.provenance.origins import Origins
from okgen.provenance.tracing import plain
from okgen.read import inputs, source

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/cluster.yaml"))


def rendered(folder: Path) -> pipeline.Rendered:
    findings = pipeline.Findings()
    (found,) = pipeline.rendered(inputs.find([str(folder / "cluster.yaml")]), findings)
    assert not findings.are_errors
    return found


def provenance(case: str) -> Provenance:
    found = rendered(Path(__file__).parent / "cases" / case)
    return Provenance(found.document, found.cluster, found.files)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_traced_is_what_is_rendered(case: Path) -> None:
    found = rendered(case)
    origins = Origins(
        found.document, found.cluster, bundle(Catalogue(), {each.addon.name for each in found.cluster.addons})
    )
    for enabled in found.cluster.addons:
        objects = Objects(enabled, found.cluster, origins.seen[enabled.addon.name])
        folder = f"addons/{enabled.addon.name}/"
        expected: dict[str, Any] = {
            file.removeprefix(folder): fields.data_of(file, text)
            for file, text in found.files.items()
            if file.startswith(folder) and not file.endswith("kustomization.yaml")
        }
        assert {file: plain(data) for file, data in objects.files.items()} == expected


def test_a_value_that_is_given() -> None:
    file = "addons/external-dns/deployment-external-dns.yaml"
    ends = provenance("full").ends(file, ("spec", "template", "spec", "containers", 0, "args", 7))

    assert [(each.kind, each.line, each.column, dotted(each.path), each.is_condition) for each in ends] == [
        ("given", 43, 13, "addons.external-dns.policy", False),
        ("given", 42, 3, "addons.external-dns", True),
    ]


@pytest.mark.parametrize("case", ["full", "irsa", "legacy-pair", "patches"])
def test_every_field_has_an_answer_that_ends_in_a_place(case: str) -> None:
    """In cluster.yaml, a default, a fact of a version, a template or okgen's code, in a line that there is."""
    asked = provenance(case)
    lines: dict[str, int] = {}
    for file in asked.files:
        for leaf in fields.leaves(asked.data(file)):
            ends = asked.ends(file, leaf)
            assert ends, f"{file} {dotted(leaf)}"
            for each in ends:
                assert each.kind in {GIVEN, ABSENT, DEFAULT, RELEASE, TEMPLATE, OKGEN, PATCH, DERIVED}
                if each.file not in lines:
                    lines[each.file] = len(_text(each.file).splitlines())
                assert 1 <= each.line <= lines[each.file], f"{file} {dotted(leaf)}: {each}"


def _text(file: str) -> str:
    root = rendering.REPOSITORY
    place = root / "generator" / file if file.startswith("okgen/") else root / file
    return (place if place.exists() else Path(file)).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (".a.b[1].c", ("a", "b", 1, "c")),
        ("a.b[1].c", ("a", "b", 1, "c")),
        ('labels["x.io/name"]', ("labels", "x.io/name")),
        ("labels.x.io/name", ("labels", "x.io/name")),
        (r"labels.x\.io/name", ("labels", "x.io/name")),
        (".labels.x", ("labels", "x")),
        ("", ()),
    ],
)
def test_a_field_is_named_as_jq_and_kubectl_do(text: str, path: tuple[str | int, ...]) -> None:
    data = {"a": {"b": [0, {"c": 1}]}, "labels": {"x": 1, "x.io/name": 2}}

    assert fields.find(data, text) == path


@pytest.mark.parametrize("text", ["a.c", "a.b[2]", "a.b[-1]", "a.b[9999999999]", "a..b", "a.b.c", "[", "a.b[1]c"])
def test_a_field_that_is_not_there(text: str) -> None:
    with pytest.raises(LookupError):
        fields.find({"a": {"b": [0, {"c": 1}]}}, text)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [("b",)]),
        ({"a": {"x": 1}}, {}, [("a", "x")]),
        ([1, 2, 3], [2, 3], [(0,)]),
        ([{"name": "a", "x": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "x": 2}], [(0, "x")]),
        ({"a": {}}, {"a": {"b": 1}}, [("a",)]),
        ({"a": True}, {"a": 1}, [("a",)]),
    ],
)
def test_what_moves_between_two_renders(old: Any, new: Any, expected: list[tuple[str | int, ...]]) -> None:
    assert list(fields.moved(old, new)) == expected


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        (1, 0, []),
        (2, 0, [("a", "x"), ("a", "z")]),
        (2, 5, [("a", "x")]),
        (2, 12, [("a", "z")]),
        (3, 0, [("b",)]),
        (4, 0, [("b", 0, "c")]),
        (5, 0, [("b", 0, "c")]),
        (6, 0, []),
        (7, 0, [("d",)]),
        (8, 0, [("d",)]),
    ],
)
def test_what_stands_in_a_line(line: int, column: int, expected: list[tuple[str | int, ...]]) -> None:
    text = "# comment\na: {x: 1, z: 2}\nb:\n  - c: |\n      text # of c\n# comment\nd: two\n  lines\n"

    assert lines.paths(source.parse(text.encode(), "any.yaml"), line, column) == expected


def test_values_that_only_together_make_a_field_another() -> None:
    """Any of the add-ons with a Role would keep it among the kinds that the project admits."""
    asked = provenance("full")
    file = "argocd/appproject-shop-prod.yaml"
    kinds = asked.data(file)["spec"]["namespaceResourceWhitelist"]
    number = next(number for number, each in enumerate(kinds) if each["kind"] == "Role")

    given = [dotted(each.path) for each in asked.ends(file, ("spec", "namespaceResourceWhitelist", number, "kind"))]

    assert len(given) > 1
    assert all(each.startswith("addons.") for each in given)


def test_one_value_and_one_field() -> None:
    asked = provenance("full")
    policy: tuple[str, ...] = ("addons", "external-dns", "policy")

    assert asked.reaches(policy, "addons/external-dns/deployment-external-dns.yaml", ("spec",))
    assert asked.reaches(policy, "argocd/application-external-dns.yaml", ("metadata", "annotations"))
    assert asked.reaches(policy, ".okgen.json", ("files", "argocd/application-external-dns.yaml"))
    assert not asked.reaches(policy, "addons/external-dns/deployment-external-dns.yaml", ("metadata",))
    assert not asked.reaches(policy, "argocd/application-cert-manager.yaml")
    with pytest.raises(LookupError):
        asked.reaches(policy, "no-such-file")
