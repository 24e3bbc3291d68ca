"""From objects that differ to what a reviewer should know, each under its gravest risk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.diff import dns, facts, nouns, policies, refusals, removals, rights
from okgen.diff.facts import DNS, IMAGE, NARROWED, REFUSED, REMOVAL, REST, RESTART, WIDENED
from okgen.diff.nouns import ADDED, CHANGED, REMOVED, Change, Field, Item, without
from okgen.diff.words import lines_of, value_of
from okgen.render.kustomize import VENDORED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Records = dict[str, Any]

_DOCUMENTS = {nouns.POLICY: "IAM policy of", nouns.TRUST: "who may take the role of"}
_COMMIT = re.compile(r"[0-9a-f]{40}")


def items(name: str, state: str, changes: Sequence[Change], records_of: Callable[[str], Records]) -> list[Item]:
    """All there is to know of a cluster, the gravest first.

    ``state`` is that of the cluster; ``records_of`` gives what an add-on's definition says of DNS records.
    """
    told = [each for each in changes if each.state != CHANGED or each.fields]
    if state == ADDED:
        found = [_new_cluster(name, told)]
    elif state == REMOVED:
        found = list(_gone_cluster(name, told, records_of))
    else:
        found = list(_changed(told, records_of))
    ranks = list(facts.RISKS)
    return sorted(found, key=lambda each: ranks.index(each.risk))


def _changed(changes: Sequence[Change], records_of: Callable[[str], Records]) -> Iterator[Item]:
    whole = _whole(changes)
    for addon, state in whole.items():
        own = [each for each in changes if each.addon == addon]
        yield from _new_addon(addon, own) if state == ADDED else _gone_addon(addon, own, records_of)
    rest = [each for each in changes if each.addon not in whole]
    yield from _documents(rest)
    missing = removals.lost(rest)
    for each in rest:
        if each.unit.form in _DOCUMENTS:
            continue
        if each.state == CHANGED:
            yield from _noted(list(_object(each, records_of)), each)
        elif each.state == REMOVED:
            yield _removed(each, missing)
        else:
            yield _added(each)


def _whole(changes: Sequence[Change]) -> dict[str, str]:
    """The add-ons that come or go with all they have, and which of the two."""
    states: dict[str, set[str]] = {}
    for each in changes:
        states.setdefault(each.addon, set()).add(each.state)
    files = {each.file for each in changes}
    return {
        addon: state
        for addon, (state, *more) in states.items()
        if addon
        and not more
        and state != CHANGED
        and {f"argocd/application-{addon}.yaml", f"addons/{addon}/kustomization.yaml"} <= files
    }


# ----------------------------------------------------------------------------------------- clusters and whole add-ons


def _counted(changes: Iterable[Change], sign: str) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for each in changes:
        if each.unit.form == nouns.KUBERNETES:
            counts[each.addon] = counts.get(each.addon, 0) + 1
    return tuple(f"{sign} {addon or 'cluster-wide'}: {_objects(count)}" for addon, count in sorted(counts.items()))


def _objects(count: int) -> str:
    return f"{count} {'object' if count == 1 else 'objects'}"


def _all(changes: Iterable[Change]) -> tuple[tuple[Change, tuple[Field, ...]], ...]:
    return tuple((each, ()) for each in changes)


def _new_cluster(name: str, changes: Sequence[Change]) -> Item:
    return Item(REST, "", f"new cluster {name}", _counted(changes, "+"), "", _all(changes))


def _gone_cluster(name: str, changes: Sequence[Change], records_of: Callable[[str], Records]) -> Iterator[Item]:
    yield Item(REMOVAL, "", f"cluster {name}", _counted(changes, "-"), removals.CLUSTER, _all(changes))
    for addon in sorted({each.addon for each in changes}):
        yield from _orphans(addon, [each for each in changes if each.addon == addon], records_of)


def _new_addon(addon: str, changes: Sequence[Change]) -> Iterator[Item]:
    objects = [each for each in changes if each.unit.form not in _DOCUMENTS]
    yield Item(REST, addon, f"new add-on {addon}", _counted(objects, "+"), "", _all(objects))
    granting = [(each, rights.of(each)) for each in objects if each.unit.form == nouns.KUBERNETES]
    lines = [f"+ {each.unit.title}: {line[2:]}" for each, given in granting for line in given.wider]
    if lines:
        touched = _all(each for each, given in granting if given.wider)
        yield Item(WIDENED, addon, f"rights of the new add-on {addon}", tuple(lines), "", touched)
    yield from _documents(changes)


def _gone_addon(addon: str, changes: Sequence[Change], records_of: Callable[[str], Records]) -> Iterator[Item]:
    titles = tuple(f"- {each.unit.title}" for each in changes if each.unit.form == nouns.KUBERNETES)
    yield Item(REMOVAL, addon, f"add-on {addon}", titles, removals.ADDON, _all(changes))
    yield from _orphans(addon, changes, records_of)


def _orphans(addon: str, changes: Sequence[Change], records_of: Callable[[str], Records]) -> Iterator[Item]:
    records = records_of(addon) if addon else {}
    if records:
        yield Item(DNS, addon, f"add-on {addon}", (), records["removed"], _all(changes))


# ------------------------------------------------------------------------------------------------------ IAM documents


def _documents(changes: Sequence[Change]) -> Iterator[Item]:
    """Policies and trusts, all of one add-on together: statements move from one file to another."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for each in changes:
        if each.unit.form in _DOCUMENTS:
            groups.setdefault((each.addon, each.unit.form), []).append(each)
    for (addon, form), own in groups.items():
        verdict = policies.of(
            [each.old for each in own if each.old is not None], [each.new for each in own if each.new is not None]
        )
        subject = f"{_DOCUMENTS[form]} {addon}"
        remark = next((each.remark for each in own if each.remark), "")
        if verdict.wider:
            yield Item(WIDENED, addon, _with(subject, remark), tuple(verdict.wider), "", _all(own))
        if verdict.narrower:
            yield Item(NARROWED, addon, _with(subject, remark), tuple(verdict.narrower), "", _all(own))
        if not verdict.wider and not verdict.narrower:
            lines = [line for each in own for line in lines_of(each, each.fields)]
            yield Item(REST, addon, _with(subject, remark), tuple(lines), "it allows the same as before", _all(own))


