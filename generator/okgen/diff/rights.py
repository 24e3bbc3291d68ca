"""What a change lets Kubernetes identities do more, or less: roles, bindings, projects, pods' powers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.diff import facts
from okgen.diff.nouns import CHANGED, Entry, Field
from okgen.diff.words import ARROW, path_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.diff.nouns import Change, Unit

_CAPABILITIES = (("capabilities", "add"), ("capabilities", "drop"))
_CONTAINERS = tuple((name,) for name in facts.CONTAINERS)
_MOST_RIGHTS = 3_000  # of one role; more is told as it stands


class Rights(NamedTuple):
    """Lines on what is allowed in addition, and on what is not any more; ``fields`` are those that are told with it."""

    wider: list[str]
    narrower: list[str]
    fields: tuple[Field, ...]


class Right(NamedTuple):
    """A verb on something; ``name`` is empty for any. For a URL path ``group`` is None and ``resource`` the path."""

    group: str | None
    resource: str
    name: str
    verb: str


def of(change: Change) -> Rights:
    """The rights that an object's change gives and takes."""
    unit = change.unit
    which = unit.group, unit.kind
    if which in facts.ROLES:
        return _role(change)
    if which in facts.BINDINGS:
        return _binding(change)
    if change.state != CHANGED:
        return Rights([], [], ())
    wider: list[str] = []
    narrower: list[str] = []
    told = []
    for field in change.fields:
        said = [list(_field(unit, leaf)) for leaf in _leaves(field)]
        if _is_container(field):  # what it does without is nothing that is taken, and the other way round
            said = [[(sign, line) for sign, line in pairs if (sign == "+") is (field.op == "add")] for pairs in said]
        for sign, line in (pair for pairs in said for pair in pairs):
            (wider if sign == "+" else narrower).append(f"{sign} {line}")
        if all(said):
            told.append(field)
    return Rights(wider, narrower, tuple(told))


def _leaves(field: Field) -> Iterator[Field]:
    """The fields that come or go with a mapping, one by one; rights may be among them."""
    value = {"add": field.new, "remove": field.old}.get(field.op)
    if isinstance(value, list) and field.path[-2:] in _CAPABILITIES:
        for each in value:
            one = (None, each) if field.op == "add" else (each, None)
            yield Field((*field.path, Entry((("value", each),))), field.op, *one)
        return
    if not isinstance(value, dict) or not value or (isinstance(field.path[-1], Entry) and not _is_container(field)):
        yield field
        return
    for key, inner in value.items():
        one = (None, inner) if field.op == "add" else (inner, None)
        yield from _leaves(Field((*field.path, key), field.op, *one))


def _is_container(field: Field) -> bool:
    """Whether a field is a container that comes or goes."""
    return field.op != "replace" and isinstance(field.path[-1], Entry) and field.path[-2:-1] in _CONTAINERS


def _role(change: Change) -> Rights:
    old, new = _rights(change.old), _rights(change.new)
    fields = tuple(each for each in change.fields if each.path[:1] == ("rules",))
    aggregated = [(each, leaf) for each in change.fields for leaf in _leaves(each) if _is_aggregation(leaf)]
    if old is None or new is None:
        return Rights(["+ more rules than can be compared"], [], fields)
    wider = [f"+ {line}" for line in _listed(right for right in new if not _covered(right, old))]
    narrower = [f"- {line}" for line in _listed(right for right in old if not _covered(right, new))]
    for _, field in aggregated:
        sign, lines = ("-", narrower) if field.op == "remove" or field.new != "true" else ("+", wider)
        lines.append(f"{sign} its rules are part of ClusterRole {str(field.path[-1]).removeprefix(facts.AGGREGATED)}")
    return Rights(wider, narrower, (*fields, *(each for each, leaf in aggregated if each == leaf)))


def _is_aggregation(field: Field) -> bool:
    return field.path[:2] == ("metadata", "labels") and str(field.path[-1]).startswith(facts.AGGREGATED)


def _rights(unit: Unit | None) -> set[Right] | None:
    """All that a role allows, one by one; None when that is too much."""
    found: set[Right] = set()
    rules = unit.value.get("rules") if unit is not None else None
    for rule in rules if isinstance(rules, list) else []:
        if not isinstance(rule, dict):
            continue
        groups, resources, verbs = (_strings(rule.get(key)) for key in ("apiGroups", "resources", "verbs"))
        names = _strings(rule.get("resourceNames")) or [""]
        urls = _strings(rule.get("nonResourceURLs"))
        if len(found) + (len(groups) * len(resources) * len(names) + len(urls)) * len(verbs) > _MOST_RIGHTS:
            return None
        found.update(Right(g, r, n, v) for g in groups for r in resources for n in names for v in verbs)
        found.update(Right(None, url, "", verb) for url in urls for verb in verbs)
    return found


