"""Names what caused a change: a line of cluster.yaml, another okgen, or an edit by hand.

The cluster.yaml of before is rendered by this okgen, too. Where the old tree is another than that, another okgen wrote
it, or somebody edited it; where the new tree is another than that, cluster.yaml did it, and which key of it is found by
rendering once more for each changed key, with that key as it was.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen import __version__
from okgen.diff.built import before
from okgen.diff.compare import compare
from okgen.diff.keys import NOTHING, below, changed_keys, patch_files, reached, taken, written_out
from okgen.diff.nouns import ADDED, Cause, Entry, Item
from okgen.diff.present import Traces
from okgen.diff.read import STACK, Unreadable
from okgen.diff.sections import differing
from okgen.diff.units import NO_DATA
from okgen.emit import dump
from okgen.problem import Path, Refused, dotted
from okgen.read import source
from okgen.render.renderer import Renderer
from okgen.resolve.resolver import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.addons.catalogue import Catalogue
    from okgen.diff.baseline import Baseline, Old
    from okgen.diff.built import Builder
    from okgen.diff.nouns import Before, Change, ClusterDiff, Field
    from okgen.diff.read import Reader
    from okgen.pipeline import Rendered
    from okgen.read.source import Document

_MOST_PLACES = 200  # fields of an item whose causes are looked for
_MOST_KEYS = 30  # changed keys that are each tried by a render
_PLACE = (("metadata", "name"), ("gitops", "path"))  # what says where a tree is
UNEXPLAINED = Cause("the old tree was not what its cluster.yaml renders")

Tree = dict[str, str]


class _Past(NamedTuple):
    """What is known of a cluster before: its cluster.yaml, what that renders now, the keys that changed since.

    ``data`` and ``new`` are those of the old and the new cluster.yaml, with the patches of files written out.
    ``changed``: the keys that differ, each with the path to show for it. ``others``: by changed key, two trees that
    differ by what follows from it.
    """

    data: Any
    new: Any
    tree: Tree
    changed: dict[Path, Path]
    others: dict[Path, tuple[Tree, Tree]]


class Causes:
    """Finds the causes of items, cluster by cluster."""

    def __init__(self, baseline: Baseline, catalogue: Catalogue, reader: Reader, builder: Builder) -> None:
        self._baseline, self._catalogue, self._reader, self._builder = baseline, catalogue, reader, builder
        self._renderer = Renderer()
        self._traces = Traces(builder)

    def of(self, each: Rendered, was: Before, diff: ClusterDiff) -> list[Item]:
        """The items of a cluster, each with its causes. Raises Unable, TemplateError."""
        past_file = self._baseline.source(each.input, each.cluster.name)
        if diff.state == ADDED:
            causes = self._of_new(each, past_file)
            return [item._replace(causes=causes) for item in diff.items]
        past = self._past(each, past_file) if past_file is not None else None
        if past is None:
            return [
                item._replace(causes=_remarked(item) or self._traces.causes(item, each, was)) for item in diff.items
            ]
        old = before(each.files, was)
        found = []
        for item in diff.items:
            causes = self._causes(item, each, was, past, old) if item.touches else self._of_new(each, past_file)
            if UNEXPLAINED in causes and not self._baseline.is_asked_for:
                # What is on disk was rendered from a cluster.yaml that was never committed.
                causes = tuple(dict.fromkeys((*self._traces.causes(item, each, was), *causes)))
                causes = tuple(one for one in causes if one != UNEXPLAINED)
            found.append(item._replace(causes=causes))
        return found

    @staticmethod
    def _of_new(each: Rendered, past_file: Old | None) -> tuple[Cause, ...]:
        """Why a cluster has no tree in its place yet: it is new, or had another name or place."""
        file = each.document.file
        if past_file is None:
            return (Cause("", file, 1),)
        try:
            changed = changed_keys(source.parse(past_file.raw, file).data, each.document.data)
        except Refused:
            changed = {}
        moved = tuple(_cause(key, each.document) for key in changed if key in _PLACE)
        return moved or (Cause("not rendered before", file, 1),)

    @staticmethod
    def gone(items: Iterable[Item], why: str) -> list[Item]:
        """The items of a cluster that is gone, each with its cause."""
        return [each._replace(causes=(Cause(why),)) for each in items]

    def _past(self, each: Rendered, past_file: Old) -> _Past | None:
        try:
            document = source.parse(past_file.raw, each.document.file)
        except Refused:
            return None
        data = written_out(
            document.data, self._baseline.patches(past_file, each.input.root, patch_files(document.data))
        )
        texts = {(one.addon.name, patch.number): patch.text for one in each.cluster.addons for patch in one.patches}
        new = written_out(each.document.data, texts)
        if data is not document.data:
            document = source.parse(dump(data).encode(), document.file)
        tree = self._tree(document, each)
        return None if tree is None else _Past(data, new, tree, changed_keys(data, new), {})

    def _tree(self, document: Document, each: Rendered) -> Tree | None:
        """What a document renders into, None when it is refused."""
        try:
            cluster, _ = resolve(document, self._catalogue, each.input.root)
            return self._renderer.files(cluster, document)
        except Refused:
            return None

    def _causes(self, item: Item, each: Rendered, was: Before, past: _Past, old: Tree) -> tuple[Cause, ...]:
        found: dict[Cause, None] = {}
        for change, fields in item.touches:
            places = _places(change, fields)
            if any(self._differs(change, place, old, past.tree) for place in places):
                found.update(dict.fromkeys(_by_tree(change, was)))
            found.update(dict.fromkeys(self._by_keys(change, places, each, past)))
        return tuple(found)

    def _by_keys(self, change: Change, places: list[Any], each: Rendered, past: _Past) -> Iterator[Cause]:
        """The changed keys of cluster.yaml that the change follows from."""
        moved = [place for place in places if self._differs(change, place, past.tree, each.files)]
        if not moved:
            return
        keys = list(past.changed)
        if 1 < len(keys) <= _MOST_KEYS:
            keys = [key for key in keys if self._follows(change, moved, key, each, past)] or keys
        for key in keys:
            yield from self._of_key(key, change, moved, each, past)

    def _of_key(self, key: Path, change: Change, places: list[Any], each: Rendered, past: _Past) -> Iterator[Cause]:
        """A changed key; where it holds patches, those of them that the change follows from."""
        patches: Path = ("addons", change.addon, "patches")
        entries = []
        if change.built and patches[: len(key)] == key:
            entries = [
                entry
                for entry in self._builder.decisive(each.files, change.file, partial(_differ_at, places))
                if entry not in self._builder.side(past.tree, change.file.rpartition("/")[0]).patches
            ]
        enabled = next((one for one in each.cluster.addons if one.addon.name == change.addon), None)
        for patch in enabled.patches if enabled is not None and entries else ():
            if {"target": patch.target, "patch": patch.text} in entries:
                yield _cause((*patches, patch.number, "patch"), each.document)
        if not entries:
            yield _cause(past.changed[key], each.document)

    def _follows(self, change: Change, places: list[Any], key: Path, each: Rendered, past: _Past) -> bool:
        """Whether a change is another, or none, when a key is as it was.

        Where the new cluster.yaml is refused with the old key, the old one with the new key is asked.
        """
        if key not in past.others:
            new, old = past.new, past.data
            without, only = (self._tree(_with(each, *pair, key), each) for pair in ((new, old), (old, new)))
            past.others[key] = (without, each.files) if without is not None else (only or past.tree, past.tree)
        return any(self._differs(change, place, *past.others[key]) for place in places)

    def _differs(self, change: Change, place: Any, one: Tree, other: Tree) -> bool:  # noqa: ANN401
        """Whether an object has different values in a place of two trees."""
        if change.built:
            return _differ_at([place], *(self._builder.value(tree, _file(change, tree)) for tree in (one, other)))
        first, second = (tree.get(_file(change, tree)) for tree in (one, other))
        if first == second:
            return False
        if first is None or second is None:
            return True
        if change.file == STACK:
            first, second = differing(first, second)
        return _differ_at([place], *(self._value(change.file, text) for text in (first, second)))

    def _value(self, file: str, text: str) -> Any:  # noqa: ANN401 - any plain data
        found = self._reader.unit(file, text)
        return text if isinstance(found, Unreadable) else found.value


def _file(change: Change, tree: Tree) -> str:
    """Where an object stands in a tree, which may be the old one."""
    return change.was if change.was and change.file not in tree else change.file


def _differ_at(places: Iterable[Any], one: Any, other: Any) -> bool:  # noqa: ANN401 - any plain data
    """Whether two values differ in one of these places; NOTHING stands for what is not there."""
    for place in places:
        first, second = (value if value is NOTHING else _at(value, place) for value in (one, other))
        if (first is NOTHING) is not (second is NOTHING) or (first is not NOTHING and compare(first, second)):
            return True
    return False


def _with(each: Rendered, data: Any, source_of: Any, key: Path) -> Document:  # noqa: ANN401 - any plain data
    """A cluster.yaml that has what another has at one key."""
    return source.parse(dump(taken(data, source_of, key)).encode(), each.document.file)


def _places(change: Change, fields: tuple[Field, ...]) -> list[Any]:
    """The paths of what an item is about; the whole file where it came or went."""
    return [each.path for each in (fields or change.fields)[:_MOST_PLACES]] or [()]


def _at(value: Any, path: Any) -> Any:  # noqa: ANN401 - any plain data
    """The value at a path of fields, or nothing."""
    for step in path:
        if isinstance(step, Entry):
            entries = value if isinstance(value, list) else []
            value = next((each for each in entries if step.leads_to(each)), NOTHING)
        elif isinstance(step, str):
            value = value.get(step, NOTHING) if isinstance(value, dict) else NOTHING
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else NOTHING
    return value


def _remarked(item: Item) -> tuple[Cause, ...]:
    """That old files were not as okgen wrote them."""
    return tuple(dict.fromkeys(Cause(_why(change.remark)) for change, _ in item.touches if change.remark))


def _why(remark: str) -> str:
    """What of a remark is a cause."""
    return remark.partition("; ")[0].removeprefix(NO_DATA)


def _by_tree(change: Change, was: Before) -> Iterator[Cause]:
    """Why an old file was not what this okgen makes of the old cluster.yaml."""
    if change.remark:
        yield Cause(_why(change.remark))
    elif was.okgen not in ("", __version__):
        yield Cause(f"okgen upgrade {was.okgen} → {__version__}")
    else:
        yield UNEXPLAINED


def _cause(key: Path, document: Document) -> Cause:
    data = document.data
    *entry, last = key
    if last == "patch" and isinstance(found := reached(data, entry), dict) and "path" in found:
        key = (*entry, "path")
    for step in key:
        data = below(data, step)
    line, _ = document.place(key, key=True)
    return Cause("taken out" if data is NOTHING else "", document.file, line, dotted(key))