def _with(subject: str, remark: str) -> str:
    return f"{subject} ({remark})" if remark else subject


# ----------------------------------------------------------------------------------------------------- single objects


def _item(risk: str, change: Change, lines: Iterable[str], note: str = "", fields: tuple[Field, ...] = ()) -> Item:
    return Item(risk, change.addon, _with(change.unit.title, change.remark), tuple(lines), note, ((change, fields),))


def _added(change: Change) -> Item:
    wider = rights.of(change).wider if change.unit.form == nouns.KUBERNETES else []
    return _item(WIDENED if wider else REST, change, wider, "new")


def _removed(change: Change, missing: removals.Lost) -> Item:
    if change.unit.form == nouns.KUBERNETES:
        taken = rights.of(change).narrower
        if taken:
            return _item(NARROWED, change, taken, f"removed: {removals.consequence(change, missing)}")
    return _item(REMOVAL, change, (), removals.consequence(change, missing))


def _noted(found: list[Item], change: Change) -> Iterator[Item]:
    """What there is to say about an object, with the note on it said once."""
    if change.note and found and all(change.note not in each.note for each in found):
        first, *rest = found
        yield first._replace(note="\n".join(filter(None, (first.note, change.note))))
        yield from rest
    else:
        yield from found


def _object(change: Change, records_of: Callable[[str], Records]) -> Iterator[Item]:
    """What there is to say about an object that changed; each field once, under its gravest risk."""
    if change.unit.form == nouns.KUSTOMIZE:
        yield from _kustomization(change)
        return
    if change.note == nouns.MASKED:
        yield _item(REST, change, lines_of(change, change.fields), change.note)
        return
    if change.unit.form == nouns.STACK:
        yield from _stack(change)
        return
    if change.unit.form != nouns.KUBERNETES:
        yield _item(REST, change, lines_of(change, change.fields))
        return
    rest: tuple[Field, ...] = change.fields
    refused = refusals.refused(change)
    if refused:
        yield _item(REFUSED, change, lines_of(change, refused), "delete it first, then sync", refused)
    rest = without(rest, refused)
    changed = rights.of(change._replace(fields=rest))
    if changed.wider:
        yield _item(WIDENED, change, changed.wider, "", changed.fields)
    if changed.narrower:
        yield _item(NARROWED, change, changed.narrower, "", changed.fields)
    if changed.wider or changed.narrower:
        rest = without(rest, changed.fields)
    yield from _workload(change, rest, records_of(change.addon) if change.addon else {})


