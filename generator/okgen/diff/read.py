"""Reads the files of a tree as data, within limits: what is compared may come from anyone's pull request."""

from __future__ import annotations

from typing import Any

from okgen.diff import nouns
from okgen.diff.nouns import Unit
from okgen.problem import Refused
from okgen.read import source
from okgen.read.json import loads

_MOST_KEPT = 512  # texts
_MOST_LEVELS = 100
STACK = "iam/cloudformation.yaml"


class Unreadable(Exception):  # noqa: N818 - it is a verdict on a file, not a fault of the program
    """The file is not what stands in such a place; the message says why, in a few words."""


class Reader:
    """Reads each text once; clusters share many."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Unit | Unreadable] = {}

    def unit(self, path: str, text: str) -> Unit | Unreadable:
        """What a file holds, or why that cannot be told; as ``unit`` below."""
        key = path, text
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            try:
                found = unit(path, text)
            except Unreadable as unreadable:
                found = unreadable
            self._kept[key] = found
        return found


def unit(path: str, text: str) -> Unit:
    """What a file holds. Raises Unreadable."""
    if len(text) > source.MOST_BYTES:
        raise Unreadable("larger than 1 MiB")
    folder, _, name = path.rpartition("/")
    if name.endswith(".json"):
        form = nouns.TRUST if name.endswith(".trust.json") else nouns.POLICY
        kind = "IAM trust" if form == nouns.TRUST else "IAM policy"
        return Unit(form, "", "", kind, "", name.partition(".")[0], _json(text))
    if not name.endswith((".yaml", ".yml")):
        return as_text(path, text)
    value = _yaml(text, path)
    if not isinstance(value, dict):
        raise Unreadable("no mapping")
    if path == STACK:
        return Unit(nouns.STACK, "", "", "CloudFormation", "", "template", value)
    if name == "kustomization.yaml":
        return Unit(nouns.KUSTOMIZE, "", "", "Kustomization", "", folder, value)
    return of_object(value)


def as_text(path: str, text: str) -> Unit:
    """A file as nothing but text."""
    return Unit(nouns.TEXT, "", "", "file", "", path, text)


def of_object(value: dict[str, Any]) -> Unit:
    """A Kubernetes object. Raises Unreadable for anything else."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        raise Unreadable("no Kubernetes object")
    named = (value.get("apiVersion"), value.get("kind"), metadata.get("name"), metadata.get("namespace", ""))
    if not all(isinstance(each, str) for each in named) or not all(named[:3]):
        raise Unreadable("no Kubernetes object")
    api, kind, name, namespace = map(str, named)
    group, _, version = api.rpartition("/")
    return Unit(nouns.KUBERNETES, group, version, kind, namespace, name, value)


def _yaml(text: str, path: str) -> Any:  # noqa: ANN401 - any plain data
    # As fast as libyaml's loader for files of this size, and it counts aliases and levels.
    try:
        return source.parse(text.encode(errors="surrogatepass"), path).data
    except Refused as refused:
        first = refused.problems[0]
        raise Unreadable(f"line {first.line}: {first.message}") from None


def _json(text: str) -> Any:  # noqa: ANN401 - any plain data
    try:
        value = loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unreadable("no JSON object")
    if _levels(value) > _MOST_LEVELS:
        raise Unreadable(f"more than {_MOST_LEVELS} levels")
    return value


def _levels(value: Any) -> int:  # noqa: ANN401
    """How deep mappings and lists lie in one another, counted without descending into the stack."""
    count, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        count += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return count
