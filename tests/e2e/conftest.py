"""The rig as fixtures: one network of our own, one control plane a run; logs are kept when a test has failed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rendering
from e2e.rig import controlplane, isolation, legacy
from e2e.rig.crdhost import CrdHost
from e2e.rig.pki import Authority
from e2e.rig.process import Processes
from e2e.scenario import argocd, controllers, customer, home, installation, shop  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from e2e.rig.aws import Aws
    from e2e.rig.controlplane import Cluster
    from e2e.rig.customer import Customer
    from e2e.rig.isolation import Isolation
    from e2e.rig.rollout import Rollout
    from e2e.rig.scene import Scene

HERE = Path(__file__).resolve().parent
RUN = rendering.REPOSITORY / "build" / "e2e" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
KEY = pytest.StashKey[list[Processes]]()
SAID = pytest.StashKey[list[str]]()  # for the end of the test's output
# Cheap ones first: how the names of files begin, in the order of their run.
ORDER = ("test_rig", "test_api_server", "test_argocd", "test_")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next(place for place, name in enumerate(ORDER) if item.path.stem.startswith(name))

    own = [item for item in items if HERE in item.path.parents]
    items[:] = [item for item in items if item not in own] + sorted(own, key=rank)
    for item in own:
        item.add_marker("e2e")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the last lines of every log to the report of a test that failed."""
    report = yield
    if report.failed:
        programs = [each for processes in item.config.stash.get(KEY, []) for each in processes.all.values()]
        report.sections += [(f"log of {each.name}", each.tail()) for each in programs]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(SAID, []):
        terminalreporter.write_line(line)
    if RUN.exists():
        terminalreporter.write_line(f"logs of this run: {RUN}")


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of this run's logs, keys and data; it goes away again if no test fails."""
    RUN.mkdir(parents=True)
    yield RUN
    if not request.session.testsfailed:
        shutil.rmtree(RUN)


@pytest.fixture(scope="session")
def isolated(run_folder: Path) -> Isolation:
    """A network of our own, for this process and all it starts. Without the means for it, all is skipped."""
    if not shutil.which("setpriv"):
        rendering.unavailable("there is no setpriv, which ends programs with the tests", "install util-linux")
    try:
        return isolation.enter(run_folder)
    except isolation.NotPossibleError as problem:
        rendering.unavailable(str(problem), "run as root, or let users have user namespaces")


@pytest.fixture(scope="session")
def authority(run_folder: Path) -> Authority:
    """The certificate authority of this run."""
    return Authority(run_folder / "pki")


@pytest.fixture(scope="session")
def processes(request: pytest.FixtureRequest, isolated: Isolation, run_folder: Path) -> Iterator[Processes]:  # noqa: ARG001 - they inherit it
    """The programs of this run; what is left of them at the end is stopped, the last first."""
    found = Processes(run_folder)
    request.config.stash.setdefault(KEY, []).append(found)
    yield found
    found.close()


@pytest.fixture(scope="session")
def rig(isolated: Isolation, authority: Authority, processes: Processes) -> controlplane.Rig:
    """What a cluster is made with."""
    return controlplane.Rig(isolated, authority, processes)


@pytest.fixture(scope="session")
def further_rig(
    request: pytest.FixtureRequest, isolated: Isolation, run_folder: Path
) -> Iterator[Callable[[str], controlplane.Rig]]:
    """What a further cluster is made with, by a name for its folder; all its programs are stopped at the end."""
    rigs: list[controlplane.Rig] = []

    def make(name: str) -> controlplane.Rig:
        folder = run_folder / name
        rigs.append(controlplane.Rig(isolated, Authority(folder / "pki"), Processes(folder)))
        request.config.stash.setdefault(KEY, []).append(rigs[-1].processes)
        return rigs[-1]

    yield make
    for each in reversed(rigs):
        each.processes.close()


@pytest.fixture(scope="session")
def cluster(rig: controlplane.Rig) -> Iterator[Cluster]:
    """Kubernetes 1.36, empty."""
    yield from controlplane.lent(controlplane.start(rig))


@pytest.fixture(scope="session")
def crdhost(isolated: Isolation, authority: Authority) -> Iterator[CrdHost]:
    """The pinned CRD files under the URLs that rendered trees name."""
    found = CrdHost(isolated, authority)
    yield found
    found.stop()


@pytest.fixture(scope="session")
def cluster_of_old(rig: controlplane.Rig) -> Iterator[Cluster]:
    """Kubernetes 1.21, empty."""
    yield from controlplane.lent(legacy.start(rig))


@pytest.fixture(scope="session")
def aws(rig: controlplane.Rig) -> Iterator[Aws]:
    """An AWS account behind a gate that checks who asks, and what for."""
    from e2e.rig import aws as cloud

    found = cloud.start(rig, "shop-prod", "eu-west-1")
    yield found
    found.gate.close()


@pytest.fixture(scope="session")
def rollout(
    request: pytest.FixtureRequest,
    home: Cluster,  # noqa: F811 - a fixture
    customer: Customer,  # noqa: F811 - a fixture
    aws: Aws,
    authority: Authority,
) -> Iterator[Rollout]:
    """Kubernetes 1.36 and examples/shop, installed by Argo CD from an empty account; Pod Identity."""
    from e2e.rig import rollout as pushing
    from e2e.rig import scene as making

    if home.kubectl.run("get", "namespace", "external-dns").code == 0:
        rendering.unavailable("the tandem needs a run of its own", "pytest tests/e2e/test_tandem_*.py")
    found = making.open_scene(home, aws, customer.repository.folder, authority.certificate)
    found.render()
    made = pushing.install(found, customer.repository, customer.argocd)
    said = [f"{step}: {seconds:.0f} s after the push" for step, seconds in made.times.items()]
    request.config.stash.setdefault(SAID, []).extend(said)
    yield made
    found.pods.stop(*found.pods.running.values())


@pytest.fixture(scope="session")
def scene(rollout: Rollout) -> Scene:
    """The same, for tests that do not care how it came about."""
    return rollout.scene
