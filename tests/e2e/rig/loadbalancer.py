"""The AWS half of the stand-in for the AWS Load Balancer Controller: one application load balancer as it should be.

Calls what the real one calls for an Ingress, with the same tags, so that the role's policy is put to the test.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import Any, NamedTuple

import boto3

CLUSTER_TAG = "elbv2.k8s.aws/cluster"
STACK_TAG = "ingress.k8s.aws/stack"
RESOURCE_TAG = "ingress.k8s.aws/resource"


class Backend(NamedTuple):
    """A Service behind a load balancer: its name and port, and the addresses of its pods with theirs."""

    service: str
    port: str
    targets: frozenset[tuple[str, int]]


class Rule(NamedTuple):
    """Host and path, and where they lead."""

    host: str
    path: str
    backend: Backend


class Wanted(NamedTuple):
    """A load balancer as an Ingress asks for it; ``ports`` maps port to protocol, ``attributes`` are AWS's."""

    stack: str
    scheme: str
    ports: dict[int, str]
    hosts: list[str]
    rules: list[Rule]
    ssl_policy: str
    health_path: str
    cidrs: list[str]
    certificates: list[str]
    attributes: dict[str, str]
    tags: dict[str, str]


class Place(NamedTuple):
    """The cluster whose load balancers these are."""

    cluster: str
    region: str
    vpc: str


def name_of(place: Place, stack: str) -> str:
    """A load balancer's name, of at most 32 characters."""
    short = "-".join(part[:8] for part in stack.replace(".", "-").split("/"))
    return f"k8s-{short}-{hashlib.sha256((place.cluster + stack).encode()).hexdigest()[:10]}"[:32]


