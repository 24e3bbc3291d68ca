"""A load balancer as AWS has it, read past the gate: what a controller was asked for is held against this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2e.rig.aws import Aws


class Balancer(NamedTuple):
    """An application load balancer with all that hangs on it.

    ``rules`` holds (host, path, kind of action) by port, in order; ``certificates`` and ``policies`` are those of
    listeners by port; ``targets`` are the (address, port) of all its target groups.
    """

    arn: str
    dns: str
    zone: str
    scheme: str
    subnets: set[str]
    tags: dict[str, str]
    attributes: dict[str, str]
    listeners: dict[int, str]
    certificates: dict[int, list[str]]
    policies: dict[int, str]
    rules: dict[int, list[tuple[str, str, str]]]
    groups: list[dict[str, Any]]
    targets: set[tuple[str, int]]


def balancer(aws: Aws, tags: Mapping[str, str]) -> Balancer | None:
    """The load balancer that bears these tags."""
    elb = aws.client("elbv2")
    try:
        for each in elb.describe_load_balancers()["LoadBalancers"]:
            found = tags_of(aws, each["LoadBalancerArn"])
            if tags.items() <= found.items():
                return _read(elb, each, found)
    except ClientError as problem:  # something of it is deleted while it is being read
        if "NotFound" not in problem.response["Error"]["Code"]:
            raise
    return None


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """The tags of something of Elastic Load Balancing."""
    described = aws.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {each["Key"]: each["Value"] for each in described[0]["Tags"]}


def _read(elb: Any, balancer: dict[str, Any], tags: dict[str, str]) -> Balancer:
    arn = balancer["LoadBalancerArn"]
    listeners = {each["Port"]: each for each in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    groups = [each for each in elb.describe_target_groups()["TargetGroups"] if arn in each["LoadBalancerArns"]]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return Balancer(
        arn,
        balancer["DNSName"],
        balancer["CanonicalHostedZoneId"],
        balancer["Scheme"],
        {each["SubnetId"] for each in balancer["AvailabilityZones"]},
        tags,
        {each["Key"]: each["Value"] for each in attributes},
        {port: each["Protocol"] for port, each in listeners.items()},
        {port: [c["CertificateArn"] for c in each.get("Certificates", [])] for port, each in listeners.items()},
        {port: each.get("SslPolicy", "") for port, each in listeners.items()},
        {port: _rules(elb, each["ListenerArn"]) for port, each in listeners.items()},
        groups,
        {target for each in groups for target in _targets(elb, each["TargetGroupArn"])},
    )


def _rules(elb: Any, listener: str) -> list[tuple[str, str, str]]:
    found = [each for each in elb.describe_rules(ListenerArn=listener)["Rules"] if not each["IsDefault"]]
    return [
        (_value(each, "host-header"), _value(each, "path-pattern"), each["Actions"][0]["Type"])
        for each in sorted(found, key=lambda rule: int(rule["Priority"]))  # moto gives them in no order
    ]


def _value(rule: dict[str, Any], field: str) -> str:
    for each in rule["Conditions"]:
        if each["Field"] == field:
            config = each.get("HostHeaderConfig") or each.get("PathPatternConfig") or {}
            return " ".join(each.get("Values") or config.get("Values", []))
    return ""


def _targets(elb: Any, group: str) -> set[tuple[str, int]]:
    health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {(each["Target"]["Id"], each["Target"]["Port"]) for each in health}


def security_groups(aws: Aws, tag: str) -> list[dict[str, Any]]:
    """The security groups that bear a tag."""
    found: list[dict[str, Any]] = aws.client("ec2").describe_security_groups(
        Filters=[{"Name": "tag-key", "Values": [tag]}]
    )["SecurityGroups"]
    return found


def left_behind(aws: Aws, vpc: str) -> dict[str, list[str]]:
    """What load balancers have in a VPC: none of it belongs there once no Ingress wants it."""
    elb = aws.client("elbv2")
    inside = [{"Name": "vpc-id", "Values": [vpc]}]
    groups = aws.client("ec2").describe_security_groups(Filters=inside)["SecurityGroups"]
    found = {
        "balancers": elb.describe_load_balancers()["LoadBalancers"],
        "groups": elb.describe_target_groups()["TargetGroups"],
    }
    return {
        "load balancers": [each["LoadBalancerName"] for each in found["balancers"] if each["VpcId"] == vpc],
        "target groups": [each["TargetGroupName"] for each in found["groups"] if each["VpcId"] == vpc],
        "security groups": [each["GroupName"] for each in groups if each["GroupName"] not in ("default", "nodes")],
        "openings of the nodes' group": [
            pair["GroupId"]
            for each in groups
            if each["GroupName"] == "nodes"
            for rule in each["IpPermissions"]
            for pair in rule["UserIdGroupPairs"]
        ],
    }
