"""What Kustomize builds of the objects and the ``patches`` of one folder, as far as that can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.patching import merge
from okgen.patching.elements import InexpressibleError
from okgen.problem import Refused
from okgen.read import source
from okgen.render.manifest import Manifest
from okgen.render.targets import selects
from okgen.resolve.jsonpatch import PatchError, operation_fault
from okgen.resolve.jsonpatch import applied as json_applied
from okgen.resolve.selector import SelectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Object = dict[str, Any]

CRD = "CustomResourceDefinition"
# Characters of patches, each as often as it is applied, and as many of an object: a hostile tree may have any number.
_MOST, _BESIDE = 4_000_000, 2_000
_TARGET_KEYS = frozenset(("group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"))


class Built(NamedTuple):
    """What patches make of objects. All by file, for those that a patch selects: an object's own patches by number.

    ``objects``: None for one that a patch deletes. ``unknown``: why it cannot be told what becomes of an object.
    ``others``: why it cannot be told of a patch which objects it selects, by the patch's number.
    """

    objects: Mapping[str, Object | None]
    patches: Mapping[str, tuple[int, ...]]
    unknown: Mapping[str, str]
    others: Mapping[int, str]


class _State:
    """One object on its way through the patches."""

    def __init__(self, value: Object) -> None:
        self.value: Object | None = value
        self.patches: list[int] = []
        self.unknown = ""
        self._original = described(value)

    def is_selected(self, target: dict[str, str]) -> bool:
        """By what it is now or, for its name and namespace, was. Raises SelectorError."""
        if self.value is None:
            return False
        now = described(self.value)
        was = now._replace(name=self._original.name, namespace=self._original.namespace)
        return selects(target, now) or (was != now and selects(target, was))

    def patch(self, number: int, patch: Any) -> None:  # noqa: ANN401 - a patch as parsed
        """Apply one, unless it cannot be told any more what there is to apply it to."""
        self.patches.append(number)
        if self.unknown or self.value is None:
            return
        try:
            self.value = applied(self.value, patch)
            if self.value is not None:
                described(self.value)
        except (InexpressibleError, PatchError) as error:
            self.unknown = str(error)


def build(objects: Mapping[str, Object], patches: Sequence[Any]) -> Built:
    """``objects`` by file, as rendered; ``patches`` as they stand in a kustomization."""
    states = {file: _State(value) for file, value in objects.items()}
    others: dict[int, str] = {}
    room = _MOST
    for number, entry in enumerate(patches):
        try:
            target, patch = _read(entry)
            chosen = [each for each in states.values() if each.is_selected(target)]
        except (InexpressibleError, SelectorError) as error:
            others[number] = str(error)
            continue
        room -= len(chosen) * (len(str(entry["patch"])) + _BESIDE)
        if room < 0:
            others[number] = "there is too much to work out"
            break
        for each in chosen:
            each.patch(number, patch)
    touched = {file: each for file, each in states.items() if each.patches}
    return Built(
        {file: each.value for file, each in touched.items() if not each.unknown},
        {file: tuple(each.patches) for file, each in touched.items()},
        {file: each.unknown for file, each in touched.items() if each.unknown},
        others,
    )


def applied(value: Object, patch: Any) -> Object | None:  # noqa: ANN401 - a patch as parsed
    """The object that Kustomize makes of one and a patch; None when it is deleted.

    Raises InexpressibleError where that is not known here, PatchError where Kustomize fails.
    """
    if isinstance(patch, dict):
        return merge.applied(value, patch)
    if not isinstance(patch, list) or any(map(operation_fault, patch)):
        raise InexpressibleError("it is neither a strategic merge patch nor a JSON 6902 patch")
    found = json_applied(value, patch)
    if not isinstance(found, dict):
        raise InexpressibleError("no object is left")
    return _annotated(found)


def parsed(text: str) -> Any:  # noqa: ANN401 - a patch as parsed
    """A patch as Kustomize reads it, which cuts off the line ends around its text. Raises Refused."""
    return source.parse(text.strip().encode(), "").data


def described(value: Object) -> Manifest:
    """What targets ask of an object. Raises InexpressibleError where it is none."""
    metadata = value.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    texts = [value.get("apiVersion"), value.get("kind"), named.get("namespace", ""), named.get("name")]
    labels, annotations = (named.get(key) or {} for key in ("labels", "annotations"))
    if not all(isinstance(each, str) for each in texts) or not _is_texts(labels) or not _is_texts(annotations):
        raise InexpressibleError("it is no object any more")
    api, kind, namespace, name = map(str, texts)
    return Manifest("", "", api, kind, namespace, name, labels, annotations)


def _read(entry: Any) -> tuple[dict[str, str], Any]:  # noqa: ANN401 - any YAML value
    """The target and the patch of an entry. Raises InexpressibleError."""
    known = entry if isinstance(entry, dict) else {}
    if not isinstance(known.get("patch"), str) or not known.keys() <= {"target", "patch"}:
        raise InexpressibleError("it is more than a target and a patch")
    try:
        patch = parsed(known["patch"])
    except Refused as refused:
        raise InexpressibleError(f"its text is no YAML: {refused.problems[0].message}") from None
    target = known.get("target")
    if target is None and isinstance(patch, dict):
        found = described(patch)
        group, _, version = found.api_version.rpartition("/")
        fields = {"group": group, "version": version, "kind": found.kind, "namespace": found.namespace}
        exact = {key: _literal(value) for key, value in {**fields, "name": found.name}.items() if value}
        return exact, patch
    if not isinstance(target, dict) or not _is_texts(target) or not target.keys() <= _TARGET_KEYS:
        raise InexpressibleError("its target is not made of texts")
    return target, patch


def _literal(text: str) -> str:
    """A pattern for that text alone."""
    return "".join(each if each.isalnum() or each in "-_:" else f"\\{each}" for each in text)


def _annotated(value: Object) -> Object:
    """An object as Kustomize leaves it behind a JSON patch: without annotations where there are none."""
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and metadata.get("annotations", 0) in ({}, None):
        return {**value, "metadata": {key: item for key, item in metadata.items() if key != "annotations"}}
    return value


def _is_texts(value: Any) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