class LoadBalancers:
    """The load balancers of one cluster."""

    def __init__(self, place: Place) -> None:
        self.place = place
        os.environ["AWS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"]  # botocore's name for it
        session = boto3.session.Session(region_name=place.region)
        self.elb, self.ec2, self.acm = (session.client(each) for each in ("elbv2", "ec2", "acm"))

    # -------------------------------------------------------------------------------------------------- as it should be

    def ensure(self, wanted: Wanted) -> str:
        """Makes or changes it; gives its DNS name."""
        name = name_of(self.place, wanted.stack)
        group = self._security_group(name, wanted)
        balancer = self._find(name)
        if balancer and balancer["Scheme"] != wanted.scheme:  # cannot be changed
            self._delete_balancer(balancer["LoadBalancerArn"])
            balancer = None
        if balancer is None:
            balancer = self.elb.create_load_balancer(
                Name=name,
                Scheme=wanted.scheme,
                Type="application",
                Subnets=self._subnets(wanted.scheme),
                SecurityGroups=[group],
                Tags=self._tags(wanted, "LoadBalancer"),
            )["LoadBalancers"][0]
            print("made", name, flush=True)
        arn = balancer["LoadBalancerArn"]
        self._retag(arn, wanted, "LoadBalancer")
        if wanted.attributes:
            attributes = [{"Key": key, "Value": value} for key, value in wanted.attributes.items()]
            self.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
        groups = {rule.backend: self._target_group(rule.backend, wanted) for rule in wanted.rules}
        self._listeners(arn, wanted, groups)
        self._open_nodes(group)
        dns: str = balancer["DNSName"]
        return dns

    def remove(self, stack: str) -> None:
        """Takes it away with all that belongs to it."""
        name = name_of(self.place, stack)
        if balancer := self._find(name):
            self._delete_balancer(balancer["LoadBalancerArn"])
        for arn in self._owned_target_groups(stack):
            self.elb.delete_target_group(TargetGroupArn=arn)
        for group in self._groups(name):
            self._close_nodes(group)
            self.ec2.delete_security_group(GroupId=group)
        print("removed", name, flush=True)

    def _delete_balancer(self, arn: str) -> None:
        for listener in self.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
            self.elb.delete_listener(ListenerArn=listener["ListenerArn"])
        self.elb.delete_load_balancer(LoadBalancerArn=arn)

    def _find(self, name: str) -> dict[str, Any] | None:
        with contextlib.suppress(self.elb.exceptions.LoadBalancerNotFoundException):
            found: list[dict[str, Any]] = self.elb.describe_load_balancers(Names=[name])["LoadBalancers"]
            return found[0] if found else None
        return None

    def _subnets(self, scheme: str) -> list[str]:
        role = "elb" if scheme == "internet-facing" else "internal-elb"
        chosen = [
            {"Name": f"tag:kubernetes.io/role/{role}", "Values": ["", "1"]},
            {"Name": "vpc-id", "Values": [self.place.vpc]},
        ]
        found = self.ec2.describe_subnets(Filters=chosen)["Subnets"]
        if len({each["AvailabilityZone"] for each in found}) < 2:
            raise LookupError(f"no two subnets tagged kubernetes.io/role/{role}")
        return [each["SubnetId"] for each in found]

    # -------------------------------------------------------------------------------------------- listeners and targets

    def _listeners(self, balancer: str, wanted: Wanted, groups: dict[Backend, str]) -> None:
        found = {each["Port"]: each for each in self.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]}
        for port in found.keys() - wanted.ports.keys():
            self.elb.delete_listener(ListenerArn=found[port]["ListenerArn"])
        refuse = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
        for port, protocol in wanted.ports.items():
            said: dict[str, Any] = {"Protocol": protocol, "Port": port, "DefaultActions": [refuse]}
            if protocol == "HTTPS":
                certificates = wanted.certificates or self._certificates(wanted.hosts)
                said |= {"Certificates": [{"CertificateArn": certificates[0]}], "SslPolicy": wanted.ssl_policy}
            if port not in found:
                tags = self._tags(wanted, f"{port}")
                made = self.elb.create_listener(LoadBalancerArn=balancer, Tags=tags, **said)["Listeners"][0]
            else:
                made = found[port]
                if any(key != "DefaultActions" and made.get(key) != value for key, value in said.items()):
                    self.elb.modify_listener(ListenerArn=made["ListenerArn"], **said)
            self._rules(made["ListenerArn"], port, wanted, groups)

    def _rules(self, listener: str, port: int, wanted: Wanted, groups: dict[Backend, str]) -> None:
        found = {
            _shape(each): each
            for each in self.elb.describe_rules(ListenerArn=listener)["Rules"]
            if not each["IsDefault"]
        }
        shapes = {(rule.host, rule.path, groups[rule.backend]): rule for rule in wanted.rules}
        for shape in found.keys() - shapes.keys():
            self.elb.delete_rule(RuleArn=found[shape]["RuleArn"])
        taken = {int(found[shape]["Priority"]) for shape in found.keys() & shapes.keys()}
        for shape in [each for each in shapes if each not in found]:
            priority = next(number for number in range(1, 100) if number not in taken)
            taken.add(priority)
            host, path, group = shape
            self.elb.create_rule(
                ListenerArn=listener,
                Priority=priority,
                Conditions=[{"Field": "host-header", "Values": [host]}, {"Field": "path-pattern", "Values": [path]}],
                Actions=[{"Type": "forward", "TargetGroupArn": group}],
                Tags=self._tags(wanted, f"{port}:{priority}"),
            )

    def _target_group(self, backend: Backend, wanted: Wanted) -> str:
        name = name_of(self.place, f"{wanted.stack}/{backend.service}/{backend.port}")
        try:
            made = self.elb.describe_target_groups(Names=[name])["TargetGroups"][0]
        except (self.elb.exceptions.TargetGroupNotFoundException, IndexError):
            made = self.elb.create_target_group(
                Name=name,
                Protocol="HTTP",
                Port=80,
                VpcId=self.place.vpc,
                TargetType="ip",
                HealthCheckPath=wanted.health_path,
                Tags=self._tags(wanted, f"{backend.service}:{backend.port}"),
            )["TargetGroups"][0]
        arn: str = made["TargetGroupArn"]
        if made["HealthCheckPath"] != wanted.health_path:
            self.elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath=wanted.health_path)
        health = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        there = {(each["Target"]["Id"], each["Target"]["Port"]) for each in health}
        if new := backend.targets - there:
            self.elb.register_targets(
                TargetGroupArn=arn, Targets=[{"Id": ip, "Port": port} for ip, port in sorted(new)]
            )
        if old := there - backend.targets:
            self.elb.deregister_targets(
                TargetGroupArn=arn, Targets=[{"Id": ip, "Port": port} for ip, port in sorted(old)]
            )
        return arn

    def _certificates(self, hosts: list[str]) -> list[str]:
        """The certificates in ACM whose name covers a host."""
        found = []
        for each in self.acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]:
            arn = each["CertificateArn"]
            domains = self.acm.describe_certificate(CertificateArn=arn)["Certificate"]["SubjectAlternativeNames"]
            if any(covers(domain, host) for domain in domains for host in hosts):
                found.append(arn)
        if not found:
            raise LookupError(f"no certificate for {hosts}")
        return found

    # ----------------------------------------------------------------------------------------- tags and security groups

    def _tags(self, wanted: Wanted, resource: str) -> list[dict[str, str]]:
        own = {CLUSTER_TAG: self.place.cluster, STACK_TAG: wanted.stack, RESOURCE_TAG: resource}
        return [{"Key": key, "Value": value} for key, value in {**wanted.tags, **own}.items()]

    def _retag(self, arn: str, wanted: Wanted, resource: str) -> None:
        """The tags of the annotation change; the cluster's do not, nor may they."""
        there = {
            each["Key"]: each["Value"]
            for each in self.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
        }
        should = {each["Key"]: each["Value"] for each in self._tags(wanted, resource)}
        if new := [{"Key": key, "Value": value} for key, value in should.items() if there.get(key) != value]:
            self.elb.add_tags(ResourceArns=[arn], Tags=new)
        if gone := sorted(there.keys() - should.keys()):
            self.elb.remove_tags(ResourceArns=[arn], TagKeys=gone)

    def _owned_target_groups(self, stack: str) -> list[str]:
        groups = [each["TargetGroupArn"] for each in self.elb.describe_target_groups()["TargetGroups"]]
        tags = self.elb.describe_tags(ResourceArns=groups)["TagDescriptions"] if groups else []
        own = {CLUSTER_TAG: self.place.cluster, STACK_TAG: stack}
        return [
            each["ResourceArn"]
            for each in tags
            if own.items() <= {tag["Key"]: tag["Value"] for tag in each["Tags"]}.items()
        ]

    def _groups(self, name: str) -> list[str]:
        chosen = [
            {"Name": "group-name", "Values": [name]},
            {"Name": f"tag:{CLUSTER_TAG}", "Values": [self.place.cluster]},
        ]
        return [each["GroupId"] for each in self.ec2.describe_security_groups(Filters=chosen)["SecurityGroups"]]

    def _security_group(self, name: str, wanted: Wanted) -> str:
        """The load balancer's own group, open at its ports."""
        groups = self._groups(name)
        if not groups:
            tags = [{"ResourceType": "security-group", "Tags": self._tags(wanted, "ManagedLBSecurityGroup")}]
            made = self.ec2.create_security_group(
                GroupName=name, Description="managed", VpcId=self.place.vpc, TagSpecifications=tags
            )
            groups = [made["GroupId"]]
        found = self.ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"][0]
        there = {(each["FromPort"], each["IpRanges"][0]["CidrIp"]) for each in found["IpPermissions"]}
        should = {(port, cidr) for port in wanted.ports for cidr in wanted.cidrs}
        if new := [_permission(*each) for each in sorted(should - there)]:
            self.ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=new)
        if old := [_permission(*each) for each in sorted(there - should)]:
            self.ec2.revoke_security_group_ingress(GroupId=groups[0], IpPermissions=old)
        group: str = groups[0]
        return group

    def _node_groups(self) -> list[dict[str, Any]]:
        tag = f"tag:kubernetes.io/cluster/{self.place.cluster}"
        chosen = [{"Name": tag, "Values": ["owned", "shared"]}, {"Name": "vpc-id", "Values": [self.place.vpc]}]
        found: list[dict[str, Any]] = self.ec2.describe_security_groups(Filters=chosen)["SecurityGroups"]
        return found

    def _open_nodes(self, group: str) -> None:
        for node in self._node_groups():
            if not _admits(node, group):
                self.ec2.authorize_security_group_ingress(GroupId=node["GroupId"], IpPermissions=[_from(group)])

    def _close_nodes(self, group: str) -> None:
        for node in self._node_groups():
            if _admits(node, group):
                self.ec2.revoke_security_group_ingress(GroupId=node["GroupId"], IpPermissions=[_from(group)])


def _shape(rule: dict[str, Any]) -> tuple[str, str, str]:
    values = {each["Field"]: (each.get("Values") or [""])[0] for each in rule["Conditions"]}
    return values.get("host-header", ""), values.get("path-pattern", ""), rule["Actions"][0].get("TargetGroupArn", "")


def _permission(port: int, cidr: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def _from(group: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": group}]}


def _admits(node: dict[str, Any], group: str) -> bool:
    return any(pair["GroupId"] == group for rule in node["IpPermissions"] for pair in rule["UserIdGroupPairs"])


def covers(domain: str, host: str) -> bool:
    """Whether a certificate's name is a host's, or stands for it with an asterisk."""
    return domain == host or (domain.startswith("*.") and host.partition(".")[2] == domain[2:])
