"""Where every field of a rendered tree comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from okgen import inputs, pipeline
from okgen.catalogue import Catalogue
from okgen.problem import dotted
from okgen.provenance import Provenance, fields
from okgen.provenance.objects import Objects
from okgen.provenance.origins import Origins
from okgen.provenance.tracing import plain
from okgen.schema import bundle

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
