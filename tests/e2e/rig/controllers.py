"""Plays the add-ons' controllers for as long as their pods run: what they write into the objects of their add-ons.

Those are the writes that could be taken for drift: certificates in webhook configurations and Secrets, status. None of
it happens before the Deployment of the controller that would do it is Available, so that an order which does not work
on a real cluster does not work here either.
"""

from __future__ import annotations

import base64
import datetime as dt
import threading
from typing import TYPE_CHECKING

from e2e.rig.api import Api, ApiError

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.rig.kube import Object
    from e2e.rig.webhooks import Webhooks

INJECT = ("cert-manager.io/inject-ca-from", "cert-manager.io/inject-ca-from-secret")
COMPONENT = "external-secrets.io/component"
PAUSE = 0.3
IGNORED = (404, 409, 422)  # gone, or changed since the list


class Controllers:
    """A thread that plays the controllers of one API server."""

    def __init__(self, webhooks: Webhooks, log: Path) -> None:
        self._webhooks = webhooks
        self._api = Api(webhooks.cluster.api.place)
        self._pair = webhooks.cluster.authority.issue("controllers", "controllers", names=["controllers"])
        self._log = log
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="controllers", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._over.set()
        self._thread.join(30)

    def _work(self) -> None:
        while not self._over.wait(PAUSE):
            try:
                self._turn(self._running())
            except (ApiError, OSError) as problem:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(f"{_now()} {problem!r}\n")
        self._api.close()
        self._webhooks.cluster.api.close()  # each thread has a connection of its own

    def _running(self) -> set[str]:
        """The Deployments that are Available."""
        deployments = self._api.items("/apis/apps/v1/deployments?resourceVersion=0")
        return {each["metadata"]["name"] for each in deployments if _condition(each, "Available") == "True"}

    def _turn(self, running: set[str]) -> None:
        """What each of them would do now."""
        if "cert-manager" in running:
            for kind in ("issuers", "clusterissuers", "certificates"):
                self._tell(f"/apis/cert-manager.io/v1/{kind}")
            for each in self._list("/apis/cert-manager.io/v1/certificates"):
                self._fill(each["metadata"]["namespace"], each["spec"]["secretName"], make=True)
        if "cert-manager-cainjector" in running:
            self._webhooks.play(lambda obj: not obj["metadata"].get("annotations", {}).keys().isdisjoint(INJECT))
        if "external-secrets-cert-controller" in running:
            self._fill("external-secrets", "external-secrets-webhook")
            self._webhooks.play(lambda obj: COMPONENT in obj["metadata"].get("labels", {}))
        if "external-secrets" in running:
            self._tell("/apis/external-secrets.io/v1/clustersecretstores")

    def _tell(self, path: str) -> None:
        """Condition Ready into the status of every object of a list that has none."""
        for each in self._list(path):
            if _condition(each, "Ready") != "True":
                now = _now()
                ready = {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": now}
                self._patch(f"{_place(path, each)}/status", {"status": {"conditions": [ready]}})

    def _fill(self, namespace: str, name: str, *, make: bool = False) -> None:
        """A certificate into a Secret, which is made where that is the controller's part."""
        path = f"/api/v1/namespaces/{namespace}/secrets"
        found = self._api.find(f"{path}/{name}")
        if (found is None and not make) or (found and found.get("data")):
            return
        data = {"tls.crt": _base64(self._pair.certificate), "tls.key": _base64(self._pair.key)}
        data["ca.crt"] = _base64(self._webhooks.cluster.authority.certificate)
        if found is None:
            self._api.post(path, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": name}, "data": data})
        else:
            self._patch(f"{path}/{name}", {"data": data})

    def _list(self, path: str) -> list[Object]:
        """The objects of a list; none where the kind is not served yet."""
        try:
            return self._api.items(path)
        except ApiError as problem:
            if problem.status not in IGNORED:
                raise
            return []

    def _patch(self, path: str, body: Object) -> None:
        try:
            self._api.patch(path, body)
        except ApiError as problem:
            if problem.status not in IGNORED:
                raise


def _place(path: str, obj: Object) -> str:
    """The path of an object of a list over all namespaces."""
    base, _, kind = path.rpartition("/")
    metadata = obj["metadata"]
    space = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{base}{space}/{kind}/{metadata['name']}"


def _condition(obj: Object, kind: str) -> str:
    conditions = obj.get("status", {}).get("conditions") or []
    return next((str(each["status"]) for each in conditions if each["type"] == kind), "")


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
