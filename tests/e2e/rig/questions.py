"""What a call needs to be allowed: action, resource and condition keys, after the Service Authorization Reference.

Covers what the controllers of the scenes call. Tags of existing resources (``aws:ResourceTag``) and the VPC of a
security group are looked up in the account, so that policies that ask for them are held to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from e2e.rig.policies import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.rig.account import Account
    from e2e.rig.wire import Call

Context = dict[str, tuple[str, ...]]


def questions_of(call: Call, account: Account) -> list[Question]:
    """Everything the call needs; one answer No refuses it."""
    about = _SERVICES.get(call.service, _without_resource)
    context = {"aws:requestedregion": (call.region,), "aws:securetransport": ("true",)}
    return [each._replace(context={**context, **each.context}) for each in about(call, account)]


def _without_resource(call: Call, _: Account) -> Iterator[Question]:
    yield Question(call.action)


def _ssm(call: Call, account: Account) -> Iterator[Question]:
    """A parameter /a/b has the ARN …:parameter/a/b; a name may carry a version behind a colon."""
    names = [call.params[key] for key in ("Name", "Path", "ResourceId") if key in call.params]
    names += call.params.get("Names", [])
    for name in names:
        bare = name.partition(":")[0].lstrip("/")
        yield Question(call.action, account.arn("ssm", f"parameter/{bare}", region=call.region))
    if not names:
        yield Question(call.action)


def _secretsmanager(call: Call, account: Account) -> Iterator[Question]:
    name = str(call.params.get("SecretId", ""))
    # AWS ends the ARN of a secret in six characters of its own.
    arn = name if name.startswith("arn:") else account.arn("secretsmanager", f"secret:{name}-AbCdEf")
    yield Question(call.action, arn if name else "*")


def _sts(call: Call, _: Account) -> Iterator[Question]:
    if call.operation != "GetCallerIdentity":  # needs no right
        yield Question(call.action, call.params.get("RoleArn", "*"))


def _acm(call: Call, _: Account) -> Iterator[Question]:
    yield Question(call.action, call.params.get("CertificateArn", "*"))


# ------------------------------------------------------------------------------------------------------------ Route 53


def _route53(call: Call, account: Account) -> Iterator[Question]:
    zone = call.params.get("Id") or call.params.get("HostedZoneId")
    resource = account.arn("route53", f"hostedzone/{zone}", region="", account="") if zone else "*"
    context = _changes(call.body) if call.operation == "ChangeResourceRecordSets" else {}
    yield Question(call.action, resource, context)


def _changes(body: bytes) -> Context:
    """Actions, types and names of the records in a change, as Route 53 hands them to IAM."""
    prefix = "route53:changeresourcerecordsets"
    tree = ET.fromstring(body)  # noqa: S314 - written by the controller under test
    found: dict[str, list[str]] = {"actions": [], "recordtypes": [], "normalizedrecordnames": []}
    keys = {"Action": "actions", "Type": "recordtypes", "Name": "normalizedrecordnames"}
    for change in tree.iter(f"{_namespace(tree)}Change"):
        for element in change.iter():
            if (key := keys.get(element.tag.rpartition("}")[2])) and element.text:
                found[key].append(normalized(element.text) if key == "normalizedrecordnames" else element.text)
    return {prefix + key: tuple(values) for key, values in found.items()}


def _namespace(tree: ET.Element) -> str:
    return tree.tag.partition("}")[0] + "}" if tree.tag.startswith("{") else ""


def normalized(name: str) -> str:
    r"""A record's name as conditions see it: lower case, no last dot, all but ``a-z0-9-_.`` as ``\ooo``."""
    plain = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), name.lower().removesuffix("."))
    return re.sub(r"[^a-z0-9._-]", lambda found: f"\\{ord(found[0]):03o}", plain)


# ------------------------------------------------------------------------------------------- load balancing and network


def request_tags(params: Any) -> Context:
    """The tags a form wants to set, and their keys; those of a load balancer or of a new EC2 resource."""
    fields = r"(?:TagSpecification\.\d+\.)?Tags?(?:\.member)?\.(\d+)\.Key"
    tags = {key: params.get(f"{name[:-3]}Value", "") for name, key in params.items() if re.fullmatch(fields, name)}
    context = {f"aws:requesttag/{key}".lower(): (value,) for key, value in tags.items()}
    return {**context, "aws:tagkeys": tuple(tags)} if tags else {}


def _elb(call: Call, account: Account) -> Iterator[Question]:
    """As under "Elastic Load Balancing V2"; tags given to what is made take elasticloadbalancing:AddTags too."""
    if call.operation.startswith("Describe"):
        yield Question(call.action)
        return
    tags = request_tags(call.params)
    made = {"CreateLoadBalancer": "loadbalancer/app", "CreateTargetGroup": "targetgroup"}.get(call.operation)
    if made:
        resources = [account.arn("elasticloadbalancing", f"{made}/{call.params['Name']}/0123456789abcdef")]
    else:
        resources = [value for name, value in call.params.items() if _ELB_ARN.fullmatch(name)]
    for resource in resources:
        yield Question(call.action, resource, {**tags, **({} if made else account.tags(resource))})
    if call.operation.startswith("Create") and tags:
        new = {"CreateListener": ("loadbalancer/", "listener/"), "CreateRule": ("listener/", "listener-rule/")}
        resource = resources[0].replace(*new.get(call.operation, ("", ""))) if not made else resources[0]
        action = {"elasticloadbalancing:createaction": (call.operation,)}
        yield Question("elasticloadbalancing:AddTags", resource, {**tags, **action})


_ELB_ARN = re.compile(
    r"(LoadBalancer|Listener|Rule|TargetGroup)Arn|ResourceArns\.member\.\d+|RulePriorities\.member\.\d+\.RuleArn"
)


def _ec2(call: Call, account: Account) -> Iterator[Question]:
    if call.operation.startswith(("Describe", "Get")):
        yield Question(call.action)
        return
    tags = request_tags(call.params)
    if call.operation == "CreateSecurityGroup":
        group = account.arn("ec2", "security-group/sg-new")
        yield Question(call.action, group, tags)
        # Judged a second time as the VPC it is in, where the request's tags do not count.
        yield Question(call.action, account.arn("ec2", f"vpc/{call.params['VpcId']}"))
        if tags:
            action = {"ec2:createaction": (call.operation,)}
            yield Question("ec2:CreateTags", group, {**tags, **action})
        return
    ids = [value for name, value in call.params.items() if _EC2_ID.fullmatch(name)]
    for resource in ids:
        yield Question(call.action, account.ec2_arn(resource), {**tags, **account.ec2_context(resource)})
    if not ids:
        yield Question(call.action)


_EC2_ID = re.compile(r"GroupId|ResourceId\.\d+|NetworkInterfaceId|InstanceId|SecurityGroupId\.\d+")

_SERVICES: dict[str, Callable[[Call, Account], Iterator[Question]]] = {
    "acm": _acm,
    "ec2": _ec2,
    "elasticloadbalancing": _elb,
    "route53": _route53,
    "secretsmanager": _secretsmanager,
    "ssm": _ssm,
    "sts": _sts,
}
