"""A real Kubernetes control plane as plain processes; only its kubelets are made up."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

import rendering
from e2e.rig import kubelet, programs, waiting
from e2e.rig.api import Api, ApiError, Place
from e2e.rig.kube import Kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.rig.isolation import Isolation
    from e2e.rig.pki import Authority, Pair
    from e2e.rig.process import Processes

VERSION = "1.36.1"
SERVICES = "10.96.0.0/16"
ADMINISTRATORS = ("system:masters",)
# Alone, and quick: the defaults of the last two spare control planes that are shared.
QUIET = ("--bind-address=127.0.0.1", "--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000")


class Rig(NamedTuple):
    """What clusters are made with."""

    isolation: Isolation
    authority: Authority
    processes: Processes


class Cluster(NamedTuple):
    """A running API server and how to talk to it.

    ``name`` is that of its program; ``kubeconfig`` is the administrator's; ``issuer`` is the ``iss`` of ServiceAccount
    tokens, ``tokens`` their keys.
    """

    name: str
    version: str
    kubectl: Kubectl
    api: Api
    kubeconfig: Path
    authority: Authority
    processes: Processes
    issuer: str
    tokens: Pair


class Ports(NamedTuple):
    """Where the programs of one cluster listen on 127.0.0.1."""

    etcd: int
    peers: int
    api: int
    manager: int = 10257
    scheduler: int = 10259


STANDARD = Ports(2379, 2380, 6443)


class Keys(NamedTuple):
    """The certificates and keys of a control plane."""

    server: Pair
    admin: Pair
    tokens: Pair


def start(rig: Rig, issuer: str = rendering.OIDC_ISSUER, ports: Ports = STANDARD) -> tuple[Cluster, kubelet.Kubelet]:
    """A control plane of two nodes in two zones, ready to be used. Stop the kubelets before ``rig.processes``.

    A further one needs a rig and ports of its own.
    """
    cluster = api_server(rig, issuer, ports)
    controllers(rig, cluster, f"--secure-port={ports.manager}")
    config = user_config(cluster, "kube-scheduler")
    flags = (*QUIET, f"--kubeconfig={config}", f"--secure-port={ports.scheduler}")
    rig.processes.start("kube-scheduler", [programs.path("kube-scheduler"), *flags])
    rig.isolation.network(kubelet.NETWORK)
    nodes = kubelet.Kubelet(cluster.api, rig.processes.folder / "kubelet.log", kubelet.ZONES)
    nodes.start()
    await_accounts(cluster)
    return cluster, nodes


def controllers(rig: Rig, cluster: Cluster, *options: str) -> None:
    """Starts a controller manager."""
    argv = [
        programs.path("kube-controller-manager"),
        *QUIET,
        f"--kubeconfig={user_config(cluster, 'kube-controller-manager')}",
        "--use-service-account-credentials=true",
        f"--root-ca-file={rig.authority.certificate}",
        f"--service-account-private-key-file={cluster.tokens.key}",
        f"--cluster-signing-cert-file={rig.authority.certificate}",
        f"--cluster-signing-key-file={rig.authority.key}",
        *options,
    ]
    rig.processes.start(f"{cluster.name}-controllers", argv)


def lent(started: tuple[Cluster, kubelet.Kubelet]) -> Iterator[Cluster]:
    """A cluster for as long as a fixture gives it; what talks to it ends before its programs do."""
    cluster, nodes = started
    yield cluster
    nodes.stop()
    cluster.api.close()


def await_accounts(cluster: Cluster) -> None:
    """Waits until pods can be made in the namespace default."""
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    waiting.until("a ServiceAccount in default", lambda: cluster.api.find(account))


def api_server(
    rig: Rig,
    issuer: str,
    ports: Ports,
    program: str = "kube-apiserver",
    options: tuple[str, ...] = ("--enable-aggregator-routing=true",),
) -> Cluster:
    """An API server and its etcd, ready to be used; several may run, each with its own ports and program."""
    folder = rig.processes.folder / program
    folder.mkdir()
    loopback = ["localhost", "kubernetes.default.svc", "127.0.0.1", "10.96.0.1"]
    keys = Keys(
        rig.authority.issue(program, "kube-apiserver", names=loopback),
        rig.authority.issue(f"{program}-admin", "admin", groups=ADMINISTRATORS),
        rig.authority.signing_key(f"{program}-tokens"),
    )
    name = program.replace("kube-apiserver", "etcd")
    rig.processes.start(name, [programs.path("etcd"), *_etcd(folder / "etcd", ports)])
    api = Api(Place("127.0.0.1", ports.api, rig.authority.certificate, keys.admin))
    flags = [*_api_server(rig.authority, keys, issuer, ports), *options]
    environment = os.environ | programs.MEMORY_FOR_TIME
    rig.processes.start(program, [programs.path(program), *flags], env=environment, ready=lambda: is_ready(api))
    config = folder / "admin.kubeconfig"
    config.write_text(_kubeconfig(api.place), encoding="utf-8")
    version = str(api.get("/version")["gitVersion"]).removeprefix("v")
    kubectl = Kubectl(config, api, folder)
    return Cluster(program, version, kubectl, api, config, rig.authority, rig.processes, issuer, keys.tokens)


def _etcd(data: Path, ports: Ports) -> list[str]:
    clients, peers = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.peers}"
    return [
        f"--data-dir={data}",
        "--unsafe-no-fsync",  # nothing here outlives the run
        "--logger=zap",
        "--log-level=warn",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
    ]


def _api_server(authority: Authority, keys: Keys, issuer: str, ports: Ports) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=0.0.0.0",
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports.api}",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={keys.server.certificate}",
        f"--tls-private-key-file={keys.server.key}",
        f"--client-ca-file={authority.certificate}",
        f"--service-account-issuer={issuer}",
        f"--service-account-key-file={keys.tokens.certificate}",
        f"--service-account-signing-key-file={keys.tokens.key}",
        f"--api-audiences=https://kubernetes.default.svc,{issuer}",
        f"--service-cluster-ip-range={SERVICES}",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
    ]


def is_ready(api: Api) -> bool:
    """Whether the API server says so."""
    try:
        return bool(api.get("/readyz") == "ok")
    except ApiError:
        return False


def user_config(cluster: Cluster, component: str) -> Path:
    """A kubeconfig for a component of Kubernetes, as the user system:COMPONENT."""
    pair = cluster.authority.issue(f"{cluster.name}-{component}", f"system:{component}")
    path = cluster.kubeconfig.with_name(f"{component}.kubeconfig")
    path.write_text(_kubeconfig(cluster.api.place._replace(client=pair)), encoding="utf-8")
    return path


def _kubeconfig(place: Place) -> str:
    """A kubeconfig, in JSON, which is YAML."""
    server = {"server": f"https://{place.host}:{place.port}", "certificate-authority": str(place.authority)}
    user = {"client-certificate": str(place.client.certificate), "client-key": str(place.client.key)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "e2e", "cluster": server}],
        "users": [{"name": "e2e", "user": user}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e", "namespace": "default"}}],
        "current-context": "e2e",
    }
    return json.dumps(config, indent=1)
