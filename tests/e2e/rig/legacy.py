"""Kubernetes 1.21, the last that the first ALB controller works with: as much of it as it takes for pods to run.

Only the API server is of that version. Of the controller manager of today those controllers run whose APIs 1.21 has
already, and the made-up kubelets place the pods themselves, as today's scheduler asks for APIs that 1.21 lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rendering
from e2e.rig import controlplane, kubelet
from e2e.rig.controlplane import Ports

if TYPE_CHECKING:
    from e2e.rig.controlplane import Cluster, Rig

VERSION = "1.21.14"
PROGRAM = "kube-apiserver-1.21"
CONTROLLERS = (
    "deployment-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
)


def start(rig: Rig, issuer: str = rendering.OIDC_ISSUER) -> tuple[Cluster, kubelet.Kubelet]:
    """Such a cluster, beside the one of today. Stop the kubelets before ``rig.processes``."""
    cluster = controlplane.api_server(rig, issuer, Ports(2389, 2390, 6444), PROGRAM, options=())
    controlplane.controllers(rig, cluster, f"--controllers={','.join(CONTROLLERS)}", "--secure-port=10267")
    rig.isolation.network(kubelet.NETWORK)
    nodes = kubelet.Kubelet(
        cluster.api, rig.processes.folder / "kubelet-1.21.log", ("eu-west-1a", "eu-west-1b"), bind=True
    )
    nodes.start()
    controlplane.await_accounts(cluster)
    return cluster, nodes
