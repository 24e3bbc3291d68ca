"""The CloudFormation template that makes a cluster's roles, policies and Pod Identity associations."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.emit import Shared, dump
from okgen.form import Formed, formed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from okgen.resolve.cluster import Cluster, Role

# "CloudFormation quotas" in its user guide; a template over 51,200 bytes is deployed through a bucket (--s3-bucket).
RESOURCES = 500
TEMPLATE_SIZE = 1_000_000

# Nothing is kept when the stack or an add-on goes (no DeletionPolicy): a role holds no data, and one left behind would
# be in the way of the next that is named like it.


class Access(NamedTuple):
    """A role with its documents, whole: who may take it, and what it may do."""

    role: Role
    trust: Formed
    policies: list[dict[str, Any]]


def template(cluster: Cluster, accesses: list[Access]) -> tuple[str, list[str]]:
    """The template as YAML, and a message for each limit of CloudFormation that it exceeds."""
    resources: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for access in accesses:
        name = logical_name(access.role.addon)
        resources[f"{name}Role"] = _role(cluster, access)
        for number, document in enumerate(access.policies, start=1):
            resources[f"{name}Policy{number if number > 1 else ''}"] = _policy(access.role, name, number, document)
        if access.role.mode == "pod-identity":
            resources[f"{name}Association"] = _association(cluster, access.role)
        outputs[f"{name}RoleArn"] = _output(access.role.addon)
    text = dump(
        formed(
            {
                "AWSTemplateFormatVersion": "2010-09-09",
                "Description": f"IAM for the add-ons of the EKS cluster {cluster.cluster_name}, rendered by okgen. "
                f"Deploy in account {cluster.account}, region {cluster.region}, with CAPABILITY_NAMED_IAM.",
                "Resources": resources,
                "Outputs": outputs,
            }
        )
    )
    return text, _excesses(len(resources), len(text.encode()))


def logical_name(addon: str) -> str:
    """The start of an add-on's logical ids, ``ExternalDns`` for external-dns: letters and digits only, one per add-on.

    Ids must not change from render to render, or AWS would make the role anew and drop the old one. Where joining the
    words loses something (``a-1`` and ``a1``), digits of a hash keep two add-ons apart.
    """
    words = addon.split("-")
    if all(word[:1].isalpha() for word in words):
        return "".join(map(str.capitalize, words))
    import hashlib  # no add-on has needed it yet

    return "".join(map(str.capitalize, words)) + hashlib.sha256(addon.encode()).hexdigest()[:8]


def _role(cluster: Cluster, access: Access) -> dict[str, Any]:
    role = access.role
    properties = {
        "RoleName": role.name,
        "Description": f"For {role.namespace}/{role.service_account} on the EKS cluster {cluster.cluster_name}",
        "AssumeRolePolicyDocument": access.trust,
        "Tags": _tags(cluster, role),
    }
    if cluster.permissions_boundary:
        properties["PermissionsBoundary"] = cluster.permissions_boundary
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _policy(role: Role, name: str, number: int, document: dict[str, Any]) -> dict[str, Any]:
    """A policy attached to its role. Without a description: a change of it would make AWS replace the policy."""
    properties = {
        "ManagedPolicyName": role.name if number == 1 else f"{role.name}-{number}",
        "Roles": [{"Ref": f"{name}Role"}],
        "PolicyDocument": document,
    }
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}


@cache  # the same for every cluster of a run
def _output(addon: str) -> Shared:
    return Shared({"Description": f"The role of {addon}", "Value": _arn(addon)})


def _arn(addon: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [f"{logical_name(addon)}Role", "Arn"]}


def _association(cluster: Cluster, role: Role) -> Formed:
    def make(strings: Sequence[str]) -> dict[str, Any]:
        eks_name, namespace, service_account, *tags = strings
        properties = {
            "ClusterName": eks_name,
            "Namespace": namespace,
            "ServiceAccount": service_account,
            "RoleArn": _arn(role.addon),
            "Tags": _tag_list(tags),
        }
        return {"Type": "AWS::EKS::PodIdentityAssociation", "Properties": properties}

    strings = (cluster.cluster_name, role.namespace, role.service_account, role.addon, cluster.name)
    return Formed(("association", role.addon), strings, make)


def _tags(cluster: Cluster, role: Role) -> Formed:
    return Formed("tags", (role.addon, cluster.name), _tag_list, is_list=True)


def _tag_list(values: Sequence[str]) -> list[dict[str, str]]:
    """The tags of these values: the add-on and the cluster."""
    keys = ("okgen.dev/addon", "okgen.dev/cluster")
    return [{"Key": key, "Value": value} for key, value in zip(keys, values, strict=True)]


def _excesses(resources: int, size: int) -> list[str]:
    found = []
    if resources > RESOURCES:
        found.append(f"iam/cloudformation.yaml has {resources} resources; CloudFormation takes {RESOURCES}")
    if size > TEMPLATE_SIZE:
        found.append(f"iam/cloudformation.yaml has {size:,} bytes; CloudFormation takes {TEMPLATE_SIZE:,}")
    return found
