"""Stands in for kubelets: keeps nodes Ready and makes scheduled pods run, so that Deployments become Available.

Each pod gets an address of its own in POD_NETWORK, all of which are this machine's: who listens on 0.0.0.0 is reachable
under the address of any pod.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import threading
from typing import TYPE_CHECKING, Any

from e2e.rig.api import STRATEGIC, Api, ApiError

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.rig.kube import Object

NETWORK = "10.42.0.0/16"
POD_NETWORK = "10.42.128.0/17"
ZONES = ("eu-west-1a", "eu-west-1b")
HEARTBEAT = 10.0
PAUSE = 0.2
IGNORED = (404, 409)  # gone, or changed since the list
DONE_WITH = ("Succeeded", "Failed")


class Kubelet:
    """A thread that plays the kubelets of ``zones``: a node each, fake-0 and so on.

    Where there is no scheduler, ``bind`` puts the pods on nodes as well.
    """

    def __init__(self, api: Api, log: Path, zones: tuple[str, ...], *, bind: bool = False) -> None:
        self.api = Api(api.place)
        self.nodes = [f"fake-{number}" for number in range(len(zones))]
        self._zones = zones
        self._log = log
        self._bind = bind
        self._addresses = ipaddress.ip_network(POD_NETWORK).hosts()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kubelet", daemon=True)

    def start(self) -> None:
        """Registers the nodes and begins."""
        for number, zone in enumerate(self._zones):
            with contextlib.suppress(ApiError):  # it is there
                self.api.post("/api/v1/nodes", node(number, zone))
        self.api.close()  # this thread's
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._over.set()
        self._thread.join(30)

    def _work(self) -> None:
        beats = 0
        while not self._over.wait(PAUSE):
            try:
                if beats % round(HEARTBEAT / PAUSE) == 0:
                    self._beat()
                beats += 1
                for pod in self.api.items("/api/v1/pods?resourceVersion=0"):
                    self._see_to(pod)
            except (ApiError, OSError) as problem:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(f"{_now()} {problem!r}\n")
        self.api.close()

    def _beat(self) -> None:
        ready = {"type": "Ready", "status": "True", "reason": "Fake", "lastHeartbeatTime": _now()}
        for name in self.nodes:
            self.api.patch(f"/api/v1/nodes/{name}/status", {"status": {"conditions": [ready]}}, STRATEGIC)

    def _see_to(self, pod: Object) -> None:
        """Moves a pod one step on."""
        name, space = pod["metadata"]["name"], pod["metadata"]["namespace"]
        place = f"/api/v1/namespaces/{space}/pods/{name}"
        phase = pod.get("status", {}).get("phase", "Pending")
        try:
            if pod["metadata"].get("deletionTimestamp"):
                self.api.delete(place, {"gracePeriodSeconds": 0})
            elif phase not in ("Pending", *DONE_WITH):
                return
            elif phase == "Pending" and pod["spec"].get("nodeName"):
                status = running(pod, str(next(self._addresses)))
                self.api.patch(f"{place}/status", {"status": status}, STRATEGIC)
            elif phase == "Pending" and self._bind:
                node_name = self.nodes[hash(name) % len(self.nodes)]
                self.api.post(f"{place}/binding", _binding(pod, node_name))
        except ApiError as problem:
            if problem.status not in IGNORED:
                raise


def node(number: int, zone: str) -> Object:
    """A large node on EC2, by its labels."""
    size = {"cpu": "32", "memory": "128Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "Fake", "lastTransitionTime": _now()}
    labels = {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": f"fake-{number}",
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": zone[:-1],
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"fake-{number}", "labels": labels},
        # An instance that a test may make under this id.
        "spec": {"providerID": f"aws:///{zone}/i-{number:017x}"},
        "status": {
            "capacity": size,
            "allocatable": size,
            "addresses": [{"type": "InternalIP", "address": f"10.42.0.{10 + number}"}],
            "conditions": [ready | {"lastHeartbeatTime": _now()}],
        },
    }


def running(pod: Object, address: str) -> Object:
    """The status of a pod all of whose containers are ready; that of a Job has succeeded."""
    now = _now()
    job = any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))
    gates = [each["conditionType"] for each in pod["spec"].get("readinessGates", [])]
    conditions = [
        {"type": name, "status": "False" if job and "Ready" in name else "True", "lastTransitionTime": now}
        for name in ("Initialized", "Ready", "ContainersReady", "PodScheduled", *gates)
    ]
    done = _container(started=False, state={"terminated": _ended(now)})
    each = done if job else _container(started=True, state={"running": {"startedAt": now}})
    return {
        "phase": "Succeeded" if job else "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "hostIP": "10.42.0.10",
        "startTime": now,
        "conditions": conditions,
        "containerStatuses": [_named(container, each) for container in pod["spec"]["containers"]],
        "initContainerStatuses": [_named(container, done) for container in pod["spec"].get("initContainers", [])],
    }


def _container(*, started: bool, state: Any) -> Object:
    return {"ready": True, "started": started, "restartCount": 0, "imageID": "fake", "state": state}


def _ended(now: str) -> Object:
    return {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}


def _named(container: Object, status: Object) -> Object:
    return {"name": container["name"], "image": container["image"], **status}


def _binding(pod: Object, node_name: str) -> Object:
    target = {"apiVersion": "v1", "kind": "Node", "name": node_name}
    return {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod["metadata"]["name"]}, "target": target}


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
