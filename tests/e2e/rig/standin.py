"""What the stand-ins for missing programs share: the API server as a pod reaches it, admission webhooks, health."""

from __future__ import annotations

import json
import os
import ssl
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class ApiError(Exception):
    """What the API server refused; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API server, asked as the pod's ServiceAccount: what its RBAC does not allow is refused."""

    def __init__(self) -> None:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        self._base = f"https://{host}:{port}"
        self._context = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
        with open(f"{ACCOUNT}/token", encoding="ascii") as file:
            self._token = file.read()

    def __call__(self, method: str, path: str, body: Any = None, form: str = "application/json") -> Any:
        """One request; the object it gives. Raises ApiError."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": form}
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310 - https
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            text = problem.read().decode()
            message = json.loads(text).get("message", text) if text.startswith("{") else text
            raise ApiError(problem.code, f"{method} {path}: {problem.code} {message}") from None

    def items(self, path: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        found: list[dict[str, Any]] = self("GET", path)["items"]
        return found

    def find(self, path: str) -> dict[str, Any] | None:
        """An object, or None."""
        try:
            found: dict[str, Any] = self("GET", path)
        except ApiError as problem:
            if problem.status == 404:
                return None
            raise
        return found

    def merge(self, path: str, change: Any) -> Any:
        """A merge patch."""
        return self("PATCH", path, change, MERGE)


def serve(port: int, certificate: tuple[Path, Path] | None = None) -> None:
    """Answers health checks (GET) with ok, and admission reviews (POST) with yes; in the background."""
    server = ThreadingHTTPServer(("0.0.0.0", port), _Handler)  # noqa: S104 - in a network of its own
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, certificate))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(b"ok")

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"uid": review["request"]["uid"], "allowed": True}
        print("admitted", self.path, review["request"]["kind"]["kind"], review["request"].get("name"), flush=True)
        self._answer(json.dumps({**review, "request": None, "response": answer}).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def repeat(work: Callable[[], None], ready: Callable[[], None]) -> None:
    """Does the work for ever, every half second; what AWS or Kubernetes refuse is written down and tried again."""
    import time

    first = True
    said = ""
    while True:
        try:
            work()
            said = ""
            if first:
                ready()
                first = False
        except Exception as problem:  # noqa: BLE001 - a controller goes on whatever happens
            if (now := f"error {type(problem).__name__} {problem}") != said:
                said = now
                print(now, flush=True)
        time.sleep(0.5)
