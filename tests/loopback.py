"""A small internet on loopback: a certificate authority, an https server that misbehaves on request, and a proxy."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

from e2e.rig import pki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Authority:
    """A certificate authority whose certificate stands in ``ca_file``, with a server certificate for loopback."""

    def __init__(self, folder: Path) -> None:
        own = pki.Authority(folder)
        self.ca_file = own.certificate
        pair = own.issue("server", "localhost", names=["localhost", "127.0.0.1"])
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*map(str, pair))


class Server:
    """Answers each path as told: bytes are sent, a number is a status, a string a redirect, a function decides itself.

    A list is one answer after the other, the last for ever. ``asked`` holds the paths, ``headers`` those of the last
    request.
    """

    def __init__(self, port: int) -> None:
        self.url = f"https://localhost:{port}"
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.stopped = threading.Event()

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """One request."""
        self.asked.append(handler.path)
        self.headers = dict(handler.headers.items())
        answer = self.answers.get(handler.path, 404)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer(handler)
        elif isinstance(answer, int):
            handler.send_error(answer)
        elif isinstance(answer, str):
            _head(handler, 302, {"Location": answer, "Content-Length": "0"})
        else:
            _head(handler, 200, {"Content-Length": str(len(answer))})
            handler.wfile.write(answer)

    def stall(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Half of a file, and then nothing until the test is over."""
        _head(handler, 200, {"Content-Length": "100"})
        handler.wfile.write(b"x" * 50)
        handler.wfile.flush()
        self.stopped.wait(60)

    def trickle(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """A byte now and then, each in time for a timeout."""
        _head(handler, 200, {"Content-Length": "100000"})
        with contextlib.suppress(OSError):  # the client has had enough
            while not self.stopped.wait(0.05):
                handler.wfile.write(b"x")
                handler.wfile.flush()


def short(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Fewer bytes than announced."""
    _head(handler, 200, {"Content-Length": "100"})
    handler.wfile.write(b"x" * 50)


def chunked(*chunks: bytes, complete: bool = True) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """A body without a length."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        _head(handler, 200, {"Transfer-Encoding": "chunked"})
        with contextlib.suppress(OSError):  # the client has had enough
            for chunk in chunks:
                handler.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            if complete:
                handler.wfile.write(b"0\r\n\r\n")

    return answer


def announced(size: int) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """Says how large it is, and sends nothing."""
    return lambda handler: _head(handler, 200, {"Content-Length": str(size)})


def no_location(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A redirect to nowhere."""
    _head(handler, 302, {"Content-Length": "0"})


def garbage(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Something that is no HTTP."""
    handler.wfile.write(b"\x1b[2Jhello\r\n\r\n")


def _head(handler: http.server.BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in {**headers, "Connection": "close"}.items():
        handler.send_header(name, value)
    handler.end_headers()


class _Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what many tests want."""


@contextlib.contextmanager
def https_server(authority: Authority) -> Iterator[Server]:
    """An https server on a free port of localhost."""
    server: Server

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            # The handshake belongs to the connection's thread: a client that refuses must not stop the others.
            self.request = authority.context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def do_GET(self) -> None:  # the name http.server wants
            self.close_connection = True
            server.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with _Quiet(("127.0.0.1", 0), Handler) as listener, _serving(listener):
        server = Server(listener.server_address[1])
        yield server
        server.stopped.set()


@contextlib.contextmanager
def proxy(*, refuse: bool = False) -> Iterator[tuple[str, list[str]]]:
    """A proxy that knows CONNECT only: its URL, and where it was asked to connect to."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:  # the name http.server wants
            asked.append(self.path)
            if refuse:
                self.send_error(407)
                return
            with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as upstream:
                self.send_response(200)
                self.end_headers()
                _relay(self.connection, upstream)

        def log_message(self, *_: Any) -> None:
            pass

    with _Quiet(("127.0.0.1", 0), Handler) as listener, _serving(listener):
        yield f"http://127.0.0.1:{listener.server_address[1]}", asked


def _relay(one: socket.socket, other: socket.socket) -> None:
    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join(10)


@contextlib.contextmanager
def _serving(listener: http.server.HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown()
        thread.join(10)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Waits for something that happens in another process."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")
