"""Which fields of an object the API server, or CloudFormation, does not change in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.diff import facts
from okgen.diff.nouns import CHANGED

if TYPE_CHECKING:
    from okgen.diff.facts import Immutable
    from okgen.diff.nouns import Change, Field, Path


def refused(change: Change) -> tuple[Field, ...]:
    """The fields whose change the API server refuses."""
    if change.state != CHANGED or change.old is None:
        return ()
    which = change.unit.group, change.unit.kind
    table = facts.IMMUTABLE.get(which, ())
    sealed = facts.SEALED.get(which, ()) if change.old.value.get("immutable") is True else ()
    return tuple(
        field
        for field in change.fields
        if field.path[:1] in {(name,) for name in sealed} or any(_is(each, field) for each in table)
    )


def replaced(change: Change) -> tuple[Field, ...]:
    """The fields of a CloudFormation template by whose change a resource is made anew."""
    resources = change.new.value.get("Resources") if change.new is not None else None
    found = []
    for field in change.fields:
        if len(field.path) < 4 or field.path[0] != "Resources" or not isinstance(resources, dict):  # noqa: PLR2004
            continue
        resource = resources.get(field.path[1])
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if field.path[2] == "Properties" and field.path[3] in facts.REPLACED.get(str(kind), ()):
            found.append(field)
    return tuple(found)


def _is(rule: Immutable, field: Field) -> bool:
    path = rule.path
    if not _starts(field.path, path) and not _starts(path, field.path):
        return False
    if rule.to and field.new != rule.to:
        return False
    if rule.when_set and field.op == "add":
        return False
    below = field.path[len(path) :]
    return not any(_starts(below, each) for each in rule.but)


def _starts(path: Path, start: Path) -> bool:
    """Whether a path leads through another, in which ANY stands for any step."""
    return len(path) >= len(start) and all(
        wanted in (facts.ANY, step) for step, wanted in zip(path, start, strict=False)
    )
