"""Downloads one pinned file over https, within limits of size and time; only the pinned bytes come back."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import string
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from typing import TYPE_CHECKING

from okgen import __version__
from okgen.problem import Unable
from okgen.upstream import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    Advance = Callable[[int, int | None], None]  # bytes so far, bytes in all where known

REDIRECTS = 5  # GitHub and mirrors need one or two; more is a loop
_CHUNK = 64 * 1024
_REDIRECT = {301, 302, 303, 307, 308}
_PASSING = {408, 429, 500, 502, 503, 504}  # may be gone in a moment; other answers stay what they are

_WAY_OUT = "check the network and the proxy settings, or name a mirror (--mirror)"


class Failed(Exception):  # noqa: N818 - it is a verdict on what was asked for
    """One file could not be had. ``wrong``: an answer came, but not the pinned file; ``passing``: worth another try."""

    def __init__(self, message: str, *, wrong: bool = False, passing: bool = False) -> None:
        self.wrong = wrong
        self.passing = passing
        super().__init__("".join(char if char.isprintable() else "?" for char in message))


class Fetcher:
    """Downloads by the machine's settings: proxies (HTTPS_PROXY, NO_PROXY) and trust (SSL_CERT_FILE, SSL_CERT_DIR).

    ``ca_file`` is trusted besides. ``timeout`` (s) bounds each wait for the network, ``patience`` (s) a whole
    download, ``pauses`` (s) stand between tries. Only https, after redirects too: the hash would tell a forged file,
    but not hide what is asked for, nor the password of a mirror.
    """

    def __init__(
        self,
        ca_file: str = "",
        *,
        timeout: float = 30,
        patience: float = 600,
        pauses: tuple[float, ...] = (0.5, 2),
    ) -> None:
        self._ca_file = ca_file
        self._timeout = timeout
        self._patience = patience
        self._pauses = pauses
        self._down: set[str] = set()
        self._opener: urllib.request.OpenerDirector | None = None

    def fetch(self, url: str, sha256: str, advance: Advance) -> bytes:
        """The bytes behind a URL, whose SHA-256 (hexadecimal) is that one. Raises Failed, Unable for a bad CA file."""
        host = urllib.parse.urlsplit(url).netloc
        for pause in () if host in self._down else self._pauses:
            try:
                return self._attempt(url, sha256, advance)
            except Failed as failed:
                if not failed.passing:
                    raise
            time.sleep(pause)
        try:
            return self._attempt(url, sha256, advance)
        except Failed as failed:
            if failed.passing:
                self._down.add(host)  # the next files are asked for once each: many files, one wait
            raise

    def _attempt(self, url: str, sha256: str, advance: Advance) -> bytes:
        """One try; whatever the network does to it becomes a Failed."""
        try:
            with self._open(url) as response:
                return _checked(self._body(url, response, advance), url, sha256)
        except urllib.error.HTTPError as error:
            error.close()
            what = f"{shown(url)}: {error.code} {error.reason}"
            raise Failed(f"{what}; {_WAY_OUT}", passing=error.code in _PASSING) from None
        except urllib.error.URLError as error:
            raise _unreachable(url, error.reason) from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise _unreachable(url, error) from None

    def _open(self, url: str) -> http.client.HTTPResponse:
        """The answer with the file, after at most five redirects."""
        target, secret = _without_secret(url)
        host = urllib.parse.urlsplit(target).netloc
        for _ in range(REDIRECTS + 1):
            parts = urllib.parse.urlsplit(target)
            if parts.scheme != "https":
                raise Failed(f"{shown(url)}: leads to {shown(target)}; only https is fetched")
            request = urllib.request.Request(target, headers={"User-Agent": f"okgen/{__version__}"})  # noqa: S310 - https
            if secret and parts.netloc == host:
                request.add_unredirected_header("Authorization", secret)
            try:
                response: http.client.HTTPResponse = self._director().open(request, timeout=self._timeout)
            except urllib.error.HTTPError as error:
                if error.code not in _REDIRECT or not error.headers.get("Location"):
                    raise
                error.close()
                location = urllib.parse.quote(error.headers["Location"], safe=string.punctuation)
                target = _without_secret(urllib.parse.urljoin(target, location))[0]
            else:
                return response
        raise Failed(f"{shown(url)}: more than {REDIRECTS} redirects; {_WAY_OUT}")

    def _body(self, url: str, response: http.client.HTTPResponse, advance: Advance) -> bytes:
        """All bytes of an answer. Reads no more than announced and no more than a CRD file can have."""
        announced = response.headers.get("Content-Length", "")
        total = int(announced) if announced.isdecimal() else None
        body = bytearray()
        end = time.monotonic() + self._patience
        while total is None or len(body) < total:
            if max(len(body), total or 0) > SIZE:
                raise Failed(f"{shown(url)}: larger than {SIZE:,} bytes, which no pinned file is", wrong=True)
            if time.monotonic() > end:
                raise Failed(f"{shown(url)}: not complete after {self._patience:g} s; {_WAY_OUT}", passing=True)
            chunk = response.read1(_CHUNK)  # read() would wait for the whole chunk, however slowly it comes
            if not chunk:
                break
            body += chunk
            advance(len(body), total)
        if total is not None and len(body) < total:
            what = f"the connection ended after {len(body):,} of {total:,} bytes"
            raise Failed(f"{shown(url)}: {what}; {_WAY_OUT}", passing=True)
        return bytes(body)

    def _director(self) -> urllib.request.OpenerDirector:
        """What opens https URLs and nothing else: files, ftp and http have no handler here, nor have redirects."""
        if self._opener is None:
            context = ssl.create_default_context()
            if self._ca_file:
                try:
                    context.load_verify_locations(self._ca_file)
                except (OSError, ssl.SSLError) as error:
                    message = f"--ca-file {self._ca_file}: no certificates there ({error.strerror or error})"
                    raise Unable(message) from None
            self._opener = urllib.request.OpenerDirector()
            for handler in (
                urllib.request.ProxyHandler(),
                urllib.request.HTTPSHandler(context=context),
                urllib.request.HTTPErrorProcessor(),
                urllib.request.HTTPDefaultErrorHandler(),
            ):
                self._opener.add_handler(handler)
        return self._opener


def shown(url: str) -> str:
    """A URL as messages show it: without name and password, and without a query, which may hold a signature."""
    return urllib.parse.urlsplit(_without_secret(url)[0])._replace(query="", fragment="").geturl()


def _without_secret(url: str) -> tuple[str, str]:
    """The URL without its name and password, and the Authorization header made of these (empty without)."""
    parts = urllib.parse.urlsplit(url)
    secret, at, host = parts.netloc.rpartition("@")
    header = f"Basic {b64encode(urllib.parse.unquote_to_bytes(secret)).decode()}" if at else ""
    return parts._replace(netloc=host).geturl(), header


def _unreachable(url: str, reason: object) -> Failed:
    """What a failure below HTTP means for people."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        what = f"the certificate is not trusted ({reason.verify_message})"
        return Failed(f"{shown(url)}: {what}; name your own CA with --ca-file or SSL_CERT_FILE")
    if isinstance(reason, TimeoutError):
        return Failed(f"{shown(url)}: no answer in time; {_WAY_OUT}", passing=True)
    text = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason) or type(reason).__name__
    passing = not isinstance(reason, http.client.InvalidURL | ValueError)
    return Failed(f"{shown(url)}: {text}; {_WAY_OUT}", passing=passing)


def _checked(body: bytes, url: str, sha256: str) -> bytes:
    """The body, if it is the pinned one."""
    found = hashlib.sha256(body).hexdigest()
    if found == sha256.lower():
        return body
    page = body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))
    hint = (
        "it is a web page, as proxies and logins send"
        if page
        else "do not use it; is a mirror or proxy altering files?"
    )
    raise Failed(f"{shown(url)}: sha256 is {found}, pinned is {sha256}; {hint}", wrong=True)
