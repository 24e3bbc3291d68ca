"""Takes the edits of one cluster's rendered files into its cluster.yaml: all of them, or none."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.adopt import insertion, located, making, refusal
from okgen.adopt.insertion import ImpossibleError
from okgen.adopt.strategic import same
from okgen.emit import dump
from okgen.patching.build import parsed
from okgen.patching.elements import InexpressibleError
from okgen.problem import Problem, Refused, Unable
from okgen.read import source
from okgen.render.manifest import manifest
from okgen.render.targets import selects
from okgen.resolve.jsonpatch import PatchError
from okgen.write import index, plan, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from okgen.adopt.located import Edited, Source
    from okgen.read.source import Document
    from okgen.render.manifest import Manifest
    from okgen.resolve.cluster import Patch
    from okgen.write.plan import Plan


class Adopted(NamedTuple):
    """One edit that has become a patch: which entry of the add-on's ``patches``, from 0, and in which form."""

    file: str
    addon: str
    number: int
    entry: dict[str, Any]
    form: str


class _UnwrittenError(ValueError):
    """Nowhere in the text of a cluster.yaml could an entry be put so that it says just that in addition."""

    def __init__(self, file: str, addon: str, entry: dict[str, Any]) -> None:
        super().__init__(f"{file} leaves no place where the entry would change {addon} and nothing else")
        self.help = f"put this below addons.{addon}.patches:\n{dump([entry])}".rstrip("\n")


class Adoption:
    """The edits of one cluster, one after the other; nothing is written before ``write``."""

    def __init__(self, found: Source, folder: str) -> None:
        self.source = found
        self._folder = folder
        self._root = os.path.commonpath([found.input.root, os.path.dirname(folder)])
        self._snapshot = tree.snapshot(folder, found.files, trusted_root=self._root)
        self._restored: dict[str, str] = {}
        self.before = found.document.text

    @property
    def plan(self) -> Plan:
        """What puts the files back as they were rendered."""
        return plan.restoring(self._restored, self._snapshot)

    @property
    def is_changed(self) -> bool:
        """Whether cluster.yaml is to be written."""
        return self.source.document.text != self.before

    def take(self, edited: Edited) -> Adopted:
        """Turn the edit of one file into a patch. Raises Refused."""
        try:
            return self._take(edited)
        except _UnwrittenError as error:
            raise _refused(edited, str(error), error.help) from None
        except (InexpressibleError, ImpossibleError) as error:
            raise _refused(edited, str(error)) from None

    def _take(self, edited: Edited) -> Adopted:
        base, wanted = _objects(self._base(edited), self._content(edited), edited)
        addon = edited.path.split("/")[1]
        object_ = manifest(base)
        target = _target(object_, self._manifests(addon))
        number, current = self._earlier(addon, target, base)
        total = wanted if number is None else making.laid_over(base, wanted, current)
        made = making.make(base, total)
        entry = {"target": target, "patch": made.text}
        if number is None or not same(total, current):
            self._change(addon, entry, number)
        self._check_together(addon, object_, base, wanted)
        self._restored[edited.path] = self.source.files[edited.path]
        place = len(self._patches(addon)) - 1 if number is None else number
        return Adopted(edited.file, addon, place, entry, made.form)

    def _base(self, edited: Edited) -> str:
        """The text that was rendered, if the file there is an edit of it. Raises Refused."""
        reason = refusal.why_not_file(edited.path, self._snapshot)
        if reason:
            raise _refused(edited, reason)
        return self.source.files[edited.path]

    def _content(self, edited: Edited) -> bytes:
        most = source.MOST_BYTES
        found = tree.contents(self._folder, [edited.path], most, most, trusted_root=self._root)
        raw = found.get(edited.path, b"")
        if len(raw) <= source.MOST_BYTES and index.digest(raw) != self._snapshot.found[edited.path]:
            raise Unable(f"{edited.file} changed while okgen was at work: run it again")
        return raw

    def _manifests(self, addon: str) -> Iterator[Manifest]:
        """The objects of an add-on."""
        start = f"addons/{addon}/"
        for path, text in self.source.files.items():
            if path.startswith(start) and plan.is_object(path):
                yield manifest(source.parse(text.encode(), path).data)

    def _patches(self, addon: str) -> Sequence[Patch]:
        return next(each.patches for each in self.source.cluster.addons if each.addon.name == addon)

    def _earlier(self, addon: str, target: dict[str, str], base: dict[str, Any]) -> tuple[int | None, Any]:
        """The number of the patch that an earlier adoption wrote for this object, and what it makes of it.

        A patch that someone has changed since, be it by a comment, is theirs.
        """
        for patch in reversed(self._patches(addon)):
            given = self.source.document.data["addons"][addon]["patches"][patch.number]
            if given.get("target") != target or "patch" not in given:
                continue
            try:
                current = making.applied(base, parsed(patch.text))
                if making.make(base, current).text == patch.text:
                    return patch.number, current
            except (InexpressibleError, PatchError):
                continue
        return None, base

    def _change(self, addon: str, entry: dict[str, Any], number: int | None) -> None:
        """Write an entry into the text of cluster.yaml, and read it anew. Raises Refused, ImpossibleError."""
        document = self.source.document
        expected = copy.deepcopy(document.data)
        section = expected["addons"][addon] = expected["addons"][addon] or {}
        listed = section.setdefault("patches", [])
        if number is None:
            listed.append(entry)
            texts = insertion.with_entry(document.text, addon, entry)
        else:
            listed[number] = {**listed[number], "patch": entry["patch"]}
            texts = insertion.with_text(document.text, addon, number, entry["patch"])
        after = next(filter(None, (_read_as(text, document.file, expected) for text in texts)), None)
        if after is None:
            raise _UnwrittenError(document.file, addon, entry)
        try:
            self.source = located.rendered(after, self.source.input)
        except Refused as refused:  # its places are in a text that nobody has seen
            raise ImpossibleError(f"okgen would refuse the patch: {refused.problems[0].message}") from None

    def _check_together(self, addon: str, object_: Manifest, base: dict[str, Any], wanted: dict[str, Any]) -> None:
        """Whether the edit is still there when all patches of the object have been applied. Raises ImpossibleError."""
        document = self.source.document
        patches = []
        for patch in self._patches(addon):
            if selects(patch.target, object_):
                line, _ = document.place(("addons", addon, "patches", patch.number))
                patches.append((f"the patch in line {line} of {document.file}", parsed(patch.text)))
        fault = making.fault_together(base, wanted, patches)
        if fault:
            raise ImpossibleError(fault)


