"""A comparison as JSON, for programs; ``schemas/diff.schema.json`` describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from okgen import __version__
from okgen.diff.group import cells_of, verdict_of
from okgen.diff.nouns import ADDED, CHANGED, REMOVED, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.diff.nouns import Change, ClusterDiff, Field, Item

VERSION = 1


def text(diffs: Sequence[ClusterDiff], base: str | None, *, color: bool) -> str:  # noqa: ARG001 - as the others have it
    """One object; what happens in several clusters in the same way stands once."""
    listed = {
        "version": VERSION,
        "okgen": __version__,
        "base": base,
        "empty": not any(each.effects or each.state in (ADDED, REMOVED) for each in diffs),
        "clusters": [_cluster(each) for each in diffs],
        "items": _shared((each.name, _item(item)) for each in diffs for item in each.items),
        "objects": _shared((each.name, _object(change)) for each in diffs for change in each.changes),
        "built": _shared((each.name, _object(change)) for each in diffs for change in each.shown if change.built),
    }
    # Non-ASCII is escaped, so nothing but DEL could reach a terminal.
    return json.dumps(listed, indent=2).replace("\x7f", "\\u007f") + "\n"


def _shared(pairs: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Each thing once, with the clusters it is said of."""
    found: dict[str, dict[str, Any]] = {}
    for cluster, thing in pairs:
        mark = json.dumps(thing, sort_keys=True)
        named = found.setdefault(mark, {"clusters": [], **thing})["clusters"]
        if cluster not in named:
            named.append(cluster)
    return list(found.values())


def _cluster(diff: ClusterDiff) -> dict[str, Any]:
    return {
        "name": diff.name,
        "file": diff.file or None,
        "folder": diff.folder,
        "was": diff.was or None,
        "state": diff.state or "same",
        "renderedBy": diff.rendered_by or None,
        "verdict": verdict_of(diff),
        "addons": [
            {
                "addon": addon or None,
                "added": cell.added,
                "changed": cell.changed,
                "removed": cell.removed,
                "risk": cell.risk or None,
            }
            for addon, cell in cells_of(diff).items()
        ],
        "files": sorted(diff.files),
        "followers": list(diff.followers),
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "risk": item.risk,
        "addon": item.addon or None,
        "subject": item.subject,
        "lines": list(item.lines),
        "note": item.note or None,
        "causes": [
            {
                "reason": each.reason or None,
                "file": each.file or None,
                "line": each.line or None,
                "path": each.path or None,
            }
            for each in item.causes
        ],
    }


def _object(change: Change) -> dict[str, Any]:
    unit = change.unit
    known = {
        "file": change.file,
        "was": change.was or None,
        "addon": change.addon or None,
        "state": change.state,
        "form": unit.form,
        "apiVersion": "/".join(filter(None, (unit.group, unit.version))) or None,
        "kind": unit.kind,
        "namespace": unit.namespace or None,
        "name": unit.name,
        "remark": change.remark or None,
    }
    if change.state == CHANGED:
        fields = [field_of(each, folded=False) for each in change.fields]
        return {**known, "fields": [*fields, *(field_of(each, folded=True) for each in change.folded)]}
    return {**known, "old": change.old and change.old.value, "new": change.new and change.new.value}


def field_of(field: Field, *, folded: bool) -> dict[str, Any]:
    """A field as the schema has it."""
    found: dict[str, Any] = {"path": [_step(step) for step in field.path], "op": field.op, "folded": folded}
    if field.op != "add":
        found["old"] = field.old
    if field.op != "remove":
        found["new"] = field.new
    if field.at is not None:
        found["at"] = field.at
    return found


def _step(step: object) -> object:
    return dict(step.pairs) if isinstance(step, Entry) else step
