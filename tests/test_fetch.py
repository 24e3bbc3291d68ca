"""Downloads from a real https server on loopback, which fails in every way servers do."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

import loopback
from loopback import Authority, Server
from okgen.problem import Unable
from okgen.upstream import SIZE, fetch
from okgen.upstream.fetch import Failed, Fetcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b"kind: CustomResourceDefinition\n" * 4000
PIN = hashlib.sha256(BODY).hexdigest()
WAY_OUT = "check the network and the proxy settings, or name a mirror (--mirror)"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, and a machine without proxy settings."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with loopback.https_server(authority) as running:
        yield running


@pytest.fixture
def fetcher(authority: Authority) -> Fetcher:
    return Fetcher(str(authority.ca_file), pauses=(0, 0))


def get(fetcher: Fetcher, url: str, pin: str = PIN) -> bytes:
    return fetcher.fetch(url, pin, lambda _done, _total: None)


def refused(fetcher: Fetcher, url: str) -> Failed:
    with pytest.raises(Failed) as caught:
        get(fetcher, url)
    return caught.value


def test_a_file(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = BODY
    steps: list[tuple[int, int | None]] = []
    assert fetcher.fetch(f"{server.url}/f", PIN.upper(), lambda *step: steps.append(step)) == BODY
    assert steps[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert server.headers["User-Agent"].startswith("okgen/")


def test_a_file_without_a_length(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = loopback.chunked(BODY[:1000], BODY[1000:])
    steps: list[tuple[int, int | None]] = []
    assert fetcher.fetch(f"{server.url}/f", PIN, lambda *step: steps.append(step)) == BODY
    assert steps[-1] == (len(BODY), None)


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"kind: Other\n", "do not use it; is a mirror or proxy altering files?"),
        (b"", "do not use it; is a mirror or proxy altering files?"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "it is a web page, as proxies and logins send"),
    ],
)
def test_other_content_than_pinned(server: Server, fetcher: Fetcher, body: bytes, hint: str) -> None:
    server.answers["/f"] = body
    failed = refused(fetcher, f"{server.url}/f")
    assert failed.wrong
    assert str(failed) == f"{server.url}/f: sha256 is {hashlib.sha256(body).hexdigest()}, pinned is {PIN}; {hint}"
    assert server.asked == ["/f"], "another try would not make it right"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (loopback.short, "the connection ended after 50 of 100 bytes"),
        (loopback.chunked(b"x" * 50, complete=False), "IncompleteRead"),
        (500, "500 Internal Server Error"),
        (503, "503 Service Unavailable"),
        (429, "429 Too Many Requests"),
        (loopback.garbage, "?[2Jhello"),
    ],
)
def test_what_may_pass_is_tried_three_times(server: Server, fetcher: Fetcher, answer: object, cause: str) -> None:
    server.answers["/f"] = answer
    failed = refused(fetcher, f"{server.url}/f")
    assert not failed.wrong
    assert str(failed).startswith(f"{server.url}/f: {cause}")
    assert str(failed).endswith(f"; {WAY_OUT}")
    assert server.asked == ["/f"] * 3


def test_a_host_that_is_down_is_waited_for_once(server: Server, fetcher: Fetcher) -> None:
    server.answers |= {"/f": 503, "/g": 503, "/h": BODY}
    for path in ("/f", "/g"):
        refused(fetcher, server.url + path)
    assert server.asked == ["/f", "/f", "/f", "/g"]
    assert get(fetcher, f"{server.url}/h") == BODY


@pytest.mark.parametrize("answer", [500, loopback.short])
def test_a_passing_failure_passes(server: Server, fetcher: Fetcher, answer: object) -> None:
    server.answers["/f"] = [answer, answer, BODY]
    assert get(fetcher, f"{server.url}/f") == BODY


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (404, "404 Not Found"),
        (403, "403 Forbidden"),
        (loopback.no_location, "302 Found"),
    ],
)
def test_what_stays_is_not_tried_again(server: Server, fetcher: Fetcher, answer: object, cause: str) -> None:
    server.answers["/f"] = answer
    assert str(refused(fetcher, f"{server.url}/f")) == f"{server.url}/f: {cause}; {WAY_OUT}"
    assert server.asked == ["/f"]


def test_too_large_as_announced(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = loopback.announced(SIZE + 1)
    failed = refused(fetcher, f"{server.url}/f")
    assert failed.wrong
    assert str(failed) == f"{server.url}/f: larger than 20,971,520 bytes, which no pinned file is"


def test_too_large_in_the_end(server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SIZE", 100_000)
    server.answers["/f"] = loopback.chunked(*[b"x" * 60_000] * 100)
    assert "larger than 100,000 bytes" in str(refused(fetcher, f"{server.url}/f"))


def test_a_server_that_stops_sending(server: Server, authority: Authority) -> None:
    server.answers["/f"] = server.stall
    failed = refused(Fetcher(str(authority.ca_file), timeout=1, pauses=(0,)), f"{server.url}/f")
    assert str(failed) == f"{server.url}/f: no answer in time; {WAY_OUT}"
    assert server.asked == ["/f"] * 2


def test_a_server_that_never_ends(server: Server, authority: Authority) -> None:
    server.answers["/f"] = server.trickle
    failed = refused(Fetcher(str(authority.ca_file), patience=0.3, pauses=()), f"{server.url}/f")
    assert str(failed) == f"{server.url}/f: not complete after 0.3 s; {WAY_OUT}"


def test_redirects_are_followed(server: Server, fetcher: Fetcher) -> None:
    server.answers |= {"/f": "/odd place\u00e9?signature=1", "/odd%20place%C3%A9?signature=1": BODY}
    assert get(fetcher, f"{server.url}/f") == BODY
    assert server.asked == ["/f", "/odd%20place%C3%A9?signature=1"]


def test_a_redirect_to_http(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = "http://user:secret@localhost:1/f?token=secret"
    failed = refused(fetcher, f"{server.url}/f")
    assert str(failed) == f"{server.url}/f: leads to http://localhost:1/f; only https is fetched"
    assert not failed.wrong


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "ftp://localhost/f", "data:,x", "HTTP://localhost/"])
def test_nothing_but_https(server: Server, fetcher: Fetcher, scheme: str) -> None:
    server.answers["/f"] = scheme
    assert "only https is fetched" in str(refused(fetcher, f"{server.url}/f"))
    assert "only https is fetched" in str(refused(fetcher, scheme))


def test_redirects_without_end(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = "/f"
    assert str(refused(fetcher, f"{server.url}/f")) == f"{server.url}/f: more than 5 redirects; {WAY_OUT}"
    assert server.asked == ["/f"] * 6


def test_a_redirect_to_nowhere(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = "https://[nowhere"
    assert str(refused(fetcher, f"{server.url}/f")).startswith(f"{server.url}/f: ")


def test_a_certificate_of_an_unknown_authority(server: Server) -> None:
    failed = refused(Fetcher(pauses=()), f"{server.url}/f")
    assert str(failed).startswith(f"{server.url}/f: the certificate is not trusted (")
    assert str(failed).endswith("); name your own CA with --ca-file or SSL_CERT_FILE")
    assert not server.asked


def test_the_authority_of_the_environment(
    server: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    server.answers["/f"] = BODY
    assert get(Fetcher(), f"{server.url}/f") == BODY


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n"])
def test_a_ca_file_without_certificates(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unable, match=f"^--ca-file {path}: no certificates there"):
        get(Fetcher(str(path)), "https://localhost/")


def test_the_proxy_of_the_environment(server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["/f"] = BODY
    with loopback.proxy() as (url, asked):
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert get(fetcher, f"{server.url}/f") == BODY
    assert asked == [server.url.removeprefix("https://")]


def test_no_proxy(server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["/f"] = BODY
    with loopback.proxy() as (url, asked):
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("NO_PROXY", "localhost")
        assert get(fetcher, f"{server.url}/f") == BODY
    assert not asked


def test_a_proxy_that_refuses(server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback.proxy(refuse=True) as (url, _):
        monkeypatch.setenv("HTTPS_PROXY", url.replace("://", "://user:secret@"))
        failed = refused(fetcher, f"{server.url}/f")
    assert "407 Proxy Authentication Required" in str(failed)
    assert "secret" not in str(failed)


def test_name_and_password_of_a_mirror(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = BODY
    assert get(fetcher, f"{server.url.replace('://', '://user:p%40ss@')}/f") == BODY
    assert server.headers["Authorization"] == "Basic dXNlcjpwQHNz"


def test_the_password_goes_to_no_other_host(server: Server, fetcher: Fetcher) -> None:
    server.answers |= {"/f": ["/same", server.url.replace("localhost", "127.0.0.1") + "/other"], "/same": BODY}
    server.answers["/other"] = BODY
    url = f"{server.url.replace('://', '://user:secret@')}/f"
    assert get(fetcher, url) == BODY
    assert "Authorization" in server.headers
    assert get(fetcher, url) == BODY
    assert server.asked[-1] == "/other"
    assert "Authorization" not in server.headers


def test_the_password_is_not_shown(server: Server, fetcher: Fetcher) -> None:
    failed = refused(fetcher, f"{server.url.replace('://', '://user:secret@')}/f?token=secret")
    assert str(failed) == f"{server.url}/f: 404 Not Found; {WAY_OUT}"


def test_a_server_that_is_down(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    url = f"https://localhost:{loopback.free_port()}/f"
    failed = refused(Fetcher(str(authority.ca_file), pauses=(0,)), url)
    assert str(failed) == f"{url}: Connection refused; {WAY_OUT}"
    assert not failed.wrong


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    assert "https://host.invalid/f: " in str(refused(Fetcher(pauses=()), "https://host.invalid/f"))


def test_a_url_that_cannot_be_asked_for() -> None:
    failed = refused(Fetcher(pauses=(0,)), "https://localhost/a b")
    assert not failed.passing
