"""The cluster.yaml of each cluster as it was before, at the revision that is compared with or the last commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen.diff.keys import reached
from okgen.problem import Refused, Unable
from okgen.read import source
from okgen.read.inputs import is_cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from okgen.diff.revision import Revision
    from okgen.read.inputs import Input

_LAST = "HEAD"


class Old(NamedTuple):
    """A cluster.yaml as it was: the absolute path that it had, and its bytes."""

    path: str
    raw: bytes


class Baseline:
    """Fetches old files when they are first asked for, those of a repository together.

    ``base`` is the revision, or None for the last commit: then a repository without one, or no repository, has none.
    ``is_asked_for``: whether the trees are those of the revision, too.
    """

    def __init__(self, inputs: Iterable[Input], base: str | None) -> None:
        self._base = base
        self.is_asked_for = base is not None
        self._revisions: dict[str, Revision | None] = {}
        self._paths: dict[str, list[str]] = {}
        self._sources: dict[str, dict[str, bytes]] = {}
        self._moved: dict[str, dict[str, Old]] = {}
        for each in inputs:
            self._paths.setdefault(each.root, []).append(each.path)

    def revision(self, root: str) -> Revision | None:
        """The revision in a repository. Raises Unable when it was asked for by name and is not there."""
        from okgen.diff.revision import Revision  # it runs Git

        if root not in self._revisions:
            try:
                self._revisions[root] = Revision(root, _LAST if self._base is None else self._base)
            except Unable:
                if self._base is not None:
                    raise
                self._revisions[root] = None
        return self._revisions[root]

    def source(self, of: Input, name: str) -> Old | None:
        """The old cluster.yaml of a cluster, None when there is none. Raises Unable.

        One that stood in another file is known by the name of the cluster, while no file stands there any more.
        """
        if of.root not in self._sources:
            revision = self.revision(of.root)
            names = {path: os.path.relpath(path, of.root) for path in self._paths[of.root]}
            files = revision.files(names.values()) if revision is not None else {}
            self._sources[of.root] = {path: files[name] for path, name in names.items() if name in files}
        raw = self._sources[of.root].get(of.path)
        return self._gone(of.root).get(name) if raw is None else Old(of.path, raw)

    def _gone(self, root: str) -> dict[str, Old]:
        """The old files that are not there any more, by the name of their cluster; no name that two of them have."""
        if root not in self._moved:
            revision = self.revision(root)
            paths = revision.listing([""]) if revision is not None else ()
            gone = [path for path in paths if is_cluster(os.path.basename(path))]
            gone = [path for path in gone if not os.path.lexists(os.path.join(root, path))]
            found: dict[str, list[Old]] = {}
            for path, raw in (revision.files(gone) if revision is not None and gone else {}).items():
                found.setdefault(_name(raw), []).append(Old(os.path.join(root, path), raw))
            self._moved[root] = {name: olds[0] for name, olds in found.items() if name and len(olds) == 1}
        return self._moved[root]

    def patches(self, old: Old, root: str, files: Mapping[tuple[str, int], str]) -> dict[tuple[str, int], str]:
        """The old texts of files that a cluster.yaml names for patches, as far as there are any. Raises Unable."""
        revision = self.revision(root) if files else None
        if revision is None:
            return {}
        folder = os.path.dirname(old.path)
        names = {key: os.path.relpath(os.path.join(folder, name), root) for key, name in files.items()}
        inside = {key: name for key, name in names.items() if not name.startswith(os.pardir)}
        found = revision.files(set(inside.values()))
        return {key: found[name].decode(errors="replace") for key, name in inside.items() if name in found}


def _name(raw: bytes) -> str:
    try:
        found = reached(source.parse(raw, "").data, ("metadata", "name"))
    except Refused:
        return ""
    return found if isinstance(found, str) else ""