def _strings(value: Any) -> list[str]:  # noqa: ANN401
    return [str(each) for each in value] if isinstance(value, list) else []


def _covered(right: Right, by: set[Right]) -> bool:
    """Whether some right of a set allows it; "*" stands for all groups, resources and verbs, no name for all."""
    if right.group is None:
        return any(
            each.group is None and each.verb in (right.verb, "*") and _url_covers(each.resource, right.resource)
            for each in by
        )
    resources = [right.resource, "*"]
    if "/" in right.resource:
        resources.append(f"*/{right.resource.partition('/')[2]}")
    return any(
        Right(group, resource, name, verb) in by
        for group in {right.group, "*"}
        for resource in resources
        for name in {right.name, ""}
        for verb in {right.verb, "*"}
    )


def _url_covers(pattern: str, url: str) -> bool:
    return pattern == url or (pattern.endswith("*") and url.startswith(pattern[:-1]))


def _listed(rights: Iterable[Right]) -> list[str]:
    """Rights in lines: the verbs on each thing, things with the same verbs together."""
    verbs: dict[tuple[str | None, str, str], list[str]] = {}
    for right in sorted(rights, key=lambda each: (each.group or "", each.resource, each.name, each.verb)):
        verbs.setdefault(right[:3], []).append(right.verb)
    lines: dict[tuple[str, str], list[str]] = {}
    for (group, resource, name), allowed in verbs.items():
        what = resource if group is None else resource + (f" {name}" if name else "")
        where = "" if not group else f" in {group}" if group != "*" else " in any API group"
        lines.setdefault((", ".join(allowed), where), []).append(what)
    return [f"{allowed}: {', '.join(things)}{where}" for (allowed, where), things in lines.items()]


def _binding(change: Change) -> Rights:
    old, new = _subjects(change.old), _subjects(change.new)
    role = change.unit.value.get("roleRef")
    name = f"{role.get('kind')} {role.get('name')}" if isinstance(role, dict) else "a role"
    return Rights(
        [f"+ {name} for {each}" for each in sorted(new - old)],
        [f"- {name} for {each}" for each in sorted(old - new)],
        tuple(each for each in change.fields if each.path[:1] == ("subjects",)),
    )


def _subjects(unit: Unit | None) -> set[str]:
    subjects = unit.value.get("subjects") if unit is not None else None
    return {
        f"{each.get('kind')} " + "/".join(str(each[key]) for key in ("namespace", "name") if key in each)
        for each in (subjects if isinstance(subjects, list) else [])
        if isinstance(each, dict)
    }


def _field(unit: Unit, field: Field) -> Iterator[tuple[str, str]]:
    """What one field gives ("+") or takes ("-")."""
    for grant in facts.GRANTS.get((unit.group, unit.kind), ()):
        if field.path[: len(grant.path)] == grant.path:
            yield from _grant(grant, field)
            return
    if field.path[:2] == ("metadata", "labels") and field.path[-1] in facts.SECURITY_LABELS:
        looser = _level(field.new) < _level(field.old)
        yield "+" if looser else "-", f"{field.path[-1]}: {value_of(field.old)} → {value_of(field.new)}"
    elif field.path[-2:] == ("annotations", facts.ROLE_ANNOTATION):
        if field.op != "add":
            yield "-", f"takes the role {value_of(field.old)}"
        if field.op != "remove":
            yield "+", f"takes the role {value_of(field.new)}"
    else:
        yield from _power(field)


def _grant(grant: facts.Grant, field: Field) -> Iterator[tuple[str, str]]:
    before, after = field.old, field.new
    entry = field.path[-1]
    name = str(entry).strip("[]") if isinstance(entry, Entry) else ""
    if field.op in ("add", "replace"):
        yield "+", f"{grant.what} {name or value_of(after)}"
    if field.op in ("remove", "replace"):
        yield "-", f"{grant.what} {name or value_of(before)}"


def _level(value: object) -> int:
    levels = facts.SECURITY_LEVELS
    return levels.index(value) if isinstance(value, str) and value in levels else 0


def _power(field: Field) -> Iterator[tuple[str, str]]:
    """A pod's power over its node."""
    for steps, powers in facts.POWERS.items():
        if field.path[-len(steps) :] == steps:
            before, after = field.old in powers, field.new in powers
            if before != after:
                values = ("not set" if value is None else value_of(value) for value in (field.old, field.new))
                yield "+" if after else "-", f"{path_of(field.path)}: {f' {ARROW} '.join(values)}"
    if field.path[-3:-1] in _CAPABILITIES:
        more = (field.op == "add") is (field.path[-2] == "add")
        yield "+" if more else "-", f"{path_of(field.path[:-1])}: {value_of(field.new or field.old)}"
