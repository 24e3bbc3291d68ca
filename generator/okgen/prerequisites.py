"""What a render reads beside cluster.yaml: files of patches, okgen.yaml at the repository's root, vendored CRDs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen.diff.keys import patch_files, reached
from okgen.owners import parent
from okgen.problem import Refused, Unable
from okgen.read import source
from okgen.render.kustomize import VENDORED
from okgen.repository import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.read.inputs import Input


class Prerequisites(NamedTuple):
    """Absolute paths, of what may not be there yet: files, and folders of which all files count."""

    files: frozenset[str]
    folders: frozenset[str]

    def has(self, path: str) -> bool:
        """Whether a path is one of the files, or in one of the folders, or a folder that one of these is in."""
        wanted = (*self.files, *self.folders)
        return (
            path in self.files
            or any(_is_in(path, folder) for folder in self.folders)
            or any(_is_in(each, path) for each in wanted)
        )

    def places(self) -> set[str]:
        """The folders in which to look for changes: the nearest ones that are there."""
        found = {_nearest(os.path.dirname(each)) for each in self.files}
        for folder in self.folders:
            if os.path.isdir(folder):
                found |= {above for above, _, _ in os.walk(folder)}
            else:
                found.add(_nearest(os.path.dirname(folder)))
        return found


def of(given: Iterable[Input], output: str | None) -> Prerequisites:
    """Those of some inputs; ``output`` is that option or None. Of a file that cannot be read there are few."""
    files, folders = set(), set()
    for each in given:
        files.add(os.path.join(each.root, SETTINGS))
        try:
            data = source.read(each.path, each.file).data
        except (Refused, Unable):
            continue
        here = os.path.dirname(each.path)
        files |= {os.path.normpath(os.path.join(here, name)) for name in patch_files(data).values() if "\0" not in name}
        if reached(data, ("gitops", "crds")) == "vendored":
            folders.add(os.path.join(parent(each, data, output), VENDORED))
    return Prerequisites(frozenset(files), frozenset(folders))


def _is_in(path: str, folder: str) -> bool:
    return path != folder and path.startswith(folder.rstrip(os.sep) + os.sep)


def _nearest(folder: str) -> str:
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
