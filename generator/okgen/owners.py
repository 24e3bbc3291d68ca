"""From a place in a rendered tree to the cluster.yaml that renders it."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from okgen.judge.schema import load
from okgen.problem import Refused, Unable
from okgen.read import inputs, source
from okgen.repository import above, root_of
from okgen.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.read.inputs import Input


def owner(path: str, cluster: str | None, output: str | None, hint: str) -> Input:
    """The input that renders into a folder around an absolute path, or into that folder itself.

    ``cluster`` names it, or None: then it is looked for in the repository, outside of one in the folders above.
    ``output``: as the option. ``hint``: what to do where there is none. Raises Unable where there is no one answer.
    """
    shown = harmless(os.path.relpath(path))
    found = [each for each in _candidates(path, cluster) if _may_hold(each, path, output)]
    if not found:
        what = "" if os.path.lexists(path) else "no such file, and "
        if cluster is not None:
            raise Unable(f"{shown}: {what}{harmless(cluster)} renders nothing there")
        raise Unable(f"{shown}: {what}no cluster.yaml here renders into a folder that holds it{hint}")
    if len(found) > 1:
        names = ", ".join(harmless(each.file) for each in found)
        raise Unable(f"{shown}: several files render there; say which by --cluster: {names}")
    return found[0]


def _candidates(path: str, cluster: str | None) -> Iterable[Input]:
    """The inputs that may render a file: those of its repository, or of the folders around it where it has none."""
    if cluster is not None:
        return inputs.find([cluster])
    root = root_of(os.path.dirname(path))
    if root is not None:
        return _found([root])
    named = [name for folder in above(path) for name in _named(folder)]
    return _found(named) if named else []


def _named(folder: str) -> list[str]:
    try:
        names = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if inputs.is_cluster(name)]
    except OSError:
        return []
    return [each for each in names if os.path.isfile(each)]


def _found(names: list[str]) -> list[Input]:
    try:
        return inputs.find(names)
    except Unable:
        return []


def _may_hold(given: Input, path: str, output: str | None) -> bool:
    """Whether the tree of an input, which may be wrong in all else, has its folder around a path."""
    try:
        data = source.read(given.path, given.file).data
    except (Refused, Unable):
        return False
    name = _text(data, "metadata", "name")
    folder = os.path.normpath(os.path.join(parent(given, data, output), name))
    return bool(name) and os.path.commonpath([folder, path]) == folder


def parent(given: Input, data: Any, output: str | None) -> str:  # noqa: ANN401 - any YAML value
    """The folder that holds the tree of an input, which may be wrong; ``data`` is what it says."""
    path = _text(data, "gitops", "path") or _default_path()
    return os.path.abspath(output) if output else os.path.normpath(os.path.join(given.root, path))


@cache
def _default_path() -> str:
    found: str = load("cluster")["properties"]["gitops"]["properties"]["path"]["default"]
    return found


def _text(data: Any, *steps: str) -> str:  # noqa: ANN401 - any YAML value
    for step in steps:
        data = data.get(step) if isinstance(data, dict) else None
    return data if isinstance(data, str) else ""
