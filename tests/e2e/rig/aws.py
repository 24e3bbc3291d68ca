"""AWS for the tests: moto, the gate in front of it, okgen's CloudFormation deployed, and what a cluster finds there."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from e2e.rig.account import ENDPOINT, ID, Account
from e2e.rig.gate import Gate
from e2e.rig.network import GATEWAY
from e2e.rig.pods import AGENT, API_SERVER
from e2e.rig.sessions import Association, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from e2e.rig import controlplane
    from e2e.rig.controlplane import Rig
    from e2e.rig.process import Process

# Whom the controllers ask, by the service's endpoint in the partition aws; {} is the region.
REGIONAL = (
    "acm",
    "ec2",
    "elasticloadbalancing",
    "secretsmanager",
    "shield",
    "ssm",
    "sts",
    "tagging",
    "waf-regional",
    "wafv2",
)
GLOBAL = ("iam", "route53", "sts")
# Types of CloudFormation that moto passes over, saying so only in its log. okgen's associations are taken from the same
# template and given to the gate, as moto's EKS knows none either.
SKIPPED_BY_MOTO = {"AWS::EKS::PodIdentityAssociation"}
OTHER_CLIENT = "dashboard"  # an audience of the OIDC provider that is not for roles
PUBLIC, PRIVATE = "kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"


class Aws(NamedTuple):
    """A running AWS: its account without checks, and the gate that programs come through."""

    account: Account
    gate: Gate
    moto: Process

    def client(self, service: str) -> Any:
        """The administrator's client."""
        return self.account.client(service)


def start(rig: Rig, name: str, region: str) -> Aws:
    """AWS with an empty account, reachable under its own names. ``name`` is that of the EKS cluster."""
    suffix = "amazonaws.com"
    names = [f"{each}.{region}.{suffix}" for each in REGIONAL] + [f"{each}.{suffix}" for each in GLOBAL]
    rig.isolation.hosts(dict.fromkeys(names, GATEWAY))
    for address in (GATEWAY, AGENT, API_SERVER):
        rig.isolation.network(f"{address}/32")
    # A certificate asked for is issued at once; by default moto takes a minute.
    env = {**os.environ, "MOTO_ACM_VALIDATION_WAIT": "0"}
    host, port = ENDPOINT.removeprefix("http://").split(":")
    call = [sys.executable, "-m", "moto.server", "--host", host, "--port", port]
    moto = rig.processes.start("moto", call, env=env, ready=_moto_answers)
    gate = Gate(Account(region), Cluster(name, []), rig.processes.folder / "calls.jsonl")
    pair = rig.authority.issue("aws", "aws", names=names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, pair))
    gate.open((GATEWAY, 443), context)
    gate.open((AGENT, 80))
    return Aws(gate.account, gate, moto)


def register(aws: Aws, cluster: controlplane.Cluster) -> None:
    """Makes the keys that a cluster signs tokens with known, as EKS publishes them, and its OIDC provider."""
    keys = json.loads(cluster.kubectl("get", "--raw", "/openid/v1/jwks"))["keys"]  # in a media type of its own
    aws.gate.cluster.jwks.extend(keys)
    iam = aws.client("iam")
    known = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    if not any(each.endswith(cluster.issuer.removeprefix("https://")) for each in known):
        make_provider(aws, cluster.issuer)


def _moto_answers() -> bool:
    connection = http.client.HTTPConnection(ENDPOINT.removeprefix("http://"), timeout=5)
    connection.request("GET", "/moto-api/")
    return connection.getresponse().status == 200


# ------------------------------------------------------------------------------------------------------ what okgen made


def deploy(aws: Aws, template: str) -> list[Association]:
    """Deploys iam/cloudformation.yaml as it is; gives the Pod Identity associations in it.

    moto can neither update a stack that has managed policies nor delete one with roles they hang on: the roles of the
    last deployment are deleted one by one, and the template becomes a new stack. Raises AssertionError where moto has
    passed over a type that is not listed here.
    """
    before = len(aws.moto.log.read_text(encoding="utf-8"))
    formation = aws.client("cloudformation")
    stack = f"okgen-{time.monotonic_ns()}"
    with aws.gate.judging:  # AWS changes them in place
        _clear_roles(aws)
        formation.create_stack(StackName=stack, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
        aws.gate.forget()
    status = formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    assert status == "CREATE_COMPLETE", status
    said = aws.moto.log.read_text(encoding="utf-8")[before:]
    skipped = set(re.findall(r"No Moto CloudFormation support for (\S+)", said))
    resources = yaml.safe_load(template)["Resources"]
    made = {each.get("ResourceType") for each in formation.describe_stack_resources(StackName=stack)["StackResources"]}
    missing = {each["Type"] for each in resources.values()} - made
    assert (skipped | missing) <= SKIPPED_BY_MOTO, f"moto passed over {sorted(skipped | missing)}"
    found = list(_associations(aws, resources))
    aws.gate.associations[:] = found
    return found


def _clear_roles(aws: Aws) -> None:
    """Deletes the roles of the last deployment, and their policies."""
    iam = aws.client("iam")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        if not any(tag["Key"].startswith("okgen.dev/") for tag in iam.list_role_tags(RoleName=name)["Tags"]):
            continue
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)
    attached = {each["Arn"] for each in iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]}
    for policy in iam.list_policies(Scope="Local", PolicyUsageFilter="PermissionsPolicy")["Policies"]:
        if policy["Arn"] not in attached and not policy["PolicyName"].startswith("boundary"):
            iam.delete_policy(PolicyArn=policy["Arn"])