def _workload(change: Change, rest: tuple[Field, ...], records: Records) -> Iterator[Item]:
    """Records, images, pods that restart, and the rest."""
    found = dns.of(change, records)
    if found is not None:
        yield _item(DNS, change, found.lines, "\n".join(found.notes), found.fields)
        rest = without(rest, found.fields)
    images = tuple(each for each in rest if _is_image(each))
    if images:
        yield _item(IMAGE, change, lines_of(change, images, below=3), "", images)
    rest = without(rest, images)
    template = facts.POD_TEMPLATES.get((change.unit.group, change.unit.kind))
    if template is not None:
        inside = tuple(each for each in change.fields if each.path[: len(template)] == template)
        left = without(inside, without(inside, rest))
        if inside:
            yield _item(RESTART, change, lines_of(change, left, below=len(template)), _restart(change), inside)
        rest = without(rest, inside)
    if rest:
        yield _item(REST, change, lines_of(change, rest), "", rest)


def _is_image(field: Field) -> bool:
    return field.path[-1:] == ("image",) and len(field.path) > 2 and field.path[-3] in facts.CONTAINERS  # noqa: PLR2004


def _restart(change: Change) -> str:
    spec = change.unit.value.get("spec")
    strategy = spec.get("strategy") if isinstance(spec, dict) else None
    if isinstance(strategy, dict) and strategy.get("type") == "Recreate":
        return "its pods stop before new ones start"
    return "its pods are replaced one after the other"


def _kustomization(change: Change) -> Iterator[Item]:
    """Upstream's files by their address, and patches."""
    sources = [each for each in change.fields if each.path[:1] == ("resources",) and each.op != "order"]
    gone, came = ({_source(each): each for each in sources if each.op == op} for op in ("remove", "add"))
    both = [(gone.pop(name), came.pop(name)) for name in [name for name in gone if name in came]]
    upstream = all("://" in _resource(each) or VENDORED in _resource(each) for each in sources)
    subject = f"upstream files of {change.addon}" if change.addon and upstream else change.unit.title
    for name, field in gone.items():
        note = removals.resource(change, _resource(field))
        yield _item(REMOVAL, change, [f"- {name}"], note, (field,))._replace(subject=_with(subject, change.remark))
    lines = [f"~ {_source(old)}: {_revision(old)} → {_revision(new)}" for old, new in both]
    lines += [f"+ {name}" for name in came]
    if lines:
        fields = without(sources, gone.values())
        yield _item(REST, change, lines, "", fields)._replace(subject=_with(subject, change.remark))
    rest = without(change.fields, sources)
    if rest:
        yield _item(REST, change, lines_of(change, rest), change.note, rest)


def _resource(field: Field) -> str:
    return str(field.old if field.op == "remove" else field.new)


def _source(field: Field) -> str:
    """What a resource is, whatever its version: the name of a file on the web, or the folder above a version."""
    resource = _resource(field)
    if "://" in resource:
        return resource.rpartition("/")[2]
    return resource.rpartition("/")[0] if f"/{VENDORED}/" in resource else resource


def _revision(field: Field) -> str:
    resource = _resource(field)
    found = _COMMIT.search(resource)
    return found[0][:12] if found else resource.rpartition("/")[2] if "://" not in resource else value_of(resource)


def _stack(change: Change) -> Iterator[Item]:
    replaced = refusals.replaced(change)
    if replaced:
        note = "CloudFormation makes the resource anew and deletes the old one"
        yield _item(REMOVAL, change, lines_of(change, replaced), note, replaced)
    rest = without(change.fields, replaced)
    bounds = tuple(each for each in rest if "PermissionsBoundary" in each.path)
    for risk, ops in ((WIDENED, ("remove", "replace")), (NARROWED, ("add",))):
        chosen = tuple(each for each in bounds if each.op in ops)
        if chosen:
            yield _item(risk, change, lines_of(change, chosen), "", chosen)
    rest = without(rest, bounds)
    if rest:
        yield _item(REST, change, lines_of(change, rest), "", rest)
