"""Applies strategic merge patches as Kustomize does: kyaml's walk (yaml/walk, yaml/merge2) in Python.

Its oddities are kept: what a patch names in a merged list moves to the front, elements without their key fall together,
a null in the patch takes a key away. What rests on how a value was spelled cannot be told from data and is refused.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from okgen.patching import elements, lists
from okgen.patching.elements import InexpressibleError
from okgen.resolve.jsonpatch import PatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from okgen.patching.lists import Keys, Path

_MISSING = object()  # nothing is there, or is left
_NULL = object()  # a null that stays: the object's own, which no patch mentions
_DIRECTIVE = "$patch"
_DIRECTIVES = ("replace", "delete", "merge")
_TEXTS = ("labels", "annotations")


def applied(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any] | None:
    """The object that comes of one and of a patch aimed at it; None when the patch deletes it.

    Raises InexpressibleError where that is not known here, PatchError where Kustomize fails.
    """
    api, kind = str(base["apiVersion"]), str(base["kind"])
    if not lists.is_known(api, kind):
        _check_nested(base, ())
    walk = _Walk(lists.of(api, kind))
    found = walk.any(copy.deepcopy(base), _loaded(patch, api), ())
    if not isinstance(found, dict) or not found:
        return None
    return _identified(found, base)


def _loaded(patch: dict[str, Any], api: str) -> dict[str, Any]:
    """A patch as Kustomize reads it before it merges: labels and annotations are texts, empty ones are gone."""
    loaded: dict[str, Any] = copy.deepcopy(patch)
    loaded["apiVersion"] = api
    metadata = loaded.get("metadata")
    if not isinstance(metadata, dict):
        raise InexpressibleError("a patch without metadata")
    for name in _TEXTS:
        texts = metadata.get(name)
        if texts is None or texts == {}:
            metadata.pop(name, None)
        elif not isinstance(texts, dict) or not all(isinstance(each, str) for each in texts.values()):
            raise InexpressibleError(f"Kustomize turns what metadata.{name} says into text, as it is spelled")
    return loaded


def _identified(found: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """A merged object with the kind, name and namespace that it had."""
    found["kind"] = base["kind"]
    metadata, own = found.get("metadata"), base["metadata"]
    if metadata is None:
        metadata = found["metadata"] = {}
    metadata["name"] = own["name"]
    if own.get("namespace"):
        metadata["namespace"] = own["namespace"]
    else:
        metadata.pop("namespace", None)
    return found


def _check_nested(value: Any, path: Path) -> None:  # noqa: ANN401 - any YAML value
    """Kustomize takes a mapping with kind and apiVersion in an unknown object for an object of that kind."""
    if isinstance(value, dict):
        if path and lists.of(str(value.get("apiVersion")), str(value.get("kind"))):
            raise InexpressibleError(f"{'.'.join(path)} is an object within the object")
        for key, inner in value.items():
            _check_nested(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            _check_nested(inner, (*path, lists.ANY))


class _Walk:
    """Goes through an object and a patch at once. What it returns may be the very values it was given, changed."""

    def __init__(self, merged: Mapping[Path, Keys]) -> None:
        self._merged = merged

    def any(self, old: Any, patch: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
        """What comes of a value and the patch's; _MISSING or None for nothing, _NULL for a null that stays."""
        kind = _kind(old) or _kind(patch) or dict
        for each in (old, patch):
            if _kind(each) not in (None, kind):
                raise PatchError(f"{'.'.join(path)} is of another type in the patch than in the object")
        if kind is dict:
            return self._mapping(old, patch, path)
        keys = self._merged.get(path) if kind is list else None
        if keys is None:
            return old if patch is _MISSING else patch
        return self._list(old, patch, path, keys)

    def _mapping(self, old: Any, patch: Any, path: Path) -> Any:  # noqa: ANN401
        if old is _MISSING or old is None:
            if patch is _MISSING:
                return _NULL if old is None else _MISSING
            if isinstance(patch, dict) and patch.get(_DIRECTIVE) in _DIRECTIVES and patch.pop(_DIRECTIVE) == "delete":
                return _MISSING
            found = patch
        elif patch is None:
            return _MISSING
        else:
            directive = _directive(patch)
            if directive == "delete":
                return _MISSING
            found = patch if directive == "replace" else old
        if not isinstance(found, dict):
            return found
        for key in sorted({*found, *(patch if isinstance(patch, dict) else ())}):
            new = patch.get(key, _MISSING) if isinstance(patch, dict) else _MISSING
            value = self.any(found.get(key, _MISSING), new, (*path, str(key)))
            if value is _MISSING or value is None:
                found.pop(key, None)
            else:
                found[key] = None if value is _NULL else value
        return found

    def _list(self, old: Any, patch: Any, path: Path, keys: Keys) -> Any:  # noqa: ANN401
        if old is _MISSING or old is None:
            found = patch
        elif patch is None:
            return _MISSING
        else:
            directive = _list_directive(patch) if isinstance(patch, list) else ""
            if directive == "delete":
                return _MISSING
            found = patch if directive == "replace" else old
        both = (patch, found) if isinstance(patch, list) else (found,)
        if not keys:
            return elements.united(both)
        return self._elements(found, both, path, keys)

    def _elements(self, found: list[Any], both: tuple[list[Any], ...], path: Path, keys: Keys) -> list[Any]:
        """The elements of the patch first, each with what was there; then the others."""
        elements.check(both, keys)
        named = elements.values(both, keys)
        merged: list[Any] = []
        valid: Keys = keys
        for values in named:
            valid, wanted = elements.valid(named, values, keys)
            old = elements.matching(found, valid, wanted, _MISSING)
            new = elements.matching(both[0], valid, wanted, _MISSING) if len(both) > 1 else _MISSING
            value = self.any(old, new, (*path, lists.ANY))
            if not isinstance(value, dict) or not value:
                elements.put(found, None, valid, wanted)
                continue
            for key, text in zip(valid, wanted, strict=True):
                if key not in value and text:
                    value[key] = elements.spelled(both, key, text)
            elements.put(merged, value, valid, wanted)
        return elements.joined(merged, found, valid) if named else found


def _kind(value: Any) -> type | None:  # noqa: ANN401
    """What sort of value it is: a mapping, a list, a scalar (``str`` stands for all), or none."""
    if value is _MISSING or value is None:
        return None
    return dict if isinstance(value, dict) else list if isinstance(value, list) else str


def _directive(patch: Any) -> str:  # noqa: ANN401
    """What ``$patch`` in a mapping says, which is taken out of it. Raises PatchError."""
    if not isinstance(patch, dict) or _DIRECTIVE not in patch:
        return "merge"
    found = patch[_DIRECTIVE]
    if found not in _DIRECTIVES:
        raise PatchError(f"{_DIRECTIVE} is neither {', '.join(_DIRECTIVES[:2])} nor {_DIRECTIVES[2]}")
    del patch[_DIRECTIVE]
    return str(found)


def _list_directive(patch: list[Any]) -> str:
    """What an element that is nothing but ``$patch`` says of its list, from which it is taken. Raises PatchError."""
    first = next((each for each in patch if isinstance(each, dict) and _DIRECTIVE in each), None)
    if first is None or len(first) > 1:
        return "merge"
    found = first[_DIRECTIVE]
    if found not in _DIRECTIVES:
        raise PatchError(f"{_DIRECTIVE} is neither {', '.join(_DIRECTIVES[:2])} nor {_DIRECTIVES[2]}")
    elements.put(patch, None, (_DIRECTIVE,), (found,))
    return str(found)
