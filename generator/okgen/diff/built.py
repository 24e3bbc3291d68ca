"""Objects as they reach the cluster: where a folder has patches, what Kustomize makes of the old and the new ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.diff import nouns
from okgen.diff.compare import compare
from okgen.diff.keys import NOTHING
from okgen.diff.nouns import ADDED, CHANGED, MASKED, REMOVED, Change, without
from okgen.diff.read import Unreadable, of_object
from okgen.diff.units import folded, mark_of
from okgen.patching import build
from okgen.render.targets import selects
from okgen.resolve.selector import SelectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from okgen.diff.nouns import Before, Unit
    from okgen.diff.read import Reader
    from okgen.patching.build import Built

Tree = dict[str, str]

LISTING = "kustomization.yaml"
_UNDERSTOOD = {"apiVersion", "kind", "resources", "patches"}
_NOTHING_BUILT = build.build({}, ())
_CRD = build.described({"apiVersion": "apiextensions.k8s.io/v1", "kind": build.CRD, "metadata": {"name": "any"}})
_MOST_KEPT = 64  # folders
_MOST_TRIED = 30  # patches of an object that are each left out once
_PATCHED = "so it is rendered; what the patches then make of it cannot be told"
_SAME_OF_ALL = "it makes the same of every object as before"
_UPSTREAM = "what it does to upstream's files, which the tree does not hold, is not told"


class Side(NamedTuple):
    """A folder of a tree: its patches as they stand there, its objects by file, and what is built of them.

    ``why``: why that cannot be told, else "". ``is_all_here``: whether the tree holds all that the folder lists.
    """

    patches: Sequence[Any]
    objects: Mapping[str, build.Object]
    built: Built
    why: str = ""
    is_all_here: bool = True

    def value(self, file: str) -> Any:  # noqa: ANN401 - any plain data
        """An object as it is built; None for one that is not there, or not any more."""
        return self.built.objects.get(file, self.objects.get(file))


_EMPTY = Side((), {}, _NOTHING_BUILT)


class Builder:
    """Builds folders of trees; those that many clusters share once."""

    def __init__(self, reader: Reader) -> None:
        self._unit = reader.unit
        self._kept: dict[tuple[tuple[str, str], ...], Side] = {}

    def side(self, tree: Mapping[str, str], folder: str) -> Side:
        """A folder of a tree, files by path."""
        start = f"{folder}/"
        files = tuple((path, text) for path, text in tree.items() if path.startswith(start))
        found = self._kept.get(files)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[files] = self._side(dict(files), start)
        return found

    def _side(self, files: Mapping[str, str], start: str) -> Side:
        if f"{start}{LISTING}" not in files:
            return _EMPTY
        listing = self._unit(f"{start}{LISTING}", files[f"{start}{LISTING}"])
        if isinstance(listing, Unreadable):
            return _EMPTY._replace(why=f"{LISTING}: {listing}")
        resources, patches = (listing.value.get(key) or [] for key in ("resources", "patches"))
        if not isinstance(resources, list) or not isinstance(patches, list):
            return _EMPTY._replace(why=f"{LISTING} is none")
        others = listing.value.keys() - _UNDERSTOOD
        if others:
            return _EMPTY._replace(patches=patches, why=f"{LISTING} has {', '.join(sorted(map(str, others)))}")
        objects = {}
        paths = [f"{start}{each}" for each in resources]
        for path in paths:
            if path in files:
                unit = self._unit(path, files[path])
                if isinstance(unit, Unreadable) or unit.form != nouns.KUBERNETES:
                    return _EMPTY._replace(patches=patches, why=f"{path}: {unit}")
                objects[path] = unit.value
        return Side(patches, objects, build.build(objects, patches), "", all(path in files for path in paths))

    def value(self, tree: Mapping[str, str], file: str) -> Any:  # noqa: ANN401 - any plain data
        """An object as it is built, NOTHING for none."""
        found = self.side(tree, file.rpartition("/")[0]).value(file)
        return NOTHING if found is None else found

    def decisive(self, tree: Mapping[str, str], file: str, differ: Callable[[Any, Any], bool]) -> list[Any]:
        """The patches without any of which an object would be another, as far as ``differ`` sees."""
        side = self.side(tree, file.rpartition("/")[0])
        base = {file: side.objects[file]} if file in side.objects else {}
        found = []
        numbers = side.built.patches.get(file, ())
        for number in numbers if len(numbers) <= _MOST_TRIED else ():
            rest = [each for place, each in enumerate(side.patches) if place != number]
            other = side._replace(built=build.build(base, rest)).value(file)
            if differ(self.value(tree, file), NOTHING if other is None else other):
                found.append(side.patches[number])
        return found

    def _is_aimed(self, tree: Mapping[str, str], folder: str) -> bool:
        """Whether a folder has patches that may be for objects in the tree: okgen's own are for upstream's CRDs."""
        text = tree.get(f"{folder}/{LISTING}", "")
        listing = self._unit(f"{folder}/{LISTING}", text) if "patches:" in text else None
        if listing is None or isinstance(listing, Unreadable):
            return listing is not None
        patches = listing.value.get("patches")
        return not isinstance(patches, list) or not all(map(_is_of_crds, patches))

    def shown(self, tree: Tree, was: Before, changes: Sequence[Change]) -> list[Change]:
        """The changes as they reach the cluster; ``tree`` is the new one."""
        folders = {each.file.rpartition("/")[0]: None for each in changes if each.file.startswith("addons/")}
        old = before(tree, was) if folders else {}
        unread = {each.path.rpartition("/")[0]: each.unread for each in was.differences if each.unread}
        found = list(changes)
        for folder in folders:
            if self._is_aimed(old, folder) or self._is_aimed(tree, folder):
                one, other = self.side(old, folder), self.side(tree, folder)
                found = _Folder(folder, one, other, found).shown(unread.get(folder, "") or one.why or other.why)
            else:
                found = _noted(found, folder, _UPSTREAM, told=False)
        return found


def before(tree: Tree, was: Before) -> Tree:
    """The old tree, as far as its files could be read; ``tree`` is the new one."""
    old = dict(tree)
    for each in was.differences:
        if each.old is None:
            old.pop(each.path, None)
        else:
            old[each.path] = each.old
    return old


class _Folder:
    """One folder before and after, and the changes of all files."""

    def __init__(self, folder: str, old: Side, new: Side, changes: Sequence[Change]) -> None:
        self._folder, self._old, self._new = folder, old, new
        self._changes = list(changes)
        self._addon = folder.partition("/")[2]
        self._by_file = {each.file: each for each in changes}

    def shown(self, why: str) -> list[Change]:
        """All changes, those of the folder as they are built."""
        if why:
            note = f"what the patches make of the objects cannot be told: {why}"
            return _noted(self._changes, self._folder, note, told=False)
        files = dict.fromkeys((*self._old.built.patches, *self._new.built.patches))
        moved = {each.was for each in self._changes if each.was}
        found: dict[str, list[Change]] = {}
        for file in files:
            if file not in moved:
                change = self._by_file.get(file)
                source = change.was if change is not None and change.was else file
                reason = self._old.built.unknown.get(source) or self._new.built.unknown.get(file)
                if reason is None:
                    found[file] = self._built(file, source, change)
                elif change is not None:
                    found[file] = [change._replace(note=f"{_PATCHED}: {reason}")]
        effects = {file for file, made in found.items() if any(each.built for each in made)}
        notes = list(dict.fromkeys(self._notes(effects)))
        kept = [each for each in self._changes if each.file not in found]
        note = "\n".join(notes) if notes else "" if effects else _SAME_OF_ALL
        self._changes = _noted(
            [*kept, *(each for made in found.values() for each in made)],
            self._folder,
            note,
            told=bool(effects) and not notes,
        )
        return sorted(self._changes, key=lambda each: (each.file, each.unit.title))

    def _built(self, file: str, source: str, change: Change | None) -> list[Change]:
        """What becomes another of an object, or that nothing does though its file is another."""
        try:
            old, new = (
                None if value is None else of_object(value)
                for value in (self._old.value(source), self._new.value(file))
            )
        except Unreadable:
            return [change] if change is not None else []
        was = source if source != file else ""
        listing = self._by_file.get(f"{self._folder}/{LISTING}")
        remarks = [each.remark for each in (change, listing) if each is not None and each.remark]
        made = list(self._between(file, was, old, new, "".join(remarks[:1])))
        if not made and change is not None and (change.state != CHANGED or change.fields):
            return [change._replace(note=MASKED)]
        return made

    def _between(self, file: str, was: str, old: Unit | None, new: Unit | None, remark: str) -> Iterator[Change]:
        one = Change(file, was, self._addon, CHANGED, old, new, (), (), remark, built=True)
        if old is not None and new is not None and mark_of(file, old) == mark_of(file, new):
            change = folded(one._replace(fields=compare(old.value, new.value)), ())
            if change.fields:
                yield change
            return
        if old is not None:
            yield one._replace(state=REMOVED, new=None)
        if new is not None:
            yield one._replace(state=ADDED, old=None)

    def _notes(self, effects: set[str]) -> Iterator[str]:
        """Why it is not told of a changed patch what it does."""
        for side, other in ((self._old, self._new), (self._new, self._old)):
            known = [json.dumps(each) for each in other.patches]
            for number, entry in enumerate(side.patches):
                text = json.dumps(entry)
                if text in known:
                    known.remove(text)
                    continue
                yield from _note(side, number, entry)
                chosen = [file for file, numbers in side.built.patches.items() if number in numbers]
                if chosen and effects.isdisjoint(chosen) and not set(chosen) & side.built.unknown.keys() and effects:
                    yield f"the patch of {', '.join(_titles(side, chosen))} {_SAME_OF_ALL[3:]}"


def _noted(changes: Sequence[Change], folder: str, note: str, *, told: bool) -> list[Change]:
    """The changes with what there is to say of the patches' own text; ``told``: what they do stands elsewhere."""
    found = []
    for each in changes:
        patches = [field for field in each.fields if field.path[:1] == ("patches",)]
        if each.file != f"{folder}/{LISTING}" or each.state != CHANGED or not patches:
            found.append(each)
        elif not told:
            found.append(each._replace(note=note))
        elif len(patches) < len(each.fields):
            found.append(each._replace(fields=without(each.fields, patches)))
    return found


