"""AWS's front door: answers under the real names, checks who asks what, writes every call down, hands it to moto.

Two doors: the AWS APIs over TLS, and the agent of EKS Pod Identity as nodes have it. Credentials are moto's, handed
out only for tokens and trust policies that hold; every other call is judged by the policies and the boundary of the
caller's role.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from e2e.rig import sessions
from e2e.rig.account import ENDPOINT
from e2e.rig.policies import Unmodelled, allowed
from e2e.rig.questions import questions_of
from e2e.rig.sessions import Association, Cluster, Refused
from e2e.rig.wire import Call, Request, Unreadable, call_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from e2e.rig.account import Account
    from e2e.rig.policies import Question

NOT_FORWARDED = {"content-length", "transfer-encoding", "connection", "server", "date"}


class Seen(NamedTuple):
    """One call that went through the gate, or was stopped there: ``denied`` says why, ``status`` is the HTTP status.

    ``rights`` are the actions it took, which may be more than one: something made with tags takes that of tagging too.
    """

    at: float
    action: str
    role: str
    resources: tuple[str, ...]
    host: str
    status: int
    denied: str = ""
    rights: tuple[str, ...] = ()


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Gate:
    """What the two doors share: roles by access key, associations, and ``calls``, the book of all calls in order.

    ``withheld`` holds pairs of role and action that are refused although a policy grants them, as if it did not.
    """

    def __init__(self, account: Account, cluster: Cluster, book: Path) -> None:
        self.account = account
        self.cluster = cluster
        self.associations: list[Association] = []
        self.judging = threading.RLock()  # taken by whoever changes roles, so that no call sees half of a change
        self.withheld: set[tuple[str, str]] = set()
        self.calls: list[Seen] = []
        self._book = book
        self._roles: dict[str, str] = {}
        self._limits: dict[str, list[list[dict[str, Any]]]] = {}
        self._lock = threading.Lock()
        self._servers: list[ThreadingHTTPServer] = []

    def open(self, address: tuple[str, int], context: ssl.SSLContext | None = None) -> None:
        """Serves at an address: the APIs with a context for TLS, the Pod Identity agent without."""
        answer = self._api if context else self._agent
        server = _Server(address, _handler(answer))
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._servers.append(server)

    def close(self, address: tuple[str, int] | None = None) -> None:
        """Closes one door, or all."""
        for server in [each for each in self._servers if address in (None, each.server_address)]:
            server.shutdown()
            server.server_close()
            self._servers.remove(server)

    def used(self, role: str, since: int = 0) -> set[str]:
        """The actions that were asked for with this role and allowed, from a place in ``calls`` on."""
        mine = [each for each in self.calls[since:] if each.role == role and not each.denied]
        return {action for each in mine for action in (each.action, *each.rights)}

    # ------------------------------------------------------------------------------------------------------- the APIs

    def _api(self, request: Request) -> Reply:
        seen = Seen(time.time(), "", "", (), request.headers.get("host", ""), 403)
        try:
            if request.form.get("Action") == "AssumeRoleWithWebIdentity":
                form = request.form
                seen = seen._replace(action="sts:AssumeRoleWithWebIdentity", role=form["RoleArn"])
                with self.judging:
                    sessions.web_identity(form["WebIdentityToken"], form["RoleArn"], self.cluster, self.account)
                reply = self._assumed(forward(request), form["RoleArn"])
            else:
                call = call_of(request)
                seen = seen._replace(action=call.action, role=self._role_of(call.key))
                questions = self._judge(call, seen.role)
                rights, resources = {each.action for each in questions}, {each.resource for each in questions}
                seen = seen._replace(rights=tuple(sorted(rights)), resources=tuple(sorted(resources)))
                reply = forward(request)
                if call.action == "sts:AssumeRole":
                    reply = self._assumed(reply, call.params["RoleArn"])
        except (Refused, Unreadable, Unmodelled, ClientError) as why:
            reply = _refusal(request, str(why))
            seen = seen._replace(denied=f"{type(why).__name__}: {why}")
        self._note(seen._replace(status=reply.status))
        return reply

    def _role_of(self, key: str) -> str:
        role = self._roles.get(key)
        if role is None:
            raise Refused(f"unknown access key {key}")
        return role

    def _judge(self, call: Call, role: str) -> list[Question]:
        """What the call asks for. Raises Refused where the role's policies, or its boundary, do not allow it."""
        with self.judging:
            return self._judged(call, role)

    def _judged(self, call: Call, role: str) -> list[Question]:
        if role not in self._limits:
            self._limits[role] = self._read(role)
        limits = self._limits[role]
        questions = questions_of(call, self.account)
        for question in questions:
            if (role, question.action) in self.withheld or not all(allowed(each, question) for each in limits):
                raise Refused(f"{role} is not authorized to perform {question.action} on {question.resource}")
        if call.action == "sts:AssumeRole":
            sessions.trusted(call.params["RoleArn"], {"AWS": role}, questions, self.account)
        return questions

    def _read(self, role: str) -> list[list[dict[str, Any]]]:
        """The policies of a role, and its boundary if it has one: each of them must allow a call."""
        found = self.account.role(role)
        if found is None:
            raise Refused(f"role {role} does not exist")
        policies = self.account.policies(found["RoleName"])
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return [policies, [self.account.managed_policy(boundary)]] if boundary else [policies]

    def forget(self) -> None:
        """Roles or policies have changed, which are read once only. Call it with ``judging`` taken."""
        self._limits.clear()

    def _assumed(self, reply: Reply, role: str) -> Reply:
        """Remembers whose credentials these are."""
        if reply.status == 200:
            key = re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", reply.body)
            assert key
            self._roles[key[1].decode()] = role
        return reply

    # ------------------------------------------------------------------------------------------ the Pod Identity agent

    def _agent(self, request: Request) -> Reply:
        seen = Seen(time.time(), "eks-auth:AssumeRoleForPodIdentity", "", (), request.headers.get("host", ""), 200)
        headers = [("Content-Type", "application/json")]
        try:
            role = self._role_of_pod(request)
            seen = seen._replace(role=role)
            body = json.dumps(self._credentials(role)).encode()
        except Refused as why:
            seen = seen._replace(status=403, denied=str(why))
            body = json.dumps({"message": str(why)}).encode()
        self._note(seen)
        return Reply(seen.status, headers, body)

    def _role_of_pod(self, request: Request) -> str:
        if request.path != "/v1/credentials":
            raise Refused(f"no such path {request.path}")
        token = request.headers.get("authorization", "")
        with self.judging:
            return sessions.pod_identity(token, self.cluster, self.associations, self.account)

    def _credentials(self, role: str) -> dict[str, str]:
        made = self.account.client("sts").assume_role(RoleArn=role, RoleSessionName="eks")["Credentials"]
        self._roles[made["AccessKeyId"]] = role
        return {
            "AccessKeyId": made["AccessKeyId"],
            "SecretAccessKey": made["SecretAccessKey"],
            "Token": made["SessionToken"],
            "AccountId": role.split(":")[4],
            "Expiration": made["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _note(self, seen: Seen) -> None:
        with self._lock, self._book.open("a", encoding="utf-8") as book:
            self.calls.append(seen)
            book.write(json.dumps(seen._asdict()) + "\n")


def forward(request: Request) -> Reply:
    """The same request to moto, which answers as AWS would."""
    connection = http.client.HTTPConnection(ENDPOINT.removeprefix("http://"), timeout=60)
    try:
        # moto prefers a region read off the host, and misreads GovCloud's global hosts, to the one that is signed for.
        left_out = {"connection", "host"} if "authorization" in request.headers else {"connection"}
        headers = {name: value for name, value in request.headers.items() if name not in left_out}
        connection.request(request.method, request.path, request.body, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def _refusal(request: Request, why: str) -> Reply:
    """AccessDenied in the shape of the protocol that was spoken."""
    if "x-amz-target" in request.headers:
        body = json.dumps({"__type": "AccessDeniedException", "message": why})
        return Reply(403, [("Content-Type", "application/x-amz-json-1.1")], body.encode())
    text = escape(why)
    if request.headers.get("host", "").startswith("ec2."):
        error = f"<Errors><Error><Code>UnauthorizedOperation</Code><Message>{text}</Message></Error></Errors>"
        body = f"<Response>{error}<RequestID>e2e</RequestID></Response>"
    else:
        error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{text}</Message></Error>"
        body = f"<ErrorResponse>{error}<RequestId>e2e</RequestId></ErrorResponse>"
    return Reply(403, [("Content-Type", "text/xml")], body.encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of our business, as pods are ended at any time; all else is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler(answer: Callable[[Request], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = answer(Request(self.command, self.path, headers, body))
            self.send_response(reply.status)
            for name, value in reply.headers:
                if name.lower() not in NOT_FORWARDED:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do  # noqa: N815 - the names http.server calls

        def log_message(self, *_: object) -> None:
            pass

    return Handler
