"""What changed arguments of a DNS controller do to the records in the zones, as the add-on's definition has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.diff.facts import CONTAINERS, POD_TEMPLATES
from okgen.diff.nouns import CHANGED
from okgen.diff.words import ARROW, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.diff.nouns import Change, Field, Unit

_LEFT = "they stay in the zone, and nothing updates or deletes them any more"


class Records(NamedTuple):
    """Lines with the arguments that changed, what each does to records, and the fields that are told with it."""

    lines: tuple[str, ...]
    notes: tuple[str, ...]
    fields: tuple[Field, ...]


def of(change: Change, definition: dict[str, Any]) -> Records | None:
    """What an object's change does to records; None where that is nothing, or it is no controller of them.

    ``definition``: ``records`` of the add-on's addon.yaml.
    """
    template = POD_TEMPLATES.get((change.unit.group, change.unit.kind))
    if template is None or change.state != CHANGED or not definition:
        return None
    old, new = _flags(change.old), _flags(change.new)
    policy = definition["policy"]
    deletes = any(each in definition["deleting"] for each in new.get(policy, []))
    lines: list[str] = []
    notes: list[str] = []
    told: set[str] = set()
    for flag in sorted({**old, **new}, key=lambda each: each != policy):
        before, after = old.get(flag, []), new.get(flag, [])
        if sorted(before) == sorted(after) or flag not in {policy, *definition["arguments"]}:
            continue
        told.add(flag)
        lines.append(_line(flag, before, after))
        if flag == policy:
            notes += _policy(before, after, definition["deleting"])
        else:
            notes += _effect(definition["arguments"][flag], before, after, deletes=deletes)
    fields = tuple(each for each in change.fields if _flag_of(each) in told)
    return Records(tuple(lines), tuple(notes), fields) if lines else None


def _line(flag: str, before: list[str], after: list[str]) -> str:
    if len(before) == len(after) == 1:
        return f"~ {flag}: {value_of(before[0])} {ARROW} {value_of(after[0])}"
    gone, came = _moved(before, after)
    return f"~ {flag}: " + ", ".join(
        [*(f"-{value_of(each)}" for each in gone), *(f"+{value_of(each)}" for each in came)]
    )


def _policy(before: list[str], after: list[str], deleting: list[str]) -> Iterator[str]:
    was, now = (any(each in deleting for each in side) for side in (before, after))
    if now and not was:
        yield (
            "deleted from now on: records of this owner id that no object asks for, those that earlier removals left "
            "behind included"
        )
    elif was and not now:
        yield "orphaned from now on: records of objects that go; they stay in the zone"


def _effect(entry: dict[str, Any], before: list[str], after: list[str], *, deletes: bool) -> Iterator[str]:
    """What happens to records by one argument."""
    gone, came = _moved(before, after)
    loses = entry["loses"]
    lost = {
        "any": bool(gone or came),
        "fewer": bool(gone and after) or bool(came and not before),
        "gone": bool(gone),
        "more": bool(came),
    }[loses]
    if lost:
        values = came if loses == "more" or not gone else gone
        records = entry["records"].replace("{values}", ", ".join(map(value_of, values)))
        if loses == "fewer" and not gone:
            records = entry.get("others", records).replace("{values}", ", ".join(map(value_of, came)))
        if entry["then"] == "unwanted" and deletes:
            yield f"deleted: {records}"
        else:
            yield f"orphaned: {records}; {_LEFT}"
    if "also" in entry and (gone or came):
        yield entry["also"]


def _moved(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """The values that go, and those that come."""
    old, new = set(before), set(after)
    return [each for each in before if each not in new], [each for each in after if each not in old]


def _flags(unit: Unit | None) -> dict[str, list[str]]:
    """The values of each flag of the containers of a workload; "" for one without a value."""
    found: dict[str, list[str]] = {}
    spec = unit.value if unit is not None else None
    for step in ("spec", "template", "spec"):
        spec = spec.get(step) if isinstance(spec, dict) else None
    for name in CONTAINERS:
        containers = spec.get(name) if isinstance(spec, dict) else None
        for each in containers if isinstance(containers, list) else []:
            arguments = each.get("args") if isinstance(each, dict) else None
            for argument in arguments if isinstance(arguments, list) else []:
                flag, _, value = str(argument).partition("=")
                if flag.startswith("--"):
                    found.setdefault(flag, []).append(value)
    return found


def _flag_of(field: Field) -> str:
    value = field.old if field.op == "remove" else field.new
    return value.partition("=")[0] if "args" in field.path and isinstance(value, str) else ""
