"""Applies JSON patches (RFC 6902) to rendered objects, as Kustomize will: one that does not apply fails a whole build.

Written here rather than taken from a library, as little is needed, with the strictness of the one Kustomize uses:
github.com/evanphx/json-patch.
"""

from __future__ import annotations

import copy
from typing import Any

# What each operation needs beside its path.
_OPERATIONS = {"add": "value", "copy": "from", "move": "from", "remove": "", "replace": "value", "test": "value"}
_MOST_COPIED = 100_000  # a copy into what is copied doubles it each time


class PatchError(ValueError):
    """An operation finds nothing to work on; the message names it."""


def operation_fault(operation: Any) -> str:  # noqa: ANN401 - any YAML value
    """What keeps a value from being an operation, "" for nothing."""
    if not isinstance(operation, dict) or str(operation.get("op")) not in _OPERATIONS:
        return f"needs `op`, one of {', '.join(_OPERATIONS)}"
    if not str(operation.get("path", "")).startswith("/"):
        return "needs `path`, which starts with a slash"
    if not str(operation.get("from", "/")).startswith("/"):
        return "needs a `from` which starts with a slash"
    needed = _OPERATIONS[operation["op"]]
    return f"needs `{needed}`" if needed and needed not in operation else ""


def applied(value: Any, operations: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - any YAML value
    """What the operations make of a value, which is not changed. Raises PatchError when one of them fails."""
    document = copy.deepcopy(value)
    room = _MOST_COPIED
    for number, operation in enumerate(copy.deepcopy(operations), start=1):
        try:
            if operation["op"] == "copy":
                room -= _count(_get(document, _steps(operation["from"])))
                if room < 0:
                    raise PatchError(f"the patch copies more than {_MOST_COPIED:,} values")
            document = _apply(document, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            what = f"operation {number} ({operation['op']} {operation['path']})"
            reason = str(error) if isinstance(error, PatchError) else "there is no such place"
            raise PatchError(f"{what}: {reason}") from None
    return document


def _count(value: Any) -> int:  # noqa: ANN401 - any YAML value
    """How many values there are in one."""
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


def _apply(document: Any, operation: dict[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
    name, path = operation["op"], _steps(operation["path"])
    if name == "test":
        if _get(document, path) != operation["value"]:
            raise PatchError("the value there is another one")
        return document
    if name in ("move", "copy"):
        origin = _steps(operation["from"])
        value = copy.deepcopy(_get(document, origin))
        if name == "move":
            document = _remove(document, origin)
        return _add(document, path, value)
    if name == "remove":
        return _remove(document, path)
    if name == "replace":
        _get(document, path)
        document = _remove(document, path) if path else document
    return _add(document, path, operation["value"])


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _get(document: Any, path: list[str]) -> Any:  # noqa: ANN401 - any YAML value
    for step in path:
        document = document[_index(step, len(document))] if isinstance(document, list) else document[step]
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:  # noqa: ANN401 - any YAML value
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent) + 1), value)
    else:
        parent[last] = value
    return document


def _remove(document: Any, path: list[str]) -> Any:  # noqa: ANN401 - any YAML value
    parent, last = _get(document, path[:-1]), path[-1]
    del parent[_index(last, len(parent)) if isinstance(parent, list) else last]
    return document


def _index(step: str, size: int) -> int:
    if not step.isdigit() or int(step) >= size:
        raise PatchError(f"the list has no entry {step}")
    return int(step)
