"""Which statement of an add-on's iam.yaml a statement in the rendered IAM files is, or is a piece of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.provenance import fields
from okgen.provenance.tracing import plain
from okgen.render.cloudformation import logical_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.problem import Path

_LISTS = ("Resource", "Action")


def files_of(addon: str, files: Iterable[str]) -> list[str]:
    """The policies of an add-on in their order."""
    found = [file for file in files if re.fullmatch(rf"iam/{re.escape(addon)}\.policy(-\d+)?\.json", file)]
    return sorted(found, key=lambda file: (len(file), file))


def statement_of(addon: str, name: str, leaf: Path) -> tuple[int, Path] | None:
    """For a field of a file below ``iam/``: the number of the policy, from 0, and the path below its statements."""
    if name == "cloudformation.yaml" and leaf[:1] == ("Resources",):
        found = re.fullmatch(rf"{logical_name(addon)}Policy(\d*)", str(leaf[1]))
        inside = leaf[2:5] == ("Properties", "PolicyDocument", "Statement")
        return (int(found[1] or 1) - 1, leaf[5:]) if found and inside else None
    found = re.fullmatch(rf"{re.escape(addon)}\.policy(?:-(\d+))?\.json", name)
    return (int(found[1] or 1) - 1, leaf[1:]) if found and leaf[0] == "Statement" else None


def mark_of(statement: dict[str, Any], path: Path, originals: list[Any]) -> Any:  # noqa: ANN401 - a mark
    """The mark of a value in a rendered statement; ``originals`` are the marked ones. None for what has none."""
    original = next((each for each in originals if _is_part(statement, plain(each))), None)
    if original is None:
        return None
    if len(path) == 2 and path[0] in _LISTS:  # noqa: PLR2004 - a list and a place in it
        whole = original[path[0]]
        wanted = fields.at(statement, path)
        return next((each for each in whole if plain(each) == wanted), None)
    return fields.at(original, path)


def _is_part(statement: dict[str, Any], original: dict[str, Any]) -> bool:
    """Whether this is that statement, or has some of its resources and actions."""
    if statement == original:
        return True
    sid = str(original.get("Sid", ""))
    same = re.fullmatch(rf"{re.escape(sid)}(Part\d+)?", str(statement.get("Sid", "")))
    return bool(same) and all(
        key == "Sid" or value == original.get(key) or (key in _LISTS and set(value) <= set(original.get(key, [])))
        for key, value in statement.items()
    )