def _associations(aws: Aws, resources: Mapping[str, Any]) -> Iterator[Association]:
    for each in resources.values():
        if each["Type"] == "AWS::EKS::PodIdentityAssociation":
            said = each["Properties"]
            role = resources[said["RoleArn"]["Fn::GetAtt"][0]]["Properties"]["RoleName"]
            arn = aws.account.role_arn(role)
            yield Association(said["ClusterName"], said["Namespace"], said["ServiceAccount"], arn)


# ------------------------------------------------------------------------------------------ what a cluster finds in AWS


class Network(NamedTuple):
    """An EKS cluster's network: ids of the VPC, of subnets by name (public-a, private-b, …), of the nodes' group."""

    vpc: str
    subnets: dict[str, str]
    node_group: str


def make_network(aws: Aws, cluster_name: str, zones: str = "ab") -> Network:
    """A VPC with a public and a private subnet in each zone, tagged for load balancers, and the nodes' group."""
    ec2 = aws.client("ec2")
    shared = {f"kubernetes.io/cluster/{cluster_name}": "shared"}
    vpc = ec2.create_vpc(CidrBlock="10.42.0.0/16")["Vpc"]["VpcId"]
    subnets = {}
    for number, zone in enumerate(zones):
        for place, (kind, role) in enumerate((("public", PUBLIC), ("private", PRIVATE))):
            name = f"{kind}-{zone}"
            made = ec2.create_subnet(
                VpcId=vpc,
                CidrBlock=f"10.42.{128 * place + 32 * number}.0/19",
                AvailabilityZone=f"{aws.account.region}{zone}",
                TagSpecifications=_tagged("subnet", {"Name": name, role: "1", **shared}),
            )
            subnets[name] = made["Subnet"]["SubnetId"]
    owned = {f"kubernetes.io/cluster/{cluster_name}": "owned"}
    group = ec2.create_security_group(
        GroupName="nodes", Description="nodes", VpcId=vpc, TagSpecifications=_tagged("security-group", owned)
    )
    return Network(vpc, subnets, group["GroupId"])


def _tagged(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def make_zone(aws: Aws, name: str) -> str:
    """A public hosted zone; its id. Those of AWS begin with a Z, those of moto with anything: some are thrown away."""
    zones = aws.client("route53")
    for number in itertools.count():
        made: str = zones.create_hosted_zone(Name=name, CallerReference=f"{name}-{number}")["HostedZone"]["Id"]
        if (zone := made.rpartition("/")[2]).startswith("Z"):
            return zone
        zones.delete_hosted_zone(Id=zone)
    raise AssertionError


def make_boundary(aws: Aws, name: str = "boundary") -> str:
    """A permissions boundary that allows what AWS knows; its ARN."""
    everything = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    made: str = aws.client("iam").create_policy(PolicyName=name, PolicyDocument=everything)["Policy"]["Arn"]
    return made


def make_provider(aws: Aws, issuer: str) -> None:
    """The cluster's OIDC provider, which IRSA needs; something else in the account uses it as well."""
    aws.client("iam").create_open_id_connect_provider(
        Url=issuer, ClientIDList=["sts.amazonaws.com", OTHER_CLIENT], ThumbprintList=["0" * 40]
    )


def put_parameter(aws: Aws, name: str, value: str) -> None:
    """A parameter, made or changed."""
    aws.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def records(aws: Aws, zone: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The record sets of a zone by name (without the last dot) and type; those of the zone itself are left out."""
    pages = aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    found = [each for page in pages for each in page["ResourceRecordSets"] if each["Type"] not in ("NS", "SOA")]
    return {(each["Name"].removesuffix("."), each["Type"]): each for each in found}


def reset() -> None:
    """Empties the account."""
    connection = http.client.HTTPConnection(ENDPOINT.removeprefix("http://"), timeout=30)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200, ID
