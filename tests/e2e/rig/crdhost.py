"""Answers for raw.githubusercontent.com, whose CRD files rendered trees name by URL, out of ../shared/upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import upstream
from e2e.rig.web import Answer, Request, Server

if TYPE_CHECKING:
    from e2e.rig.isolation import Isolation
    from e2e.rig.pki import Authority

NAME, ADDRESS = "raw.githubusercontent.com", "127.0.0.3"


class CrdHost:
    """The server; ``asked`` holds the URL of every request. Skips the test where a pinned file is not at hand."""

    def __init__(self, isolation: Isolation, authority: Authority) -> None:
        self.asked: list[str] = []
        self._files = {url: upstream.file(url).read_bytes() for url in upstream.pins()}
        isolation.hosts({NAME: ADDRESS})
        self._server = Server(ADDRESS, 443, authority.issue("crdhost", NAME, names=[NAME]), self._answer)

    def _answer(self, request: Request) -> Answer:
        url = f"https://{NAME}{request.path}"
        self.asked.append(url)
        return Answer(200, self._files[url]) if url in self._files else Answer(404, b"404: Not Found")

    def stop(self) -> None:
        """Closes it."""
        self._server.stop()
