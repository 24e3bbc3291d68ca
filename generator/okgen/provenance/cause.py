"""What a rendered value comes from, as a place in a file that somebody can open and change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.problem import Path

GIVEN = "given"  # cluster.yaml says so
ABSENT = "absent"  # cluster.yaml does not say, and no default does
DEFAULT = (
    "default"  # a schema or addon.yaml says so for a cluster.yaml that does not, or works it out from what is below
)
DERIVED = "derived"  # a fact of addon.yaml or of the partitions that follows from what is below it
RELEASE = "release"  # a fact of the add-on's version, in addon.yaml
TEMPLATE = "template"  # a scalar of overlays/<add-on>/
PATCH = "patch"  # a patch file beside cluster.yaml
OKGEN = "okgen"  # okgen itself writes it so


class Cause(NamedTuple):
    """A place that a rendered value, or another cause, comes from.

    ``kind`` is one of the above. ``file`` is relative to the current folder for the user's files, and
    ``overlays/…``, ``schemas/…`` or ``okgen/…`` for okgen's own. ``line`` and ``column`` count from 1. ``path`` is the
    key path in cluster.yaml, ``("addons", "NAME", "policy")``, also for ABSENT and DEFAULT, where the key is
    not there; for DERIVED and RELEASE the key path in the file; for the others ``()``.
    ``text`` is what stands there, or what is done, in one line. ``is_condition`` says that the value is there because
    of it rather than that it has this text. ``below`` are this cause's own causes. ``note`` is the description of a
    key whose default it is.
    """

    kind: str
    file: str
    line: int
    column: int
    path: Path
    text: str
    is_condition: bool = False
    below: tuple[Cause, ...] = ()
    note: str = ""


def ends(causes: Iterable[Cause]) -> list[Cause]:
    """Where the chains end, each place once, ``below`` empty, in the order of the chains.

    A fact of a version is an end, and what chose the version one as well.
    """
    found: dict[tuple[object, ...], Cause] = {}
    for each in _ends(causes, is_condition=False):
        found.setdefault((each.kind, each.file, each.line, each.column, each.path), each)
    return list(found.values())


def _ends(causes: Iterable[Cause], *, is_condition: bool) -> Iterator[Cause]:
    for each in causes:
        condition = is_condition or each.is_condition
        if not each.below or each.kind == RELEASE:
            yield each._replace(is_condition=condition, below=())
        yield from _ends(each.below, is_condition=condition or each.kind == RELEASE)


def every(causes: Iterable[Cause]) -> Iterator[Cause]:
    """The causes and all that is below them."""
    for each in causes:
        yield each
        yield from every(each.below)
