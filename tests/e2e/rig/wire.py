"""What an HTTP request to AWS asks for: service, region, operation and parameters, read with botocore's own models."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.loaders import Loader

if TYPE_CHECKING:
    from collections.abc import Mapping

# SigV4 signing name -> (botocore's service, prefix of its IAM actions)
SERVICES = {
    "acm": ("acm", "acm"),
    "ec2": ("ec2", "ec2"),
    "elasticloadbalancing": ("elbv2", "elasticloadbalancing"),
    "iam": ("iam", "iam"),
    "route53": ("route53", "route53"),
    "secretsmanager": ("secretsmanager", "secretsmanager"),
    "ssm": ("ssm", "ssm"),
    "sts": ("sts", "sts"),
    "tagging": ("resourcegroupstaggingapi", "tag"),
}
LOADER = Loader()


class Unreadable(Exception):  # noqa: N818 - a verdict on the request
    """The request is not signed, or for something the gate does not know."""


class Request(NamedTuple):
    """An HTTP request as it came in; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, empty where the body is something else."""
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Call(NamedTuple):
    """One operation of one service. ``params`` are form fields, members of JSON, or parts of the path."""

    key: str
    region: str
    service: str
    operation: str
    params: Mapping[str, Any]
    body: bytes

    @property
    def action(self) -> str:
        """The name that IAM policies use."""
        return f"{SERVICES[self.service][1]}:{self.operation}"


def call_of(request: Request) -> Call:
    """The call that a signed request makes. Raises Unreadable."""
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", request.headers.get("authorization", ""))
    if not scope:
        raise Unreadable(f"unsigned request {request.method} {request.path}")
    key, region, service = scope.groups()
    if service not in SERVICES:
        raise Unreadable(f"service {service} is not modelled")
    operation, params = _operation(request, SERVICES[service][0])
    return Call(key, region, service, operation, params, request.body)


def _operation(request: Request, service: str) -> tuple[str, Mapping[str, Any]]:
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2], json.loads(request.body or b"{}")
    if action := request.form.get("Action"):
        return action, request.form
    path = unquote(urlsplit(request.path).path).rstrip("/")
    for operation, method, pattern in _routes(service):
        if method == request.method and (found := pattern.fullmatch(path)):
            return operation, found.groupdict()
    raise Unreadable(f"cannot tell the operation of {service} {request.method} {request.path}")


@cache
def _routes(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """Operation, method and pattern of path, for services that have neither a target nor an action in the request."""
    found = []
    for operation, model in LOADER.load_service_model(service, "service-2")["operations"].items():
        path = re.escape(model["http"]["requestUri"].partition("?")[0].rstrip("/"))
        pattern = re.sub(r"\\\{(\w+)(?:\\\+)?\\\}", r"(?P<\1>[^/]+)", path)
        found.append((operation, model["http"]["method"], re.compile(pattern)))
    return found
