"""The resolved cluster: what the input says with every default and derived fact, ready to be rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from okgen.addons.catalogue import Addon, Crds, Release
    from okgen.emit import Shared


class Role(NamedTuple):
    """An IAM role for one ServiceAccount. ``mode`` is ``irsa`` or ``pod-identity``; ``name`` has at most 64 characters.

    ``statements`` is a list of IAM policy statements as AWS writes them.
    """

    addon: str
    name: str
    namespace: str
    service_account: str
    mode: str
    statements: Shared


class Patch(NamedTuple):
    """A user's Kustomize patch; ``number`` is its place in the add-on's ``patches``, from 0."""

    number: int
    target: dict[str, str]
    text: str


class Enabled(NamedTuple):
    """An add-on that is on.

    ``values`` has all defaults; ``wave`` orders the Applications; ``scope`` is what templates see.
    """

    addon: Addon
    release: Release
    values: dict[str, Any]
    namespace: str
    wave: int
    crds: tuple[Crds, ...]
    patches: tuple[Patch, ...]
    scope: dict[str, Any]


class ArgoCd(NamedTuple):
    """The Argo CD that syncs the tree; destinations are ``{"server": …}`` or ``{"name": …}``."""

    namespace: str
    health_check: bool
    destination: dict[str, str]
    root_destination: dict[str, str]


class Cluster(NamedTuple):
    """One cluster. ``oidc_provider`` is the issuer without its scheme, or empty; ``zones`` are those of ``dns``."""

    name: str
    labels: dict[str, str]
    profile: str
    minor: int
    account: str
    region: str
    partition: str
    dns_suffix: str
    cluster_name: str
    oidc_provider: str
    permissions_boundary: str
    repository: str
    revision: str
    path: str
    crds_vendored: bool
    argocd: ArgoCd
    zones: list[dict[str, Any]]
    addons: tuple[Enabled, ...]
    roles: list[Role]
