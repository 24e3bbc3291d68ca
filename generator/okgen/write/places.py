"""Where a cluster's tree is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from okgen.read.inputs import Input


class Place(NamedTuple):
    """``folder`` is the cluster's own, ``parent`` holds one folder a cluster and the vendored files; both absolute.

    What lies between ``trusted`` and ``folder`` comes from the input, so that no symbolic link is followed there.
    """

    trusted: str
    parent: str
    folder: str


def place_of(given: Input, path: str, name: str, output: str | None) -> Place:
    """The place of a cluster with this ``gitops.path`` and ``metadata.name``.

    ``output`` is the ``--output`` of the command line, relative to the current folder, or None.
    """
    if output is not None:
        parent = os.path.abspath(output)
        return Place(parent, parent, os.path.join(parent, name))
    parent = os.path.normpath(os.path.join(given.root, path))
    return Place(given.root, parent, os.path.join(parent, name))
