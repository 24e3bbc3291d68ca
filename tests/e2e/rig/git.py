"""A Git host: bare repositories behind `git http-backend`, and the work copy of one who pushes to them."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from e2e.rig.web import Answer, Request, Server

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.rig.isolation import Isolation
    from e2e.rig.pki import Authority

NAME, ADDRESS = "github.com", "127.0.0.2"
BRANCH = "main"
WHO = "platform"
# Nothing of the machine's own Git settings, so that a run is the same everywhere.
CLEAN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


class GitError(Exception):
    """Says what git said."""


class GitHost:
    """github.com on loopback: the bare repositories below ``folder``, with and without .git; everybody may push."""

    def __init__(self, isolation: Isolation, authority: Authority, folder: Path) -> None:
        self.folder = folder
        isolation.hosts({NAME: ADDRESS})
        self._server = Server(ADDRESS, 443, authority.issue("githost", NAME, names=[NAME]), self._answer)

    def stop(self) -> None:
        """Closes it."""
        self._server.stop()

    def _answer(self, request: Request) -> Answer:
        url = urlsplit(request.path)
        path = unquote(url.path)
        name = path.partition("/info/")[0].partition("/git-")[0]
        if not name.endswith(".git") and (self.folder / f"{name.strip('/')}.git").is_dir():
            path = path.replace(name, f"{name}.git", 1)
        return self._backend(request, path, url.query)

    def _backend(self, request: Request, path: str, query: str) -> Answer:
        """One call of git's own CGI program."""
        environment = {
            **CLEAN,
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": WHO,  # who is known may push
        }
        call = ["git", "http-backend"]
        done = subprocess.run(call, input=request.body, env=environment, capture_output=True, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().splitlines())
        }
        return Answer(int(fields.get("status", "200").split()[0]), body, fields.get("content-type", "text/plain"))


class Repository:
    """A repository on the host, and the work copy in ``folder`` from which it is filled by push."""

    def __init__(self, url: str, bare: Path, folder: Path, ca_file: Path) -> None:
        self.url, self.folder, self._ca = url, folder, ca_file
        for place in (bare, folder):
            place.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", folder=bare)
        self.git("init", "--quiet", f"--initial-branch={BRANCH}")
        self.git("remote", "add", "origin", url)
        self.git("commit", "--quiet", "--allow-empty", "--message=Begin")  # so that every other commit has a parent

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        """Calls git in the work copy, or in another folder; what it prints.

        Raises GitError.
        """
        person = {f"GIT_{role}_{what}": WHO for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        whole = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.postBuffer", "GIT_CONFIG_VALUE_0": "100000000"}
        environment = os.environ | CLEAN | person | whole | {"GIT_SSL_CAINFO": str(self._ca)}
        call = ["git", *arguments]
        done = subprocess.run(
            call, cwd=folder or self.folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise GitError(f"{' '.join(call)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def push(self, message: str) -> str:
        """Commits all that has changed in the work copy and pushes it; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message={message}")
        self.git("push", "--quiet", "origin", BRANCH)
        return self.git("rev-parse", "HEAD")

    def undo(self) -> str:
        """Takes the last commit back with another one, and pushes it; the commit."""
        self.git("revert", "--no-edit", "HEAD")
        self.git("push", "--quiet", "origin", BRANCH)
        return self.git("rev-parse", "HEAD")

    def changed(self) -> list[str]:
        """The paths that the last commit changed, made and removed."""
        return self.git("diff", "--name-only", "HEAD~1", "HEAD").splitlines()
