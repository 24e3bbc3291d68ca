"""Why an edit of a rendered object cannot become a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.adopt.strategic import same
from okgen.render.manifest import MANAGED_BY, NAME, VERSION
from okgen.write import index, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.write.plan import Snapshot

Path = tuple[str, ...]

_IDENTITY: tuple[Path, ...] = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
_OBJECTS: tuple[Path, ...] = (("metadata",), ("spec", "template", "metadata"))
_OWN = (MANAGED_BY, NAME, VERSION)
_KUSTOMIZE = ("config.kubernetes.io/", "internal.config.kubernetes.io/")
_UNREACHED = (
    ("README.md", "it is made from cluster.yaml, and Kustomize does not read it"),
    (index.NAME, "it is okgen's own index"),
    ("iam/", "it is for AWS, not for Kustomize: an add-on's own keys decide what its role may do"),
    ("namespaces/", "no patches reach it, as Namespaces stand outside the add-ons' folders"),
    ("argocd/", "Argo CD's objects take no patches: the keys under gitops decide what is in them"),
    ("bootstrap/", "Argo CD's objects take no patches: the keys under gitops decide what is in them"),
)


def why_not_file(path: str, snapshot: Snapshot) -> str:
    """Why no edit of this file of a tree can be adopted; "" when one can."""
    return next(_file_reasons(path, snapshot), "")


def _file_reasons(path: str, snapshot: Snapshot) -> Iterator[str]:
    yield from (why for start, why in _UNREACHED if path == start or (start.endswith("/") and path.startswith(start)))
    if path.endswith("/kustomization.yaml"):
        yield "it only lists files and patches: write patches into cluster.yaml"
    if path not in snapshot.known.files:
        yield "okgen did not write it: it is not in the index"
    if path not in snapshot.wanted:
        yield "it is not rendered any more"
    found = snapshot.found.get(path)
    if found is None:
        yield "it was deleted: write a patch with `$patch: delete`, if the object is to go"
    if found in (plan.SYMLINK, plan.FOLDER, plan.SPECIAL):
        yield f"it is a {found}, not a file"
    if found == snapshot.wanted[path]:
        yield "it is not edited: it holds what okgen writes there"
    if not snapshot.known.knows(path, snapshot.wanted[path]):
        yield (
            "cluster.yaml, or okgen, has changed since it was rendered, so that the edit cannot be told from that: "
            "undo the change, adopt the edit, and make the change again"
        )


def why_not_object(base: dict[str, Any], edited: Any) -> str:  # noqa: ANN401 - any YAML value
    """Why no patch may turn an object into the edited one; "" when one may."""
    if not isinstance(edited, dict):
        return "it holds no object any more"
    return next(_reasons(base, edited), "")


def _reasons(base: dict[str, Any], edited: dict[str, Any]) -> Iterator[str]:
    for path in _IDENTITY:
        before, now = _at(base, path), _at(edited, path)
        if not same(before, now):
            what = f"{'.'.join(path)} was changed from {_shown(before)} to {_shown(now)}"
            yield f"{what}: that makes another object, and a patch can only change one"
    for path in _OBJECTS:
        yield from _in_metadata(base, edited, path)
    yield from _keys(edited)
    if same(base, edited):
        yield "only comments or the layout were changed, which no patch can carry"


def _in_metadata(base: dict[str, Any], edited: dict[str, Any], path: Path) -> Iterator[str]:
    labels = (*path, "labels")
    for label in _OWN:
        if not same(_at(base, (*labels, label)), _at(edited, (*labels, label))):
            yield f"the label {label} is okgen's own"
    for texts in (labels, (*path, "annotations")):
        found = _at(edited, texts)
        if found is not None and not (
            isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
        ):
            yield f"{'.'.join(texts)} takes text only: put numbers, true and false in quotes"


def _keys(value: Any) -> Iterator[str]:  # noqa: ANN401 - any YAML value
    """Keys that a patch, or Kustomize, takes for something else."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not key or key.startswith("$"):
                yield f'the key "{key}" means something else in a patch'
            if key.startswith(_KUSTOMIZE):
                yield f"Kustomize keeps {key} for itself"
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _at(value: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _shown(value: Any) -> str:  # noqa: ANN401 - any YAML value
    return "nothing" if value is None else str(value)
