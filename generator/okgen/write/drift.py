"""What is not as it would be rendered: which file, in which way, and on request by how much."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen.write import plan, tree
from okgen.write.unified import MOST_BYTES, unified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from okgen.write.plan import Plan

NOT_RENDERED = "not rendered yet"
ORPHAN = "no cluster.yaml renders this"

_MOST_OF_EDIT = 20  # lines of a diff that nobody has asked for
_MOST_LINES = 200
_MOST_SHOWN = 1024 * 1024  # characters of all diffs of a run


class Drift(NamedTuple):
    """One difference: ``file`` is relative to the current folder.

    ``kind``: NOT_RENDERED or ORPHAN, of a cluster's folder; else what ``plan.drift`` says of a file.
    ``diff``: the lines from what is there to what would be rendered, as a unified diff; empty where none is shown.
    """

    file: str
    kind: str
    diff: str = ""


class Differences:
    """Collects the drift of a run; with ``contents`` that of every file comes with its diff, else that of edits."""

    def __init__(self, *, contents: bool) -> None:
        self.found: list[Drift] = []
        self._contents = contents
        self._room = _MOST_SHOWN

    def add(self, found: Plan, files: Mapping[str, str]) -> None:
        """What differs in the folder of a cluster, which ``files`` were rendered for. Raises Refused, Unable."""
        self.found += self._entries(found, files)

    def add_orphans(self, folders: Iterable[str]) -> None:
        """Trees that are there, absolute, and that nothing renders."""
        self.found += [Drift(os.path.relpath(folder), ORPHAN) for folder in folders]

    def _entries(self, found: Plan, files: Mapping[str, str]) -> Iterator[Drift]:
        here = os.path.relpath(found.folder)
        if found.recorded is None and not found.before and not found.unchanged:
            yield Drift(here, NOT_RENDERED)
            return
        for path, kind in plan.drift(found, every_file=self._contents):
            yield Drift(os.path.join(here, path), kind, self._diff(found, path, kind, files))

    def _diff(self, found: Plan, path: str, kind: str, files: Mapping[str, str]) -> str:
        if not (self._contents or kind == plan.EDITED) or kind not in plan.OF_CONTENT:
            return ""
        if self._room <= 0:
            return "diffs of further files are left out: check fewer clusters at a time\n" if self._contents else ""
        there = tree.contents(found.folder, [path], MOST_BYTES, MOST_BYTES, trusted_root=found.root).get(path, b"")
        text = unified(there, files.get(path, "").encode(), _MOST_LINES if self._contents else _MOST_OF_EDIT)
        self._room -= len(text)
        return text
