"""From files that differ to objects that differ, with what merely follows told apart."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from okgen.diff import nouns, read
from okgen.diff.compare import compare
from okgen.diff.facts import FOLDED, FOLDED_FILES
from okgen.diff.nouns import ADDED, CHANGED, REMOVED, Change, Difference, Entry, Field, Unit, without
from okgen.diff.sections import differing
from okgen.render.cloudformation import logical_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_DIGEST = re.compile(r"^    okgen\.dev/tree-digest: (sha256:[0-9a-f]{64})$", re.MULTILINE)
_ADDON = re.compile(
    r"addons/([^/]+)/|argocd/application-(.+)\.yaml\Z|iam/([^/.]+)\.(?:policy(?:-[0-9]+)?|trust)\.json\Z"
)
_OWN_NAME = re.compile(r"^  name: ([a-z0-9.-]+)$", re.MULTILINE)
_OWN_NAMESPACE = re.compile(r"^  namespace: ([a-z0-9.-]+)$", re.MULTILINE)
NO_DATA = "cannot be compared as data: "
_NAMESPACES = "namespaces"
_DOCUMENTS = {"PolicyDocument", "AssumeRolePolicyDocument"}
_MOST_KEPT = 512

Side = tuple[Unit, Difference]


def addon_of(path: str) -> str:
    """Which add-on a file of the tree belongs to; empty for what is the cluster's own."""
    found = _ADDON.match(path)
    name = next(filter(None, found.groups()), "") if found else ""
    return "" if name == _NAMESPACES else name


class Comparer:
    """Compares the files of one cluster after the other; what clusters share is compared once."""

    def __init__(self, reader: read.Reader) -> None:
        self._unit = reader.unit
        self._fields: dict[tuple[str, str], tuple[Field, ...]] = {}

    def changes(self, differences: Iterable[Difference]) -> tuple[list[Change], list[str]]:
        """The objects that differ, by file, and the files that merely follow or differ in form only."""
        followers, found = [], []
        old: dict[object, Side] = {}
        new: dict[object, Side] = {}
        listed = list(differences)
        moved = {each.path for each in listed if each.old is None or each.new is None}
        for each in listed:
            if each.path in FOLDED_FILES:
                followers.append(each.path)
            elif (quick := self._digest_only(each)) is not None:
                found.append(quick)
            else:
                self._sort(each, old, new, found)
        found += self._matched(old, new)
        found = _fold_mirrored([folded(each, moved) for each in found])
        followers += [each.file for each in found if each.state == CHANGED and not each.fields]
        return sorted(found, key=lambda each: (each.file, each.unit.title)), sorted(set(followers))

    def _sort(self, each: Difference, old: dict[object, Side], new: dict[object, Side], found: list[Change]) -> None:
        """Puts both sides of a file where they find their counterpart, which another file may hold."""
        texts: tuple[str | None, str | None] = (each.old, each.new)
        if each.path == read.STACK and each.old and each.new:
            texts = differing(each.old, each.new)  # by far the longest file
        sides = [None if text is None else self._unit(each.path, text) for text in texts]
        before = read.Unreadable(each.unread) if each.unread and each.old is not None else sides[0]
        if isinstance(before, read.Unreadable) and each.new is not None:
            found.append(_as_text(each, str(before)))
            return
        each = each._replace(remark="; ".join(filter(None, (each.remark, each.unread))))
        for side, into, text in ((before, old, each.old), (sides[1], new, each.new)):
            unit = read.as_text(each.path, text or "") if isinstance(side, read.Unreadable) else side
            if unit is not None:
                mark = mark_of(each.path, unit)
                into[(mark, each.path) if mark in into else mark] = unit, each

    def _matched(self, old: dict[object, Side], new: dict[object, Side]) -> Iterator[Change]:
        for mark, (unit, each) in old.items():
            if mark not in new:
                yield Change(each.path, "", addon_of(each.path), REMOVED, unit, None, (), (), each.remark)
        for mark, (unit, each) in new.items():
            if mark not in old:
                yield Change(each.path, "", addon_of(each.path), ADDED, None, unit, (), (), each.remark)
                continue
            before, other = old[mark]
            was = "" if other.path == each.path else other.path
            fields = self._compared(before, unit, other.old or "", each.new or "")
            yield Change(each.path, was, addon_of(each.path), CHANGED, before, unit, fields, (), other.remark)

    def _compared(self, before: Unit, after: Unit, old: str, new: str) -> tuple[Field, ...]:
        found = self._fields.get((old, new))
        if found is None:
            if len(self._fields) >= _MOST_KEPT:
                self._fields.clear()
            found = self._fields[old, new] = compare(before.value, after.value)
        return found

    def _digest_only(self, each: Difference) -> Change | None:
        """The change of an Application of which only the digest differs: most of them, so that none is parsed."""
        if each.old is None or each.new is None or not each.path.startswith("argocd/application-"):
            return None
        before, after = _DIGEST.findall(each.old), _DIGEST.findall(each.new)
        if len(before) != 1 or len(after) != 1 or _DIGEST.sub("", each.old) != _DIGEST.sub("", each.new):
            return None
        name, space = (pattern.search(each.new) for pattern in (_OWN_NAME, _OWN_NAMESPACE))
        if name is None or space is None:
            return None
        unit = Unit(nouns.KUBERNETES, "argoproj.io", "v1alpha1", "Application", space[1], name[1], None)
        field = Field(FOLDED[1], "replace", before[0], after[0])
        return Change(each.path, "", addon_of(each.path), CHANGED, unit, unit, (), (field,), each.remark)


