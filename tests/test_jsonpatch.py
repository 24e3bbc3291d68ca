"""JSON patches are tried before Kustomize gets them: what applies, what does not, and how that is said."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

import rendering
from okgen.resolve.jsonpatch import PatchError, applied

if TYPE_CHECKING:
    from pathlib import Path

VALUE: dict[str, Any] = {"a": {"b": [1, 2]}, "c/d": 1, "e~f": 2}

APPLIES: list[list[dict[str, Any]]] = [
    [{"op": "add", "path": "/a/x", "value": 1}],
    [{"op": "add", "path": "/a/b/-", "value": 3}, {"op": "test", "path": "/a/b/2", "value": 3}],
    [{"op": "add", "path": "/a/b/0", "value": 3}, {"op": "test", "path": "/a/b/1", "value": 1}],
    [{"op": "remove", "path": "/a/b/1"}, {"op": "test", "path": "/a/b", "value": [1]}],
    [{"op": "replace", "path": "/c~1d", "value": 5}, {"op": "test", "path": "/c~1d", "value": 5}],
    [{"op": "replace", "path": "/e~0f", "value": 5}],
    [{"op": "replace", "path": "/a/b/0", "value": 9}, {"op": "test", "path": "/a/b", "value": [9, 2]}],
    [{"op": "copy", "from": "/a/b", "path": "/z"}, {"op": "test", "path": "/z/0", "value": 1}],
    [{"op": "move", "from": "/a", "path": "/z"}, {"op": "test", "path": "/z/b/1", "value": 2}],
]
FAILS: list[tuple[list[dict[str, Any]], str]] = [
    ([{"op": "replace", "path": "/x", "value": 1}], "operation 1 (replace /x): there is no such place"),
    ([{"op": "remove", "path": "/a/x"}], "operation 1 (remove /a/x): there is no such place"),
    ([{"op": "add", "path": "/x/y", "value": 1}], "operation 1 (add /x/y): there is no such place"),
    ([{"op": "add", "path": "/a/b/9", "value": 1}], "operation 1 (add /a/b/9): the list has no entry 9"),
    ([{"op": "remove", "path": "/a/b/-"}], "operation 1 (remove /a/b/-): the list has no entry -"),
    ([{"op": "add", "path": "/c~1d/x", "value": 1}], "operation 1 (add /c~1d/x): there is no such place"),
    (
        [{"op": "remove", "path": "/a"}, {"op": "test", "path": "/c~1d", "value": 2}],
        "operation 2 (test /c~1d): the value there is another one",
    ),
    ([{"op": "move", "from": "/x", "path": "/y"}], "operation 1 (move /y): there is no such place"),
]


@pytest.mark.parametrize("operations", APPLIES)
def test_applies(operations: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(VALUE)
    applied(VALUE, operations)
    assert before == VALUE


@pytest.mark.parametrize(("operations", "message"), FAILS)
def test_does_not_apply(operations: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(PatchError) as caught:
        applied(VALUE, operations)
    assert str(caught.value) == message


def test_a_patch_that_kustomize_could_not_apply_is_an_error_at_its_target(tmp_path: Path) -> None:
    patch = {"target": {"kind": "Deployment"}, "patch": "- {op: remove, path: /spec/template/spec/hostNetwork}"}
    cluster = rendering.minimal(addons={"cert-manager": {"patches": [patch]}})
    result = rendering.render(tmp_path, cluster, "--format", "concise")
    assert result.code == 1
    assert "OKG322 the patch does not fit Deployment cert-manager-cainjector: operation 1 (remove" in (result.out)


@pytest.mark.parametrize(
    ("toleration", "message"),
    [
        ({"key": "a", "operator": "Exists", "value": "b"}, "takes no value"),
        ({"effect": "NoSchedule"}, "without key needs operator Exists"),
        ({"key": "a", "value": "b", "tolerationSeconds": 5}, "holds only for effect NoExecute"),
    ],
)
def test_tolerations_that_the_api_server_refuses(tmp_path: Path, toleration: dict[str, Any], message: str) -> None:
    cluster = rendering.minimal(addons={"cert-manager": {"webhook": {"tolerations": [toleration]}}})
    result = rendering.render(tmp_path, cluster, "--format", "concise")
    assert result.code == 1
    assert "OKG315" in result.out
    assert message in result.out
    assert len(result.out.splitlines()) == 1


def test_tolerations_that_it_takes(tmp_path: Path) -> None:
    tolerations = [
        {"operator": "Exists"},
        {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"},
        {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ]
    result = rendering.rendered(tmp_path, rendering.minimal(addons={"cert-manager": {"tolerations": tolerations}}))
    assert result.object("Deployment", "cert-manager")["spec"]["template"]["spec"]["tolerations"]


def test_copies_of_copies_end() -> None:
    bomb = [{"op": "copy", "from": "/a", "path": f"/a/b{number}"} for number in range(64)]

    with pytest.raises(PatchError, match="copies more than 100,000 values"):
        applied({"a": {}}, bomb)
