"""Strategic merge patches: made where they say an edit exactly, and applied as Kustomize applies them.

Kustomize finds the elements of some lists by name, and moves those that a patch names to the front. Known here are the
lists of pods and webhooks; any other list is replaced whole, or merged in ways that only Kustomize's schemas tell.
"""

from __future__ import annotations

import copy
import json
from typing import Any

Path = tuple[str, ...]

_POD = ("spec", "template", "spec")
_ANY = "*"  # any element, in the path of a list
_IN_PODS: frozenset[Path] = frozenset(
    (*_POD, *rest)
    for rest in (
        ("containers",),
        ("containers", _ANY, "env"),
        ("initContainers",),
        ("initContainers", _ANY, "env"),
        ("volumes",),
    )
)
_IN_WEBHOOKS: frozenset[Path] = frozenset([("webhooks",)])
_BY_NAME: dict[str, frozenset[Path]] = {
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "StatefulSet"), _IN_PODS),
    **dict.fromkeys(("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"), _IN_WEBHOOKS),
}
# Kustomize reads these by itself; a null becomes the text "null" there.
_TEXTS = (("metadata", "labels"), ("metadata", "annotations"))


class InexpressibleError(ValueError):
    """A patch of this form cannot say it, or it is not known here what comes of one."""


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Whether two values are equal for a reader of YAML, who tells 1, 1.0, "1" and true apart."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def make(base: dict[str, Any], edited: dict[str, Any]) -> dict[str, Any]:
    """The patch that turns an object into the edited one. Raises InexpressibleError."""
    lists = _BY_NAME.get(base["kind"], frozenset())
    changes = _mapping(base, edited, (), lists)
    metadata = {key: base["metadata"][key] for key in ("name", "namespace") if key in base["metadata"]}
    identity = {"apiVersion": base["apiVersion"], "kind": base["kind"]}
    patch = {**identity, "metadata": {**metadata, **changes.pop("metadata", {})}, **changes}
    if not same(applied(base, patch), edited):
        raise InexpressibleError("the order of a list would be another")
    return patch


def applied(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The object that Kustomize makes of one and a patch for it. Raises InexpressibleError where that is not known."""
    lists = _BY_NAME.get(base["kind"], frozenset())
    metadata = {key: value for key, value in patch["metadata"].items() if key not in ("name", "namespace")}
    changes = {key: value for key, value in patch.items() if key not in ("apiVersion", "kind", "metadata")}
    return _merged(base, {**changes, **({"metadata": metadata} if metadata else {})}, (), lists)


def _mapping(base: dict[str, Any], edited: dict[str, Any], path: Path, lists: frozenset[Path]) -> dict[str, Any]:
    if base.keys() - edited.keys():
        raise InexpressibleError("a key is gone")
    found = {}
    for key, value in edited.items():
        if key not in base:
            _check_new(value)
            found[key] = value
        elif not same(base[key], value):
            found[key] = _change(base[key], value, (*path, key), lists)
    return found


def _check_new(value: Any) -> None:  # noqa: ANN401 - any YAML value
    if value is None:
        raise InexpressibleError("null would take a key away")
    if isinstance(value, dict) and any(key.startswith("$") for key in value):
        raise InexpressibleError("it holds a word of the patch language")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_new(each)


def _change(base: Any, edited: Any, path: Path, lists: frozenset[Path]) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(base, dict) and isinstance(edited, dict):
        return _mapping(base, edited, path, lists)
    if isinstance(base, list) and isinstance(edited, list) and path in lists:
        return _elements(base, edited, path, lists)
    if any(each is None or isinstance(each, dict | list) for each in (base, edited)):
        raise InexpressibleError("not one scalar for another")
    return edited


def _elements(base: list[Any], edited: list[Any], path: Path, lists: frozenset[Path]) -> list[Any]:
    """The elements up to the last that was changed, with nothing but their names where they were not."""
    names = _names(base)
    if names is None or names != _names(edited):
        raise InexpressibleError("elements came or went")
    last = max(place for place, old in enumerate(base) if not same(old, edited[place]))
    return [
        {"name": name, **_mapping(old, new, (*path, _ANY), lists)}
        for name, old, new in zip(names[: last + 1], base, edited, strict=False)
    ]


def _names(elements: list[Any]) -> list[str] | None:
    """The names of the elements; None where one has none, or two have the same."""
    names = [each.get("name") if isinstance(each, dict) else None for each in elements]
    known = [name for name in names if isinstance(name, str)]
    return known if len(set(known)) == len(names) else None


def _merged(base: dict[str, Any], patch: dict[str, Any], path: Path, lists: frozenset[Path]) -> dict[str, Any]:
    found = copy.deepcopy(base)
    for key, value in patch.items():
        if key.startswith("$"):
            raise InexpressibleError(f"what {key} does is not known here")
        if value is None and path in _TEXTS:
            raise InexpressibleError("Kustomize would write null as a text there")
        if value is None:
            found.pop(key, None)
        elif key not in found:
            _check_new(value)
            found[key] = copy.deepcopy(value)
        else:
            found[key] = _combined(found[key], value, (*path, key), lists)
    return found


def _combined(base: Any, patch: Any, path: Path, lists: frozenset[Path]) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(base, dict) and isinstance(patch, dict):
        return _merged(base, patch, path, lists)
    if isinstance(base, list) and isinstance(patch, list) and path in lists:
        return _joined(base, patch, path, lists)
    if any(isinstance(each, dict | list) for each in (base, patch)):
        raise InexpressibleError("what comes of this list or mapping is not known here")
    return patch


def _joined(base: list[Any], patch: list[Any], path: Path, lists: frozenset[Path]) -> list[Any]:
    names, wanted = _names(base), _names(patch)
    if names is None or wanted is None:
        raise InexpressibleError("elements without names of their own")
    old = dict(zip(names, base, strict=True))
    first = [_merged(old.get(name, {}), each, (*path, _ANY), lists) for name, each in zip(wanted, patch, strict=True)]
    return first + [each for name, each in old.items() if name not in wanted]
