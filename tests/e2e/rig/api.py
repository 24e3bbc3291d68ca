"""JSON over HTTPS to an API server: for what would take kubectl hundreds of calls."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from e2e.rig.pki import Pair

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TIMEOUT = 60.0


class ApiError(Exception):
    """An answer that is not 2xx: ``status`` is HTTP's, the text is the server's message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Place(NamedTuple):
    """Where an API server listens, and what this client shows to it."""

    host: str
    port: int
    authority: Path
    client: Pair


class Api:
    """One API server, asked as the administrator. May be used by several threads."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._context = ssl.create_default_context(cafile=str(place.authority))
        self._context.load_cert_chain(*map(str, place.client))
        self._own = threading.local()

    def get(self, path: str, accept: str = JSON) -> Any:
        """The object at a path such as /api/v1/nodes/NAME. Raises ApiError and OSError, as all do."""
        return self.call("GET", path, special={"Accept": accept})

    def find(self, path: str) -> Any:
        """The same, or None where there is nothing."""
        try:
            return self.get(path)
        except ApiError as problem:
            if problem.status == 404:
                return None
            raise

    def items(self, path: str) -> list[dict[str, Any]]:
        """The objects of a list, each with its apiVersion and kind, which lists leave out."""
        found = self.get(path)
        kind = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
        return [kind | each for each in found["items"] or []]

    def post(self, path: str, body: Any, *, user: str = "") -> Any:
        """Creates, as ``user`` where one is named, and gives what was made of it."""
        return self.call("POST", path, body, {"Impersonate-User": user} if user else None)

    def patch(self, path: str, body: Any, form: str = MERGE) -> Any:
        """Changes, by the given form of patch."""
        return self.call("PATCH", path, body, {"Content-Type": form})

    def delete(self, path: str, body: Any = None) -> Any:
        """Deletes."""
        return self.call("DELETE", path, body)

    def call(self, method: str, path: str, body: Any = None, special: Mapping[str, str] | None = None) -> Any:
        """One request, with ``special`` headers."""
        headers = {"Content-Type": JSON, "Accept": JSON} | dict(special or {})
        data = None if body is None else json.dumps(body).encode()
        status, text = self._exchange(method, path, data, headers)
        if not 200 <= status < 300:
            with contextlib.suppress(ValueError, LookupError, TypeError):
                text = json.loads(text)["message"]
            raise ApiError(status, text)
        return json.loads(text) if text.startswith("{") else text

    def _exchange(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
        connection = self._connection()
        for last in (False, True):
            try:
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (http.client.HTTPException, OSError):
                connection.close()  # the next request opens it again
                if last:
                    raise
        raise AssertionError

    def _connection(self) -> http.client.HTTPSConnection:
        """Each thread has one, kept open: a handshake costs more than most requests."""
        connection: http.client.HTTPSConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            where = self.place
            connection = http.client.HTTPSConnection(where.host, where.port, context=self._context, timeout=TIMEOUT)
            self._own.connection = connection
        return connection

    def close(self) -> None:
        """Closes this thread's connection."""
        if connection := getattr(self._own, "connection", None):
            connection.close()
