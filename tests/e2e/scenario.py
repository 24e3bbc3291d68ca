"""The customer, Argo CD and the cluster shop-prod as fixtures: installed once a run, for all tests of Argo CD.

The tests run in the order of their files' names, and each leaves shop-prod Synced and Healthy, whatever it did to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

import rendering
from e2e.rig import argocd as argo
from e2e.rig import controlplane
from e2e.rig.controllers import Controllers
from e2e.rig.controlplane import Ports
from e2e.rig.customer import URL, Customer
from e2e.rig.git import GitHost, Repository
from e2e.rig.watch import Watch
from e2e.rig.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e.rig.argocd import ArgoCD
    from e2e.rig.controlplane import Cluster, Rig
    from e2e.rig.crdhost import CrdHost
    from e2e.rig.isolation import Isolation
    from e2e.rig.pki import Authority
    from e2e.rig.watch import Event

SHOP = "shop-prod"
PORTS = Ports(2479, 2480, 6543, 10357, 10359)


@pytest.fixture(scope="session")
def home(further_rig: Callable[[str], Rig]) -> Iterator[Cluster]:
    """Kubernetes 1.36, empty, for Argo CD and shop-prod alone."""
    yield from controlplane.lent(controlplane.start(further_rig("home"), ports=PORTS))


@pytest.fixture(scope="session")
def argocd(home: Cluster, authority: Authority, crdhost: CrdHost) -> ArgoCD:  # noqa: ARG001 - Kustomize fetches from there
    """Argo CD 3.2 on the cluster, with nothing to do yet."""
    return argo.start(home, authority)


@pytest.fixture(scope="session")
def controllers(home: Cluster) -> Iterator[Webhooks]:
    """Plays the add-ons' controllers and their admission webhooks, and gives the latter."""
    webhooks = Webhooks(home)
    found = Controllers(webhooks, home.processes.folder / "controllers.log")
    found.start()
    yield webhooks
    found.stop()
    webhooks.stop()


@pytest.fixture(scope="session")
def customer(
    isolated: Isolation, home: Cluster, authority: Authority, argocd: ArgoCD, run_folder: Path
) -> Iterator[Customer]:
    """A customer with an empty repository."""
    folder = run_folder / "git"
    host = GitHost(isolated, authority, folder)
    repository = Repository(URL, folder / "acme" / "platform.git", run_folder / "platform", authority.certificate)
    yield Customer(repository, argocd, home.kubectl, authority.certificate)
    host.stop()


@pytest.fixture(scope="session")
def installation(customer: Customer, controllers: Webhooks) -> list[Event]:  # noqa: ARG001 - they make things ready
    """The example shop-prod, installed from nothing, with nobody's help after the bootstrap.

    What happened to its Applications meanwhile.
    """
    example = rendering.REPOSITORY / "examples" / "shop" / "cluster.yaml"
    customer.write(SHOP, yaml.safe_load(example.read_text(encoding="utf-8")))
    commit = customer.publish("Add shop-prod").commit
    addons = customer.read(SHOP)["addons"]
    wanted = [SHOP, *(f"{SHOP}-{part}" for part in ("namespaces", *addons))]
    with Watch(customer.argocd.api, argo.APPLICATIONS) as watch:
        customer.bootstrap(SHOP)
        customer.argocd.settled(wanted, commit, within=600)
    return watch.events


@pytest.fixture(scope="session")
def shop(installation: list[Event]) -> str:  # noqa: ARG001 - it is installed
    """The name of the cluster shop-prod, which is installed."""
    return SHOP
