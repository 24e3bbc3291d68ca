"""The AWS account of the tests as moto keeps it: clients past the gate, and what the gate asks about resources."""

from __future__ import annotations

import ast
from functools import cache
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ID = "123456789012"  # moto's
ENDPOINT = "http://127.0.0.1:5555"
Context = dict[str, tuple[str, ...]]


class Account(NamedTuple):
    """One account in one region. Its clients are the administrator's: they talk to moto itself, nothing is checked."""

    region: str
    partition: str = "aws"

    def client(self, service: str, region: str = "") -> Any:
        """A boto3 client of this region, or of another."""
        return _client(service, region or self.region)

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str = ID) -> str:
        """The ARN of a resource of this account."""
        where = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{where}:{account}:{resource}"

    def role_arn(self, name: str) -> str:
        """The ARN of a role."""
        return self.arn("iam", f"role/{name}", region="")

    # ------------------------------------------------------------------------------------------------- roles, policies

    def role(self, arn: str) -> dict[str, Any] | None:
        """A role with its trust policy, or None. It must be of this account and partition."""
        name = arn.rpartition("/")[2]
        if arn != self.role_arn(name):
            return None
        iam = self.client("iam")
        try:
            found: dict[str, Any] = iam.get_role(RoleName=name)["Role"]
        except iam.exceptions.NoSuchEntityException:
            return None
        return {**found, "AssumeRolePolicyDocument": _document(found["AssumeRolePolicyDocument"])}

    def policies(self, role: str) -> list[dict[str, Any]]:
        """The documents of a role's policies, inline and attached."""
        iam = self.client("iam")
        inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in inline]
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return [_document(each) for each in documents] + [self.managed_policy(each["PolicyArn"]) for each in attached]

    def managed_policy(self, arn: str) -> dict[str, Any]:
        """The document of a managed policy's default version."""
        iam = self.client("iam")
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return _document(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])

    # --------------------------------------------------------------------------- what conditions ask about a resource

    def tags(self, arn: str) -> Context:
        """The tags of a load balancer, target group, listener or rule; nothing if there is none."""
        try:
            found = self.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
        except ClientError:
            return {}
        return _resource_tags(found[0]["Tags"]) if found else {}

    def ec2_arn(self, resource: str) -> str:
        """The ARN of what an id of EC2 stands for."""
        kinds = {"sg": "security-group", "i": "instance", "eni": "network-interface", "vpc": "vpc", "subnet": "subnet"}
        return self.arn("ec2", f"{kinds[resource.partition('-')[0]]}/{resource}")

    def ec2_context(self, resource: str) -> Context:
        """Tags of an EC2 resource, and the VPC of a security group."""
        ec2 = self.client("ec2")
        tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource]}])["Tags"]
        context = _resource_tags(tags)
        if resource.startswith("sg-"):
            groups = ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": [resource]}])
            for group in groups["SecurityGroups"]:
                context["ec2:vpc"] = (self.arn("ec2", f"vpc/{group['VpcId']}"),)
        return context


@cache
def _client(service: str, region: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(service, region_name=region, endpoint_url=ENDPOINT, config=config, **keys)


def _document(text: Any) -> dict[str, Any]:
    """A policy as moto returns it: now and then the repr of a dict."""
    found: dict[str, Any] = text if isinstance(text, dict) else ast.literal_eval(text)
    return found


def _resource_tags(tags: list[dict[str, str]]) -> Context:
    return {f"aws:resourcetag/{tag['Key']}".lower(): (tag["Value"],) for tag in tags}
