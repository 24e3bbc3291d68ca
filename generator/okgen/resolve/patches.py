"""Users' Kustomize patches, read and judged; Kustomize itself applies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.problem import Path, Problem, Refused
from okgen.read import source
from okgen.resolve import patch_files
from okgen.resolve.cluster import Patch
from okgen.resolve.jsonpatch import operation_fault

if TYPE_CHECKING:
    from okgen.read.source import Document

_TOGETHER = 512 * 1024  # characters of all patches of an add-on: one file may be named many times


def read(
    document: Document, addon: str, given: list[dict[str, Any]], root: str, problems: list[Problem]
) -> tuple[Patch, ...]:
    """The patches of an add-on with their text; what is wrong with one is added to ``problems``."""
    found = []
    judged: set[str] = set()
    room = _TOGETHER
    for index, entry in enumerate(given):
        path: Path = ("addons", addon, "patches", index)
        try:
            text = _text(document, path, entry, root)
            room -= len(text)
            if room < 0:
                message = f"the patches of {addon} hold more than {_TOGETHER:,} characters together"
                problems.append(document.problem("OKG322", path, message, "select more objects by one target"))
                break
            if text not in judged:
                _judge(document, (*path, "patch" if "patch" in entry else "path"), text)
                judged.add(text)
        except Refused as refused:
            problems += refused.problems
        else:
            found.append(Patch(index, entry["target"], text))
    return tuple(found)


def _text(document: Document, path: Path, entry: dict[str, Any], root: str) -> str:
    if ("patch" in entry) is ("path" in entry):
        message = (
            "a patch has either `patch` or `path`, not both" if "patch" in entry else "the patch itself is missing"
        )
        raise Refused(
            [document.problem("OKG322", path, message, "write it under `patch`, or name its file under `path`")]
        )
    if "patch" in entry:
        return str(entry["patch"])
    return _file(document, (*path, "path"), entry["path"], root)


def _file(document: Document, path: Path, name: str, root: str) -> str:
    try:
        return patch_files.text(document.file, name, root)
    except patch_files.UnfitError as unfit:
        raise Refused([document.problem("OKG323", path, str(unfit), unfit.way_out)]) from None


def _judge(document: Document, path: Path, text: str) -> None:
    """Whether Kustomize will understand the patch. Raises Refused."""
    try:
        parsed = source.parse(text.encode(), document.file).data
    except Refused as refused:
        raise Refused([_inside(document, path, problem) for problem in refused.problems]) from None
    if isinstance(parsed, list):
        for number, operation in enumerate(parsed):
            reason = operation_fault(operation)
            if reason:
                message = f"operation {number + 1} of the patch {reason}"
                raise Refused([document.problem("OKG322", path, message, "see RFC 6902, JSON Patch")])
    elif not isinstance(parsed, dict):
        message = "a patch is a mapping (strategic merge) or a list of operations (JSON 6902)"
        raise Refused([document.problem("OKG322", path, message)])
    elif not _is_object(parsed):
        message = "a strategic merge patch needs `kind` and `metadata.name`, or Kustomize does not take it for one"
        raise Refused([document.problem("OKG322", path, message, "any name does: the target says what is patched")])


def _is_object(patch: dict[str, Any]) -> bool:
    """Whether Kustomize reads this as an object (its `resource.Factory` asks for both)."""
    metadata = patch.get("metadata")
    return all(
        isinstance(each, str) and each != ""
        for each in (patch.get("kind"), metadata.get("name") if isinstance(metadata, dict) else None)
    )


def _inside(document: Document, path: Path, problem: Problem) -> Problem:
    return document.problem("OKG322", path, f"line {problem.line} of the patch: {problem.message}", problem.help)
