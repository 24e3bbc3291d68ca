"""One rendered Kubernetes object: its text and what identifies it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.emit import dump

if TYPE_CHECKING:
    from okgen.form import Formed

MANAGED_BY = "app.kubernetes.io/managed-by"
NAME = "app.kubernetes.io/name"
VERSION = "app.kubernetes.io/version"


class Manifest(NamedTuple):
    """``file`` is the name of the object's file; ``namespace`` is empty for what is cluster-scoped."""

    file: str
    text: str
    api_version: str
    kind: str
    namespace: str
    name: str
    labels: dict[str, str]
    annotations: dict[str, str]


def manifest(value: dict[str, Any], form: Formed | None = None, file: str = "") -> Manifest:
    """The manifest of an object, in a file named after it where ``file`` is empty.

    ``form`` is the same object in a form that writes many like it faster.
    """
    return head(value, file)._replace(text=dump(form or value))


def head(value: dict[str, Any], file: str = "") -> Manifest:
    """The manifest of an object but for its text."""
    metadata = value["metadata"]
    kind, name = value["kind"], metadata["name"]
    return Manifest(
        # Not every file system takes what a name may hold, such as the colon of cert-manager:leaderelection.
        file=file or re.sub(r"[^a-z0-9.-]+", "-", f"{kind}-{name}".lower()) + ".yaml",
        text="",
        api_version=value["apiVersion"],
        kind=kind,
        namespace=metadata.get("namespace", ""),
        name=name,
        labels=metadata.get("labels", {}),
        annotations=metadata.get("annotations", {}),
    )


def labelled(value: dict[str, Any], name: str, version: str) -> dict[str, Any]:
    """The object with the labels that everything okgen renders carries; the object given is not changed."""
    metadata = value.get("metadata", {})
    own = {NAME: name, **metadata.get("labels", {}), VERSION: version, MANAGED_BY: "okgen"}
    first = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    return {
        **value,
        "metadata": {**first, **metadata, "labels": own}
        if "labels" in metadata
        else {**first, "labels": own, **metadata},
    }


def distinct(manifests: list[Manifest]) -> list[Manifest]:
    """The same objects under file names that differ: where two meet, the namespace joins the name."""
    names: dict[str, int] = {}
    for each in manifests:
        names[each.file] = names.get(each.file, 0) + 1
    return [
        each
        if names[each.file] == 1
        else each._replace(file=f"{each.file.removesuffix('.yaml')}-{each.namespace}.yaml")
        for each in manifests
    ]
