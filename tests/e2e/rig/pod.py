"""A program that runs as a pod: its log, and what its readiness probe says."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, NamedTuple

from e2e.rig import waiting
from e2e.rig.process import ProcessError

if TYPE_CHECKING:
    from e2e.rig.kube import Object
    from e2e.rig.process import Process

STARTS = "container.py starts "  # what container.py writes first


class Pod(NamedTuple):
    """A running program; ``addresses`` are those of the pods it stands for."""

    name: str
    addresses: list[str]
    process: Process
    container: Object
    readiness: str = ""

    def log(self) -> str:
        """All it has written since it was started last."""
        text = self.process.log.read_text(encoding="utf-8", errors="replace")
        return text.rpartition(STARTS)[2]

    def alive(self) -> bool:
        """True. Raises ProcessError, with the end of its log, if it has ended."""
        if (code := self.process.running.poll()) is not None:
            raise ProcessError(f"{self.name} ended with {code}:\n{self.process.tail()}")
        return True

    def says(self, *words: str, within: float = 60.0) -> str:
        """Waits until the log holds one of the words, and gives it."""
        return waiting.until(
            f"{self.name} says {words}", lambda: next((word for word in words if word in self.log()), ""), within
        )

    def ready(self) -> bool:
        """What its readiness probe says, asked as the kubelet would; True without one."""
        probe = self.container.get("readinessProbe", {}).get("httpGet")
        if probe is None:
            return self.alive()
        named = {port["name"]: port["containerPort"] for port in self.container.get("ports", []) if "name" in port}
        port = named.get(probe["port"], probe["port"])
        self.alive()
        connection = http.client.HTTPConnection(self.addresses[0], port, timeout=5)
        try:
            connection.request("GET", self.readiness or probe["path"])
            return 200 <= connection.getresponse().status < 400
        finally:
            connection.close()
