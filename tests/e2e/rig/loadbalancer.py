"""The AWS half of the stand-in for the AWS Load Balancer Controller: one application load balancer as it should be.

Calls what the real one calls for an Ingress, with the same tags, so that the role's policy is put to the test.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import boto3

from e2e.rig.securitygroups import SecurityGroups
from e2e.rig.wanted import name_of, own_tags, tags_of

if TYPE_CHECKING:
    from e2e.rig.wanted import Backend, Place, Wanted


class LoadBalancers:
    """The load balancers of one cluster."""

    def __init__(self, place: Place) -> None:
        self.place = place
        os.environ["AWS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"]  # botocore's name for it
        session = boto3.session.Session(region_name=place.region)
        self.elb, self.ec2, self.acm = (session.client(each) for each in ("elbv2", "ec2", "acm"))
        self.groups = SecurityGroups(place, self.ec2)

    # -------------------------------------------------------------------------------------------------- as it should be

    def ensure(self, wanted: Wanted) -> str:
        """Makes or changes it; gives its DNS name."""
        name = name_of(self.place, wanted.stack)
        group = self.groups.ensure(name, wanted)
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
                Tags=tags_of(self.place, wanted, "LoadBalancer"),
            )["LoadBalancers"][0]
            print("made", name, flush=True)
        arn = balancer["LoadBalancerArn"]
        self._retag(arn, wanted, "LoadBalancer")
        if wanted.attributes:
            attributes = [{"Key": key, "Value": value} for key, value in wanted.attributes.items()]
            self.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
        groups = {rule.backend: self._target_group(rule.backend, wanted) for rule in wanted.rules}
        self._listeners(arn, wanted, groups)
        self.groups.open_nodes(group)
        dns: str = balancer["DNSName"]
        return dns

    def remove(self, stack: str) -> None:
        """Takes it away with all that belongs to it."""
        name = name_of(self.place, stack)
        if balancer := self._find(name):
            self._delete_balancer(balancer["LoadBalancerArn"])
        for arn in self._owned_target_groups(stack):
            self.elb.delete_target_group(TargetGroupArn=arn)
        self.groups.remove(name)
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
                tags = tags_of(self.place, wanted, f"{port}")
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
                Tags=tags_of(self.place, wanted, f"{port}:{priority}"),
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
                Tags=tags_of(self.place, wanted, f"{backend.service}:{backend.port}"),
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

    # ------------------------------------------------------------------------------------------------------------- tags

    def _retag(self, arn: str, wanted: Wanted, resource: str) -> None:
        """The tags of the annotation change; the cluster's do not, nor may they."""
        there = {
            each["Key"]: each["Value"]
            for each in self.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
        }
        should = {each["Key"]: each["Value"] for each in tags_of(self.place, wanted, resource)}
        if new := [{"Key": key, "Value": value} for key, value in should.items() if there.get(key) != value]:
            self.elb.add_tags(ResourceArns=[arn], Tags=new)
        if gone := sorted(there.keys() - should.keys()):
            self.elb.remove_tags(ResourceArns=[arn], TagKeys=gone)

    def _owned_target_groups(self, stack: str) -> list[str]:
        groups = [each["TargetGroupArn"] for each in self.elb.describe_target_groups()["TargetGroups"]]
        tags = self.elb.describe_tags(ResourceArns=groups)["TagDescriptions"] if groups else []
        own = own_tags(self.place, stack)
        return [
            each["ResourceArn"]
            for each in tags
            if own.items() <= {tag["Key"]: tag["Value"] for tag in each["Tags"]}.items()
        ]


def _shape(rule: dict[str, Any]) -> tuple[str, str, str]:
    values = {each["Field"]: (each.get("Values") or [""])[0] for each in rule["Conditions"]}
    return values.get("host-header", ""), values.get("path-pattern", ""), rule["Actions"][0].get("TargetGroupArn", "")


def covers(domain: str, host: str) -> bool:
    """Whether a certificate's name is a host's, or stands for it with an asterisk."""
    return domain == host or (domain.startswith("*.") and host.partition(".")[2] == domain[2:])
