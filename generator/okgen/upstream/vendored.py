"""Which upstream files a cluster's add-ons need, for `okgen vendor` and for rendering with `crds: vendored`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen.render.kustomize import VENDORED
from okgen.upstream.vendor import Source, check_vendored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.resolve.cluster import Enabled
    from okgen.write.places import Place


def sources_of(enabled: Enabled) -> list[Source]:
    """The pinned files of an add-on in a cluster.

    All files of the release as soon as one is wanted: clusters that want different ones share the folder.
    """
    name, version = enabled.addon.name, enabled.release.version
    files = enabled.release.crds if enabled.crds else ()
    return [Source(name, version, crds.file, crds.url, crds.sha256) for crds in files]


def faults(wanted: Iterable[Source], place: Place) -> list[str]:
    """What is wrong with the vendored files beside a cluster's folder, one line each."""
    return check_vendored(wanted, os.path.relpath(os.path.join(place.parent, VENDORED)))