def mark_of(path: str, unit: Unit) -> object:
    """The same for both sides of one object: its identity for Kubernetes, the path for everything else."""
    if unit.form != nouns.KUBERNETES:
        return unit.form, path
    return addon_of(path), unit.group, unit.kind, unit.namespace, unit.name


def _as_text(each: Difference, why: str) -> Change:
    told = [each.remark] if each.remark else []
    remark = "; ".join([*told, f"{NO_DATA}{why}"])
    old, new = read.as_text(each.path, each.old or ""), read.as_text(each.path, each.new or "")
    field = Field((), "replace", each.old, each.new)
    return Change(each.path, "", addon_of(each.path), CHANGED, old, new, (field,), (), remark)


def folded(change: Change, moved: Collection[str]) -> Change:
    """The change with the fields that merely follow put aside."""
    if change.state != CHANGED or not change.fields:
        return change
    follows = tuple(each for each in change.fields if each.path in FOLDED or _is_listing(change, each, moved))
    return change._replace(fields=without(change.fields, follows), folded=change.folded + follows)


def _is_listing(change: Change, field: Field, moved: Collection[str]) -> bool:
    """Whether a field is a kustomization's listing of a file that came or went: the file itself is told of."""
    if change.unit.form != nouns.KUSTOMIZE or field.path[:1] != ("resources",):
        return False
    entry = field.path[-1]
    return isinstance(entry, Entry) and f"{change.unit.name}/{entry.pairs[0][1]}" in moved


def _fold_mirrored(changes: list[Change]) -> list[Change]:
    """The CloudFormation template repeats the policies: what changes in both is told once."""
    stack = next((each for each in changes if each.unit.form == nouns.STACK and each.state == CHANGED), None)
    if stack is None:
        return changes
    told = {
        _text(field)
        for each in changes
        if each.unit.form in (nouns.POLICY, nouns.TRUST)
        for field in (*each.fields, *each.folded)
    }
    whole = {
        logical_name(each.addon)
        for each in changes
        if each.unit.form in (nouns.POLICY, nouns.TRUST) and each.state != CHANGED
    }
    folded = tuple(each for each in stack.fields if _text(_inner(each)) in told or _logical(each) in whole)
    rest = without(stack.fields, folded)
    return [each._replace(fields=rest, folded=folded) if each is stack else each for each in changes]


def _inner(field: Field) -> Field:
    """A field of a template's policy as a field of the policy's own file."""
    place = next((place for place, step in enumerate(field.path) if step in _DOCUMENTS), len(field.path))
    return field._replace(path=field.path[place + 1 :])


def _logical(field: Field) -> str:
    """The start of the logical id of a resource or output that comes or goes as a whole."""
    if len(field.path) != 2 or field.op == "replace":  # noqa: PLR2004 - Resources, id
        return ""
    return re.sub(r"(?:Role|RoleArn|Policy[0-9]*|Association)\Z", "", str(field.path[1]))


def _text(field: Field) -> str:
    return json.dumps([[_step(step) for step in field.path], field.op, field.old, field.new], sort_keys=True)


def _step(step: Any) -> Any:  # noqa: ANN401
    return dict(step.pairs) if isinstance(step, Entry) else step
