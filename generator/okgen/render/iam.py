"""The IAM files of a cluster: for each role its policies and who may take it, and a template that makes them in AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.emit import Shared, dump_json
from okgen.form import formed
from okgen.render import cloudformation
from okgen.resolve.partitions import AUDIENCE, POD_IDENTITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from okgen.resolve.cluster import Cluster, Role

Statement = dict[str, Any]

# The limits of AWS: "IAM and AWS STS quotas" in the IAM user guide, quotas that nobody needs to ask for.
# AWS does not count white space in a policy; that inside of strings is counted here, which errs on the safe side.
POLICY_SIZE = 6_144
POLICIES_OF_A_ROLE = 10

_ROOM = POLICY_SIZE - len('{"Version":"2012-10-17","Statement":[]}')
_PIECE = _ROOM - len("Part9999")
_EMPTY = len("[]")


class Excess(NamedTuple):
    """A limit of AWS that an add-on's IAM exceeds. ``addon`` is empty when it is that of the whole cluster."""

    addon: str
    message: str
    help: str


class TooLarge(Exception):  # noqa: N818 - it is a verdict on the input, not a fault of the program
    """Carries every limit exceeded (code OKG350) out of ``files``."""

    def __init__(self, excesses: list[Excess]) -> None:
        self.excesses = excesses
        super().__init__("; ".join(each.message for each in excesses))


def files(cluster: Cluster) -> dict[str, str]:
    """What stands under ``iam/``, by path in the cluster's folder; empty for a cluster without roles.

    Raises TooLarge.
    """
    found: dict[str, str] = {}
    excesses: list[Excess] = []
    stack: list[cloudformation.Access] = []
    for role in cluster.roles:
        found_policies = policies(role)
        excesses += _excesses(role, found_policies)
        documents = [_document(statements) for statements in found_policies]
        for number, document in enumerate(documents, start=1):
            found[f"iam/{role.addon}.policy{f'-{number}' if number > 1 else ''}.json"] = dump_json(document)
        trusted = formed(_document([trust(cluster, role)]))
        found[f"iam/{role.addon}.trust.json"] = dump_json(trusted)
        stack.append(cloudformation.Access(role, trusted, documents))
    if stack:
        found["iam/cloudformation.yaml"], over = cloudformation.template(cluster, stack)
        excesses += [Excess("", message, "spread the add-ons over more clusters") for message in over]
    if excesses:
        raise TooLarge(excesses)
    return found


def policies(role: Role) -> list[Shared]:
    """The statements of each of a role's policies: one policy where they fit, else as few as first-fit finds.

    A statement too large for a policy of its own is cut by its resources or actions. Neither changes what is allowed
    or denied: policies of a role add up, as do the resources and actions of a statement.
    """
    size = role.statements.size - _EMPTY
    if size <= _ROOM:
        return [role.statements] if size else []  # nearly always
    found: list[list[Statement]] = []
    room: list[int] = []
    for statement in (part for whole in role.statements.value for part in _parts(whole)):
        size = _size(statement) + 1  # and a comma
        place = next((index for index, free in enumerate(room) if size <= free), len(found))
        if place == len(found):
            found.append([])
            room.append(_ROOM + 1)  # the last one has no comma
        found[place].append(statement)
        room[place] -= size
    return list(map(Shared, found))


def trust(cluster: Cluster, role: Role) -> Statement:
    """Who may take the role: that one ServiceAccount of that one cluster.

    For Pod Identity by the session tags which EKS sets (EKS user guide, "pod-id-role" and "pod-id-abac"); an
    association that switches session tags off cannot use the role. aws:SourceArn is not asked for: the tag with the
    cluster's ARN says the same, and what EKS sends there is not documented.
    The longest names EKS and Kubernetes allow stay below the 2,048 characters of a trust policy.
    """
    if role.mode == "irsa":
        provider = cluster.oidc_provider
        subject = f"system:serviceaccount:{role.namespace}:{role.service_account}"
        return {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:{cluster.partition}:iam::{cluster.account}:oidc-provider/{provider}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{provider}:aud": AUDIENCE, f"{provider}:sub": subject}},
        }
    arn = f"arn:{cluster.partition}:eks:{cluster.region}:{cluster.account}:cluster/{cluster.cluster_name}"
    tags = {
        "eks-cluster-arn": arn,
        "kubernetes-namespace": role.namespace,
        "kubernetes-service-account": role.service_account,
    }
    conditions = {"aws:SourceAccount": cluster.account, **{f"aws:RequestTag/{key}": tags[key] for key in tags}}
    return {
        "Effect": "Allow",
        "Principal": {"Service": POD_IDENTITY},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": conditions},
    }


def _document(statements: Sequence[Statement] | Shared) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _excesses(role: Role, found_policies: list[Shared]) -> list[Excess]:
    """What no splitting can mend."""
    found = []
    for policy in found_policies:
        size = policy.size - _EMPTY
        if size > _ROOM:
            (statement,) = policy.value
            message = (
                f"the IAM statement {statement.get('Sid', 'without Sid')} of {role.addon} has {size:,} characters; "
                f"a policy has room for {_ROOM:,}, and what it holds cannot be split"
            )
            found.append(
                Excess(role.addon, message, "narrow it by fewer values: zones by their id, prefixes in common")
            )
    if len(found_policies) > POLICIES_OF_A_ROLE:
        message = f"{role.addon} needs {len(found_policies)} IAM policies; AWS lets a role have {POLICIES_OF_A_ROLE}"
        found.append(Excess(role.addon, message, "name fewer and broader things: one prefix in place of many"))
    return found


def _parts(statement: Statement) -> list[Statement]:
    """The statement itself where a policy can hold it, else the same in pieces, told apart by their Sid."""
    if _size(statement) <= _ROOM:
        return [statement]
    lists = {key: statement[key] for key in ("Resource", "Action") if isinstance(statement.get(key), list)}
    smallest = {**statement, **{key: [max(items, key=len)] for key, items in lists.items() if items}}
    if _size(smallest) > _PIECE:
        return [statement]
    return [
        {**part, "Sid": f"{part['Sid']}Part{number}"} if number > 1 and "Sid" in part else part
        for number, part in enumerate(_halved(statement), start=1)
    ]


def _halved(statement: Statement) -> list[Statement]:
    """Cuts the longer of the lists of resources and actions in two until each piece fits, which it does in the end."""
    if _size(statement) <= _PIECE:
        return [statement]
    lists = [key for key in ("Resource", "Action") if isinstance(statement.get(key), list) and len(statement[key]) > 1]
    key = max(lists, key=lambda each: _size(statement[each]))
    items = statement[key]
    middle = len(items) // 2
    return [piece for half in (items[:middle], items[middle:]) for piece in _halved({**statement, key: half})]


def _size(value: object) -> int:
    """Characters of a value as compact JSON in ASCII."""
    return len(json.dumps(value, separators=(",", ":")))