def _note(side: Side, number: int, entry: Any) -> Iterator[str]:  # noqa: ANN401 - any YAML value
    if number in side.built.others:
        yield f"what a patch does cannot be told: {side.built.others[number]}"
    chosen = [file for file, numbers in side.built.patches.items() if number in numbers]
    for file in chosen:
        if file in side.built.unknown:
            yield f"what becomes of {_titles(side, [file])[0]} cannot be told: {side.built.unknown[file]}"
    if not side.is_all_here and _may_be_of_crds(entry):
        yield _UPSTREAM


def _titles(side: Side, files: Iterable[str]) -> list[str]:
    return [of_object(side.objects[file]).title for file in files]


def _is_of_crds(entry: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Whether a patch is plainly one of CRDs, as okgen's own are."""
    target = entry.get("target") if isinstance(entry, dict) else None
    if isinstance(target, dict):
        return bool(target.get("kind") == build.CRD)
    return isinstance(entry, dict) and f"kind: {build.CRD}\n" in str(entry.get("patch"))


def _may_be_of_crds(entry: Any) -> bool:  # noqa: ANN401 - any YAML value
    target = entry.get("target") if isinstance(entry, dict) else None
    if not isinstance(target, dict):
        return _is_of_crds(entry)
    asked = {key: target[key] for key in ("group", "version", "kind") if isinstance(target.get(key), str)}
    try:
        return selects(asked, _CRD)
    except SelectorError:
        return False
