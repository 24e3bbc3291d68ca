"""A real Argo CD: repo-server, application controller and redis as plain processes, and what its Applications say.

Its own settings are chosen for speed (how often it polls, how soon it heals); nothing of them is in what okgen renders.
It acts as cluster administrator, so that its own RBAC is not part of any test.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from e2e.rig import programs
from e2e.rig.api import ApiError
from e2e.rig.kube import Identity
from e2e.rig.snapshot import Kind
from e2e.rig.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e2e.rig.api import Api
    from e2e.rig.controlplane import Cluster
    from e2e.rig.kube import Object
    from e2e.rig.pki import Authority
    from e2e.rig.process import Processes

VERSION = "3.2.11"
NAMESPACE = "argocd"
CONTROLLER = "argocd-application-controller"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
PROJECTS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/appprojects"
SETTINGS = Path(__file__).with_name("argocd.yaml")
REFRESH = "argocd.argoproj.io/refresh"
REDIS, REPO_SERVER = 6379, 18081
CONTROLLER_HEALTH, REPO_SERVER_HEALTH = 18082, 18084
# How soon a change of a live object is undone. The pause between waves and the interval of polling stay Argo CD's own.
HEAL = ("--self-heal-timeout-seconds=1", "--self-heal-backoff-timeout-seconds=1", "--self-heal-backoff-cap-seconds=4")


class State(NamedTuple):
    """Where an Application stands; each field is empty while Argo CD has not said."""

    sync: str
    health: str
    revision: str
    phase: str
    started: str

    @property
    def settled(self) -> bool:
        """Synced, Healthy, and no operation under way or failed."""
        return (self.sync, self.health) == ("Synced", "Healthy") and self.phase in ("Succeeded", "")


class ArgoCD(NamedTuple):
    """An Argo CD. ``renders`` is a file with a line for each folder that it had Kustomize build."""

    api: Api
    renders: Path
    processes: Processes
    environment: dict[str, str]

    def resume(self) -> None:
        """Starts the application controller: what Git says is made so from now on."""
        loopback = (f"--redis=127.0.0.1:{REDIS}", "--loglevel=info", "--logformat=text")
        self.processes.start(
            CONTROLLER,
            [
                programs.path("argocd"),
                *(f"--namespace={NAMESPACE}", f"--repo-server=127.0.0.1:{REPO_SERVER}", *loopback, *HEAL),
                *(f"--metrics-port={CONTROLLER_HEALTH}", "--status-processors=8", "--operation-processors=8"),
            ],
            env=self.environment | {"ARGOCD_BINARY_NAME": CONTROLLER},
            ready=lambda: _listens(CONTROLLER_HEALTH),
        )

    def pause(self) -> None:
        """Ends the application controller: what is changed by hand stays."""
        self.processes.stop(CONTROLLER)

    def application(self, name: str) -> Object:
        """An Application. Raises ApiError where there is none."""
        found: Object = self.api.get(f"{APPLICATIONS}/{name}")
        return found

    def names(self, cluster: str = "") -> list[str]:
        """The Applications that there are, all or those of a cluster, sorted."""
        return list(self.states(cluster))

    def states(self, cluster: str = "") -> dict[str, State]:
        """Where the Applications stand, all or those of a cluster."""
        found = {each["metadata"]["name"]: state(each) for each in self.api.items(APPLICATIONS)}
        return {name: found[name] for name in sorted(found) if _of(cluster, name)}

    def state(self, name: str) -> State:
        """Where an Application stands."""
        return state(self.api.find(f"{APPLICATIONS}/{name}") or {})

    def refresh(self, *names: str, hard: bool = False) -> None:
        """Has Applications compared with Git now, as a webhook of the Git host does; returns when that was done.

        One that goes meanwhile counts as done.
        """
        note = {REFRESH: "hard" if hard else "normal"}
        for name in names:
            with contextlib.suppress(ApiError):
                self.api.patch(f"{APPLICATIONS}/{name}", {"metadata": {"annotations": note}})
        until("Applications are refreshed", lambda: self._waiting().isdisjoint(names))

    def _waiting(self) -> set[str]:
        """The Applications that still have to be compared."""
        found = [each["metadata"] for each in self.api.items(APPLICATIONS)]
        return {each["name"] for each in found if REFRESH in each.get("annotations", {})}

    def settled(self, names: Iterable[str], revision: str = "", within: float = 120.0) -> None:
        """Waits until Applications are Synced and Healthy, at a revision if one is given. Raises AssertionError."""
        wanted = sorted(names)

        def unsettled() -> list[str]:
            found = self.states()
            states = {name: found.get(name, state({})) for name in wanted}
            return [name for name, at in states.items() if not at.settled or (revision and at.revision != revision)]

        try:
            until("Applications are Synced and Healthy", lambda: not unsettled(), within)
        except AssertionError as problem:
            told = "\n".join(self.told(name) for name in unsettled())
            raise AssertionError(f"{problem}\n{told}") from None

    def told(self, name: str) -> str:
        """All that an Application says about its troubles, in one line of text."""
        status = (self.api.find(f"{APPLICATIONS}/{name}") or {}).get("status", {})
        operation = status.get("operationState", {})
        results = operation.get("syncResult", {}).get("resources", [])
        poor = [each for each in results if each.get("status") == "SyncFailed" or each.get("hookPhase") == "Failed"]
        live = [each for each in status.get("resources", []) if each["status"] != "Synced"]
        parts = (self.state(name), status.get("conditions", []), operation.get("message", ""), poor, live)
        return f"{name}: " + json.dumps(parts)

    def built(self) -> list[str]:
        """The folders that were built so far, in order, as paths of the repository."""
        lines = self.renders.read_text(encoding="utf-8").splitlines() if self.renders.exists() else []
        # kustomize build /…/_argocd-repo/<id>/<path> [options]
        found = [word for line in lines for word in line.split() if "/_argocd-repo/" in word]
        return [word.partition("/_argocd-repo/")[2].partition("/")[2] for word in found]


def _of(cluster: str, name: str) -> bool:
    """Whether an Application is one of a cluster; all are of the cluster without a name."""
    return not cluster or name == cluster or name.startswith(f"{cluster}-")


def state(application: Object) -> State:
    """What an Application says about itself."""
    status = application.get("status", {})
    sync, operation = status.get("sync", {}), status.get("operationState", {})
    return State(
        sync.get("status", ""),
        status.get("health", {}).get("status", ""),
        sync.get("revision", ""),
        operation.get("phase", ""),
        operation.get("startedAt", ""),
    )


def kinds(application: Object) -> set[Kind]:
    """The kinds of the objects that an Application has."""
    return {Kind(each.get("group", ""), each["version"], each["kind"]) for each in _resources(application)}


def objects(application: Object) -> set[Identity]:
    """The objects that an Application has."""
    return {
        Identity(each.get("group", ""), each["kind"], each.get("namespace", ""), each["name"])
        for each in _resources(application)
    }


def _resources(application: Object) -> list[dict[str, str]]:
    """What an Application lists as its own, the objects that only pass for such excepted."""
    found: list[dict[str, str]] = application["status"].get("resources", [])
    return [each for each in found if not each.get("requiresPruning")]


def start(cluster: Cluster, authority: Authority) -> ArgoCD:
    """Argo CD's kinds, its least settings and its processes; the cluster's ``processes`` ends them."""
    cluster.kubectl.apply(_crds())
    until("Argo CD's kinds are served", lambda: cluster.api.find(APPLICATIONS) is not None)
    cluster.kubectl.apply(SETTINGS.read_text(encoding="utf-8"), manager="argocd-install")
    folder = cluster.processes.folder / "argocd"
    environment = _environment(cluster, authority, folder)
    start = cluster.processes.start
    redis = ("--bind", "127.0.0.1", "--port", str(REDIS), "--save", "", "--appendonly", "no")
    start("redis", [programs.path("redis-server"), *redis], ready=lambda: _listens(REDIS))
    loopback = (f"--redis=127.0.0.1:{REDIS}", "--loglevel=info", "--logformat=text")
    start(
        "argocd-repo-server",
        [
            programs.path("argocd"),
            *("--address=127.0.0.1", f"--port={REPO_SERVER}", "--revision-cache-expiration=1s", *loopback),
            *("--metrics-address=127.0.0.1", f"--metrics-port={REPO_SERVER_HEALTH}"),
        ],
        env=environment | {"ARGOCD_BINARY_NAME": "argocd-repo-server"},
        ready=lambda: _listens(REPO_SERVER),
    )
    found = ArgoCD(cluster.api, folder / "renders.txt", cluster.processes, environment)
    found.resume()
    return found


def _crds() -> str:
    """Argo CD's own kinds, out of its module."""
    files = sorted((programs.data("argocd") / "crds").glob("*.yaml"))
    return "\n---\n".join(path.read_text(encoding="utf-8") for path in files)


