"""Which upstream files a cluster's add-ons need, for `okgen vendor` and for rendering with `crds: vendored`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.upstream.vendor import Source

if TYPE_CHECKING:
    from okgen.resolve.cluster import Enabled


def sources_of(enabled: Enabled) -> list[Source]:
    """The pinned files of an add-on in a cluster.

    All files of the release as soon as one is wanted: clusters that want different ones share the folder.
    """
    name, version = enabled.addon.name, enabled.release.version
    files = enabled.release.crds if enabled.crds else ()
    return [Source(name, version, crds.file, crds.url, crds.sha256) for crds in files]
