"""Watches objects of an API server and keeps what happened to them, in the order in which the server wrote it."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import threading
from typing import TYPE_CHECKING, NamedTuple, Self

from e2e.rig.waiting import until

if TYPE_CHECKING:
    from e2e.rig.api import Api, Place
    from e2e.rig.kube import Object


class Event(NamedTuple):
    """What happened: ``revision`` grows with every write to the server, whatever the kind of the object.

    ``what`` is ADDED, MODIFIED or DELETED; ``obj`` is the object after it, or as it last was.
    """

    revision: int
    what: str
    obj: Object

    @property
    def name(self) -> str:
        """KIND/NAME of the object."""
        return f"{self.obj['kind']}/{self.obj['metadata']['name']}"


class Watch:
    """A context in which everything is seen that happens to the objects of some lists.

    ``paths`` are lists that the server has, such as /apis/apps/v1/deployments.
    """

    def __init__(self, api: Api, *paths: str) -> None:
        self._api, self._paths = api, paths
        self._events: list[Event] = []
        self._streams: list[_Stream] = []

    def __enter__(self) -> Self:
        for path in self._paths:
            begin = self._api.get(f"{path}?limit=1")["metadata"]["resourceVersion"]
            stream = _Stream(self._api.place, f"{path}?watch=1&resourceVersion={begin}", self._events)
            self._streams.append(stream)
            stream.start()
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.stop()

    @property
    def events(self) -> list[Event]:
        """All of it, in order."""
        return sorted(self._events, key=lambda event: event.revision)

    def of(self, name: str, what: str = "") -> list[Event]:
        """What happened to KIND/NAME; one kind of event, or all."""
        return [event for event in self.events if event.name == name and what in ("", event.what)]

    def first(self, name: str, what: str, within: float = 60.0) -> Event:
        """The first such event, waited for. Raises AssertionError."""
        return until(f"{name} {what}", lambda: self.of(name, what), within)[0]


class _Stream(threading.Thread):
    """One watch: a line of JSON for each event."""

    def __init__(self, place: Place, path: str, events: list[Event]) -> None:
        super().__init__(name=f"watch {path}", daemon=True)
        context = ssl.create_default_context(cafile=str(place.authority))
        context.load_cert_chain(*map(str, place.client))
        self._connection = http.client.HTTPSConnection(place.host, place.port, context=context)
        self._connection.request("GET", path)
        self._answer = self._connection.getresponse()
        assert self._answer.status == http.HTTPStatus.OK, self._answer.read()
        self._events = events

    def run(self) -> None:
        # It is ended by closing the connection under it.
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := self._answer.readline():
                event = json.loads(line)
                self._events.append(
                    Event(int(event["object"]["metadata"]["resourceVersion"]), event["type"], event["object"])
                )

    def stop(self) -> None:
        """Ends it."""
        if sock := self._connection.sock:
            with contextlib.suppress(OSError):
                sock.shutdown(2)
        self.join(10)
        self._connection.close()
