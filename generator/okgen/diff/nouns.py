"""What a comparison is made of: fields that differ, objects that differ, and what a reviewer should know about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
KUBERNETES, KUSTOMIZE, POLICY, TRUST, STACK, TEXT = (
    "kubernetes",
    "kustomize",
    "iam-policy",
    "iam-trust",
    "cloudformation",
    "text",
)


class Entry(NamedTuple):
    """The step of a path into a list: the entry that has these values under these keys.

    A key that an entry lacks stands with None. In a list of strings the one key is ``value``, for the string itself.
    """

    pairs: tuple[tuple[str, Any], ...]

    def leads_to(self, value: object) -> bool:
        """Whether this is the step to that entry of a list."""
        if not isinstance(value, dict):
            return [value] == [wanted for _, wanted in self.pairs]
        return all(value.get(key) == wanted for key, wanted in self.pairs)

    def __str__(self) -> str:
        shown = [_plain(value) for _, value in self.pairs if value is not None]
        return f"[{' '.join(shown)}]"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(map(_plain, value.values()))
    return ",".join(map(_plain, value)) or "core" if isinstance(value, list) else str(value) or '""'


Step = str | int | Entry
Path = tuple[Step, ...]


class Field(NamedTuple):
    """One difference in an object. ``op``: ``add``, ``remove``, ``replace``; or ``order`` of a list's entries.

    ``old`` and ``new`` are the values, None where there is none. For ``add`` to a list ``at`` is the place in the new
    list. For ``order`` both hold the pairs of the entries that are in both lists, in their order.
    """

    path: Path
    op: str
    old: Any = None
    new: Any = None
    at: int | None = None


def without(fields: Iterable[Field], told: Iterable[Field]) -> tuple[Field, ...]:
    """Those of the fields that are none of others, which are the same things: a hostile file may have very many."""
    marks = {id(each) for each in told}
    return tuple(each for each in fields if id(each) not in marks)


class Unit(NamedTuple):
    """What one file holds: an object, a kustomization, an IAM document, a template, or text that is none of these.

    ``group`` and ``version`` are those of its API; ``value`` is its data.
    """

    form: str
    group: str
    version: str
    kind: str
    namespace: str
    name: str
    value: Any

    @property
    def title(self) -> str:
        """How people call it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


MASKED = "the patches make the same of it as before"


class Change(NamedTuple):
    """A unit that differs. ``file`` is below the cluster's folder, ``was`` the file it stood in before if another.

    ``addon``: whose it is, empty for what is the cluster's own. ``folded``: the fields that merely follow others.
    ``remark``: what is known about the old file, "edited by hand" for one. ``built``: whether the units are what
    Kustomize builds of the file and patches, not the file itself. ``note``: what there is to say of it beside.
    """

    file: str
    was: str
    addon: str
    state: str
    old: Unit | None
    new: Unit | None
    fields: tuple[Field, ...]
    folded: tuple[Field, ...] = ()
    remark: str = ""
    built: bool = False
    note: str = ""

    @property
    def unit(self) -> Unit:
        """The newest there is of it."""
        unit = self.new or self.old
        assert unit is not None, "a change has at least one side"
        return unit


class Difference(NamedTuple):
    """A file whose bytes differ; None where there is none. ``remark``: what the old one is if not what was rendered.

    ``unread``: why ``old`` is not what the old file holds, if it is not.
    """

    path: str
    old: str | None
    new: str | None
    remark: str = ""
    unread: str = ""


class Before(NamedTuple):
    """What a cluster's folder held: whether it was there at all, the okgen that wrote it, and how the files differ."""

    exists: bool
    okgen: str
    differences: list[Difference]


class Cause(NamedTuple):
    """Why something changes: a line of a file with its key path, or a reason in words where there is no such line."""

    reason: str
    file: str = ""
    line: int = 0
    path: str = ""


class Item(NamedTuple):
    """Something to know about a change: under which risk, about what, line by line, and what it leads to.

    ``lines`` start with "+", "-" or "~". ``touches``: the changes it is about and the fields of each, none for all.
    """

    risk: str
    addon: str
    subject: str
    lines: tuple[str, ...]
    note: str
    touches: tuple[tuple[Change, tuple[Field, ...]], ...]
    causes: tuple[Cause, ...] = ()


class ClusterDiff(NamedTuple):
    """All that a render changes for one cluster.

    ``file``: its cluster.yaml as messages name it, empty when that is gone; ``folder`` relative to the current one.
    ``was``: the folder of the old tree where that is another one, as the cluster had another name or place.
    ``state``: ``added``, ``changed``, ``removed``, or "" when nothing differs. ``rendered_by``: the okgen of the old
    tree. ``changes`` are those of the files, ``shown`` the same as they reach the cluster: patches applied.
    ``followers``: files that merely follow others, or differ in form only. ``edits``: how many files a render would
    stop at, as they are not what okgen wrote.
    """

    name: str
    file: str
    folder: str
    state: str
    rendered_by: str
    changes: tuple[Change, ...]
    shown: tuple[Change, ...]
    items: tuple[Item, ...]
    followers: tuple[str, ...]
    edits: int = 0
    was: str = ""

    @property
    def effects(self) -> tuple[Change, ...]:
        """The changes that are more than followers."""
        return tuple(each for each in self.changes if each.state != CHANGED or each.fields)

    @property
    def files(self) -> frozenset[str]:
        """Every file whose bytes differ."""
        return frozenset((*self.followers, *(name for each in self.changes for name in (each.file, each.was) if name)))
