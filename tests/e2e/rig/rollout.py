"""From a push to a tandem that runs, and back: Argo CD does it all, and programs start as soon as their pods run."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

from e2e.rig import waiting
from e2e.rig.shop import DEPLOYMENTS, NAME, SHOP, ZONE

if TYPE_CHECKING:
    from e2e.rig.argocd import ArgoCD, State
    from e2e.rig.git import Repository
    from e2e.rig.scene import Scene

HOSTS = (ZONE, f"www.{ZONE}")
# The project that every Argo CD has; its API server makes it, which does not run here.
DEFAULT_PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": "argocd"},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}


class Rollout(NamedTuple):
    """A scene that Argo CD has installed: what each Application said in the end, and seconds from the push by step."""

    scene: Scene
    repository: Repository
    argocd: ArgoCD
    states: dict[str, State]
    times: dict[str, float]

    def push(self, message: str, *names: str) -> None:
        """A commit that changes what these Applications have; returns when Argo CD has brought all of it."""
        commit = self.repository.push(message)
        self.argocd.refresh(*names)
        self.argocd.settled(names, commit, within=300)


def applications(scene: Scene) -> list[str]:
    """The root, the namespaces, an Application for each add-on, and the shop's own."""
    addons = sorted(each.name for each in (scene.output / "addons").iterdir())
    return [NAME, "shop", *(f"{NAME}-{part}" for part in ("namespaces", *addons))]


def install(scene: Scene, repository: Repository, argocd: ArgoCD) -> Rollout:
    """docs/tutorial.md, from the push on: stack, bootstrap, application, until all Applications are Healthy.

    Argo CD is paused then, as tests change things by hand that it would change back.
    """
    shutil.copytree(SHOP, scene.folder / "examples" / "shop")
    (scene.folder / "examples" / "shop" / "cluster.yaml").unlink()
    names, kubectl = applications(scene), scene.cluster.kubectl
    begun, times = time.monotonic(), {}

    def reached(step: str) -> None:
        times[step] = time.monotonic() - begun

    repository.push(f"Add {NAME}")
    scene.deploy()
    kubectl("apply", "--server-side", "--field-manager=okgen", "-k", str(scene.output / "bootstrap"))
    waiting.until("all controllers run", lambda: _start_next(scene), within=600)
    waiting.until("all are ready", lambda: all(each.ready() for each in scene.pods.running.values()))
    reached("all controllers run")
    kubectl.apply([DEFAULT_PROJECT], manager="argocd-install")
    kubectl("apply", "-f", str(SHOP / "application.yaml"))
    waiting.until("records", lambda: all(scene.leads(host) for host in HOSTS), within=300)
    reached("both hosts lead to the load balancer")
    argocd.settled(names, within=300)
    reached("every Application is Synced and Healthy")
    states = {name: argocd.state(name) for name in names}
    argocd.pause()
    return Rollout(scene, repository, argocd, states, times)


def _start_next(scene: Scene) -> bool:
    """Starts those programs that can be started; whether all are running."""
    missing = [each for each in DEPLOYMENTS if ".".join(each) not in scene.pods.running]
    for each in missing:
        if scene.startable(*each):
            scene.start(*each, ready=False)
    return not missing