def _objects(text: str, raw: bytes, edited: Edited) -> tuple[dict[str, Any], dict[str, Any]]:
    """The object as it was rendered, and as it was edited. Raises Refused."""
    base: dict[str, Any] = source.parse(text.encode(), edited.file).data
    wanted = source.parse(raw, edited.file).data
    reason = refusal.why_not_object(base, wanted)
    if reason:
        raise _refused(edited, reason)
    return base, wanted


def _target(object_: Manifest, others: Iterator[Manifest]) -> dict[str, str]:
    """The target that selects this object of its add-on and no other."""
    group, _, version = object_.api_version.rpartition("/")
    named = {"group": group, "version": version, "kind": object_.kind, "name": object_.name}
    found = {key: value for key, value in {**named, "namespace": object_.namespace}.items() if value}
    if sum(selects(found, each) for each in others) == 1:
        return found
    return {**found, "name": found["name"].replace(".", r"\.")}


def _read_as(text: str, file: str, expected: Any) -> Document | None:  # noqa: ANN401 - any YAML value
    """The document of a text, if it says what is expected and nothing else."""
    try:
        found = source.parse(text.encode(), file)
    except Refused:
        return None
    return found if same(found.data, expected) else None


def _refused(edited: Edited, reason: str, way_out: str = "") -> Refused:
    message = f"the edit cannot be adopted: {reason}"
    return Refused([Problem(edited.file, 1, 1, "OKG508", "error", message, help=way_out)])
