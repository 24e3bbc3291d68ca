"""The cluster.yaml of each cluster as it was before, at the revision that is compared with or the last commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen.problem import Unable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from okgen.diff.revision import Revision
    from okgen.read.inputs import Input

_LAST = "HEAD"


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

    def source(self, of: Input) -> bytes | None:
        """The old bytes of a cluster.yaml, None when there are none. Raises Unable."""
        if of.root not in self._sources:
            revision = self.revision(of.root)
            names = {path: os.path.relpath(path, of.root) for path in self._paths[of.root]}
            files = revision.files(names.values()) if revision is not None else {}
            self._sources[of.root] = {path: files[name] for path, name in names.items() if name in files}
        return self._sources[of.root].get(of.path)

    def patches(self, of: Input, files: Mapping[tuple[str, int], str]) -> dict[tuple[str, int], str]:
        """The old texts of files that a cluster.yaml names for patches, as far as there are any. Raises Unable."""
        revision = self.revision(of.root) if files else None
        if revision is None:
            return {}
        folder = os.path.dirname(of.path)
        names = {key: os.path.relpath(os.path.join(folder, name), of.root) for key, name in files.items()}
        inside = {key: name for key, name in names.items() if not name.startswith(os.pardir)}
        found = revision.files(set(inside.values()))
        return {key: found[name].decode(errors="replace") for key, name in inside.items() if name in found}
