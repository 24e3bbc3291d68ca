"""What the removal of an object leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.diff import facts, nouns
from okgen.render.kustomize import VENDORED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.diff.nouns import Change, Unit

_BY_HAND = {"bootstrap": "it was applied by hand: delete it by hand", "iam": "deploy the stack again"}
_NAMESPACE = "/namespace"  # no API group
_WHITELISTS = ("clusterResourceWhitelist", "namespaceResourceWhitelist")
_LEFT = "Argo CD leaves it in the cluster, as its project no longer admits this kind or namespace: delete it by hand"
_STAYS = "it stays in the cluster (Prune=false): delete it by hand when nothing needs it"
ADDON = (
    "Argo CD deletes its objects when you push, CRDs and the namespace excepted; remove first what depends on it: "
    "docs/argocd.md, Removing an add-on"
)
CLUSTER = (
    "nothing in the cluster goes by itself, as the Application that would prune has lost its folder: "
    "delete the Applications in Argo CD, then the IAM stack"
)


class Lost(NamedTuple):
    """What a project does not admit any more: namespaces, and kinds with their group."""

    namespaces: frozenset[str]
    kinds: frozenset[tuple[str, str]]


def lost(changes: Iterable[Change]) -> Lost:
    """What the projects of a cluster admitted before and do not admit now."""
    before, after = set[tuple[str, str]](), set[tuple[str, str]]()
    for change in changes:
        if (change.unit.group, change.unit.kind) == ("argoproj.io", "AppProject") and change.state == nouns.CHANGED:
            before |= _admitted(change.old)
            after |= _admitted(change.new)
    gone = before - after
    spaces = frozenset(name for group, name in gone if group == _NAMESPACE)
    return Lost(spaces, frozenset(each for each in gone if each[0] != _NAMESPACE))


def _admitted(unit: Unit | None) -> set[tuple[str, str]]:
    spec = _mapping(unit.value.get("spec")) if unit is not None else {}
    spaces, *kinds = (spec.get(name) for name in ("destinations", *_WHITELISTS))
    found = {(_NAMESPACE, str(_mapping(each).get("namespace"))) for each in _list(spaces)}
    entries = [_mapping(each) for of in kinds for each in _list(of)]
    return found | {(str(each.get("group")), str(each.get("kind"))) for each in entries}


def consequence(change: Change, missing: Lost) -> str:
    """What becomes of an object that is no longer rendered."""
    unit = change.old
    assert unit is not None, "it was there"
    folder = change.file.partition("/")[0]
    if folder in _BY_HAND:
        return _BY_HAND[folder]
    return _of_object(unit, missing) if unit.form == nouns.KUBERNETES else ""


def _of_object(unit: Unit, missing: Lost) -> str:
    metadata: dict[str, Any] = unit.value["metadata"]
    options = _mapping(metadata.get("annotations")).get(facts.SYNC_OPTIONS)
    if isinstance(options, str) and facts.KEPT in options.replace(" ", "").split(","):
        return _STAYS
    if (unit.group, unit.kind) == ("argoproj.io", "Application"):
        deletes = facts.FINALIZER in _list(metadata.get("finalizers"))
        return "Argo CD deletes all that it made" if deletes else "what it made stays in the cluster"
    if unit.namespace in missing.namespaces or (unit.group, unit.kind) in missing.kinds:
        return _LEFT
    data = facts.HOLDS_DATA.get((unit.group, unit.kind), "")
    return f"Argo CD prunes it{': ' if data else ''}{data}"


def resource(change: Change, address: str) -> str:
    """What becomes of what a kustomization lists no longer: upstream's CRDs, or anything else."""
    if "://" not in address and VENDORED not in address:
        return "Argo CD prunes what it holds"
    if change.old is not None and _keeps(change.old):
        return "its CRDs stay in the cluster with all objects of their kinds (Prune=false)"
    return "its CRDs go, and with them every object of their kinds"


def _keeps(unit: Unit) -> bool:
    patches = unit.value.get("patches")
    return any(
        _mapping(_mapping(each).get("target")).get("kind") == "CustomResourceDefinition"
        and facts.KEPT in str(_mapping(each).get("patch"))
        for each in _list(patches)
    )


def _list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401
    return value if isinstance(value, dict) else {}