def _environment(cluster: Cluster, authority: Authority, folder: Path) -> dict[str, str]:
    """The whole environment of Argo CD's processes: no proxies, no settings of git's or Kustomize's from outside."""
    places = {name: folder / name for name in ("home", "tmp", "tls", "ssh", "gpg", "bin")}
    for place in places.values():
        place.mkdir(parents=True)
    (places["ssh"] / "ssh_known_hosts").touch()
    # Read by the name of the host, for repositories over https.
    shutil.copy(authority.certificate, places["tls"] / "github.com")
    _recorded(places["bin"] / "kustomize", programs.path("kustomize"), folder / "renders.txt")
    config: dict[str, Any] = json.loads(cluster.kubeconfig.read_text(encoding="utf-8"))
    config["contexts"][0]["context"]["namespace"] = NAMESPACE
    (folder / "kubeconfig").write_text(json.dumps(config), encoding="utf-8")
    return {
        "PATH": f"{places['bin']}:/usr/bin:/bin",
        "HOME": str(places["home"]),
        "TMPDIR": str(places["tmp"]),
        "LANG": "C.UTF-8",
        **programs.MEMORY_FOR_TIME,
        "KUBECONFIG": str(folder / "kubeconfig"),
        "SSL_CERT_FILE": str(authority.certificate),
        "ARGOCD_FAKE_IN_CLUSTER": "true",  # https://kubernetes.default.svc is the cluster of the kubeconfig
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_TLS_DATA_PATH": str(places["tls"]),
        "ARGOCD_SSH_DATA_PATH": str(places["ssh"]),
        "ARGOCD_GPG_DATA_PATH": str(places["gpg"]),
        "ARGOCD_CONTROLLER_REPLICAS": "1",
        "ARGOCD_CONTROLLER_SHARD": "0",
        "ARGOCD_K8S_CLIENT_QPS": "200",
        "ARGOCD_K8S_CLIENT_BURST": "400",
    }


def _recorded(path: Path, program: str, log: Path) -> None:
    """A program in front of another that notes how it was called."""
    path.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\nexec "{program}" "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
