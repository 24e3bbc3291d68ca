"""Which upstream files a cluster's add-ons need, for `okgen vendor` and for rendering with `crds: vendored`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen.render.kustomize import VENDORED
from okgen.upstream.vendor import Source, check_vendored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.resolve.cluster import Cluster
    from okgen.write.places import Place


def sources_of(cluster: Cluster) -> list[Source]:
    """The pinned files of a cluster's add-ons.

    All files of a release as soon as one is wanted: clusters that want different ones share the folder.
    """
    return [
        Source(enabled.addon.name, enabled.release.version, crds.file, crds.url, crds.sha256)
        for enabled in cluster.addons
        if enabled.crds
        for crds in enabled.release.crds
    ]


def faults(wanted: Iterable[Source], place: Place) -> list[str]:
    """What is wrong with the vendored files beside a cluster's folder, one line each."""
    return check_vendored(wanted, folder_of(place))


def folder_of(place: Place) -> str:
    """Where the vendored files for a cluster stand, relative to the current folder."""
    return os.path.relpath(os.path.join(place.parent, VENDORED))
