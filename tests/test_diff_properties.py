"""For any two valid inputs: a comparison is empty exactly when the trees are the same; else it leads to the new one."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import diffing
import rendering

FOLDED_FILES = {"README.md", ".okgen.json"}
# The label of an object itself and the digest of a folder stand four deep; the label of pods stands deeper.
FOLDED_LINES = re.compile(r"^    (?:app\.kubernetes\.io/version|okgen\.dev/tree-digest): .*\n", re.MULTILINE)
ISSUER = rendering.OIDC_ISSUER
TOLERATIONS = ({"key": "a", "operator": "Exists"}, {"key": "b"})
PATCH = "- {op: add, path: /metadata/annotations, value: {example.com/a: %s}}"


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or None for a key that is not there."""
    return st.none() | values


def mapping(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with those of the keys whose value is not None."""
    return st.fixed_dictionaries(dict(keys)).map(lambda made: {k: v for k, v in made.items() if v is not None})


REPLICAS = optional(st.integers(1, 3))
STORES = st.lists(st.sampled_from(["/a/", "/b/", "/c/d/"]), unique=True, max_size=2).map(
    lambda prefixes: [
        {"name": f"store-{place}", "service": "ParameterStore", "prefix": prefix}
        for place, prefix in enumerate(prefixes)
    ]
)
ADDONS = st.fixed_dictionaries(
    {},
    optional={
        "external-dns": mapping(
            policy=optional(st.sampled_from(["sync", "upsert-only"])),
            txtOwnerId=optional(st.sampled_from(["one", "two"])),
            version=optional(st.sampled_from(["0.21.0", "0.22.0", "0.23.0"])),
            sources=optional(st.sampled_from([["ingress"], ["ingress", "service"], ["service", "crd"]])),
            zoneType=optional(st.sampled_from(["public"])),
            podAnnotations=optional(st.sampled_from([{"a.example.com/b": "true"}, {"a.example.com/b": "1"}])),
        ),
        "external-secrets": mapping(replicas=REPLICAS, stores=optional(STORES.filter(bool))),
        "cert-manager": mapping(
            replicas=REPLICAS,
            namespace=optional(st.sampled_from(["certificates"])),
            tolerations=optional(
                st.lists(st.sampled_from([{"key": "a", "operator": "Exists"}, {"key": "b"}]), max_size=2)
            ),
            patches=optional(
                st.lists(st.integers(0, 2), max_size=2).map(
                    lambda numbers: [
                        {"target": {"kind": "Deployment", "name": "cert-manager"}, "patch": PATCH % number}
                        for number in numbers
                    ]
                )
            ),
        ),
    },
).filter(bool)
CLUSTERS = st.builds(
    rendering.minimal,
    metadata=mapping(labels=optional(st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "z"])))),
    profile=st.sampled_from(["development", "production"]),
    kubernetesVersion=st.sampled_from(["1.33", "1.34"]),
    aws=mapping(
        identity=optional(st.just("irsa")), oidcIssuer=st.just(ISSUER), clusterName=optional(st.just("another"))
    ),
    dns=st.lists(st.sampled_from(["a.example.com", "b.example.org", "c.example.net"]), min_size=1, unique=True).map(
        lambda names: {"zones": [{"name": name} for name in names]}
    ),
    gitops=mapping(revision=optional(st.just("refs/heads/other"))),
    addons=ADDONS,
)


def at(place: Path, cluster: dict[str, Any]) -> dict[str, str]:
    """The tree of a cluster that is rendered below a folder."""
    return rendering.rendered(place, cluster).tree


def folded(tree: dict[str, str]) -> dict[str, str]:
    """A tree without what merely follows."""
    return {path: FOLDED_LINES.sub("", text) for path, text in tree.items() if path not in FOLDED_FILES}


def data_of(path: str, text: str) -> Any:
    """The data of a file."""
    return json.loads(text) if path.endswith(".json") else yaml.load(text, rendering.Loader)  # noqa: S506 - a safe one


def parsed(tree: dict[str, str]) -> dict[str, Any]:
    """The data of a tree's files, those that merely follow left out."""
    return {path: data_of(path, text) for path, text in tree.items() if path not in FOLDED_FILES}


@pytest.mark.no_cover
@settings(max_examples=25)  # each renders two trees and compares them
@given(before=CLUSTERS, after=CLUSTERS)
def test_a_comparison_is_exact(before: dict[str, Any], after: dict[str, Any]) -> None:
    after["metadata"]["name"] = before["metadata"]["name"] = "demo"
    with tempfile.TemporaryDirectory() as folder:
        old, new = at(Path(folder) / "one", before), at(Path(folder) / "two", after)
        place = Path(folder) / "one"
        (place / "cluster.yaml").write_text(rendering.written(after), encoding="utf-8")

        found = diffing.said(place)

        assert found["empty"] is (folded(old) == folded(new))
        (cluster,) = found["clusters"]
        assert set(cluster["files"]) == {path for path in {*old, *new} if old.get(path) != new.get(path)}
        assert diffing.form(led(parsed(old), found["objects"])) == diffing.form(parsed(new))


def led(files: dict[str, Any], objects: list[dict[str, Any]]) -> dict[str, Any]:
    """What the files of a tree become by what is listed of its objects."""
    result = dict(files)
    for each in objects:
        if each["state"] != "added":
            before = result.pop(each["was"] or each["file"])
            assert each["state"] == "changed" or diffing.form(before) == diffing.form(each["old"])
    for each in objects:
        if each["state"] != "removed":
            old = files.get(each["was"] or each["file"])
            result[each["file"]] = each["new"] if each["state"] == "added" else diffing.applied(old, each["fields"])
    return result
