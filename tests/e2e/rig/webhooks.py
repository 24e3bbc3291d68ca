"""Stands in for the programs behind admission webhooks: answers that all is well, and injects the caBundle.

The API server really calls it, through the Service and to the address of a pod, so a webhook that points elsewhere or
at another port is never answered.
"""

from __future__ import annotations

import base64
import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from e2e.rig.api import JSON
from e2e.rig.web import Answer, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.rig.api import Api
    from e2e.rig.controlplane import Cluster
    from e2e.rig.kube import Object

ROOT = "/apis/admissionregistration.k8s.io/v1"
CONFIGURATIONS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
PATCH = "application/json-patch+json"
DEFAULT_PORT = 443


class Call(NamedTuple):
    """One question of the API server."""

    path: str
    operation: str
    resource: str
    name: str


class Backend(NamedTuple):
    """Who serves a port of a Service: the names of ready pods, and the port they listen on."""

    pods: list[str]
    port: int


def configurations(api: Api) -> Iterator[tuple[str, Object]]:
    """Every webhook configuration, and its path in the API."""
    for kind in CONFIGURATIONS:
        for found in api.items(f"{ROOT}/{kind}"):
            yield f"{ROOT}/{kind}/{found['metadata']['name']}", found


def backend(api: Api, namespace: str, service: str, port: int) -> Backend | None:
    """Who serves a port of a Service now, or None: no such Service, no such port, or no pod."""
    spaces = f"/api/v1/namespaces/{namespace}/services/{service}"
    found = api.find(spaces)
    names = [each.get("name", "") for each in (found or {"spec": {}})["spec"].get("ports", []) if each["port"] == port]
    selector = f"kubernetes.io%2Fservice-name%3D{service}"
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector={selector}"
    for part in api.items(path) if names else []:
        ports = [each["port"] for each in part.get("ports") or [] if each.get("name", "") == names[0]]
        ready = [each for each in part.get("endpoints") or [] if each["conditions"].get("ready")]
        if ports and ready:
            return Backend(sorted(each["targetRef"]["name"] for each in ready), ports[0])
    return None


class Webhooks:
    """The stand-in. ``calls`` holds what the API server has asked."""

    def __init__(self, cluster: Cluster) -> None:
        self.calls: list[Call] = []
        self.cluster = cluster
        self._api = cluster.api
        self._authority = cluster.authority
        self._servers: dict[int, Server] = {}
        self._names: set[str] = set()
        self._number = itertools.count()

    def beside(self, cluster: Cluster) -> Webhooks:
        """The same for another cluster, whose pods have the same addresses."""
        other = Webhooks(cluster)
        other.calls, other._authority = self.calls, self._authority
        other._servers, other._names, other._number = self._servers, self._names, self._number
        return other

    def play(self, wanted: Callable[[Object], bool] = lambda _: True) -> list[str]:
        """Serves the webhooks that there are now, and injects the authority's certificate into them.

        ``wanted`` says which configurations. The host names of those without a pod to serve them are given back; call
        it again for these.
        """
        without: set[str] = set()
        for path, configuration in [each for each in configurations(self._api) if wanted(each[1])]:
            for webhook in configuration["webhooks"]:
                if service := webhook["clientConfig"].get("service"):
                    without |= self._serve(service)
            self._inject(path, configuration)
        return sorted(without)

    def _serve(self, service: dict[str, Any]) -> set[str]:
        namespace, name = service["namespace"], service["name"]
        host = f"{name}.{namespace}.svc"
        behind = backend(self._api, namespace, name, service.get("port", DEFAULT_PORT))
        if behind is None:
            return {host}
        if host not in self._names or behind.port not in self._servers:
            self._listen(host, behind.port)
        return set()

    def _listen(self, host: str, port: int) -> None:
        self._names.add(host)
        pair = self._authority.issue(f"webhooks-{next(self._number)}", "webhooks", names=sorted(self._names))
        for server in self._servers.values():
            server.present(pair)
        if port not in self._servers:
            everywhere = "0.0.0.0"  # noqa: S104 - in a network of our own, under the addresses of all pods
            self._servers[port] = Server(everywhere, port, pair, self._answer)

    def _inject(self, path: str, configuration: Object) -> None:
        bundle = base64.b64encode(self._authority.certificate.read_bytes()).decode()
        changes = [
            {"op": "add", "path": f"/webhooks/{number}/clientConfig/caBundle", "value": bundle}
            for number, webhook in enumerate(configuration["webhooks"])
            if webhook["clientConfig"].get("caBundle") != bundle
        ]
        if changes:
            self._api.patch(f"{path}?fieldManager=cainjector", changes, PATCH)

    def _answer(self, request: Request) -> Answer:
        review = json.loads(request.body)
        asked = review["request"]
        path = request.path.partition("?")[0]
        self.calls.append(Call(path, asked["operation"], asked["resource"]["resource"], asked.get("name", "")))
        answer = {key: review[key] for key in ("apiVersion", "kind")}
        answer["response"] = {"uid": asked["uid"], "allowed": True}
        return Answer(200, json.dumps(answer).encode(), JSON)

    def stop(self) -> None:
        """Closes its ports. The configurations stay."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()
