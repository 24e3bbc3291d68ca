"""Small HTTPS servers on loopback, for what is outside of a cluster or stands in for a part of it."""

from __future__ import annotations

import http.server
import ssl
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.rig.pki import Pair


class Request(NamedTuple):
    """What a client asked; ``path`` has the query, header names are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What it gets."""

    status: int
    body: bytes
    form: str = "application/octet-stream"


class Server:
    """Answers under one address and port until it is stopped. ``answer`` is called in a thread of each connection."""

    def __init__(self, address: str, port: int, pair: Pair, answer: Callable[[Request], Answer]) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.present(pair)
        self._listener = _Listener((address, port), _handler(self._context, answer))
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def present(self, pair: Pair) -> None:
        """Shows this certificate from now on."""
        self._context.load_cert_chain(*map(str, pair))

    def stop(self) -> None:
        """Closes the port."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join(10)


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Whoever hangs up, or trusts another authority, says so himself."""


def _handler(context: ssl.SSLContext, answer: Callable[[Request], Answer]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def setup(self) -> None:
            # The handshake belongs to the connection's thread: one that refuses must not stop the others.
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def do_GET(self) -> None:  # the name http.server wants
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length") or 0))
            given = answer(Request(self.command, self.path, headers, body))
            self.send_response(given.status)
            self.send_header("Content-Type", given.form)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - likewise

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
