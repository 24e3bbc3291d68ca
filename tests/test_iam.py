"""Policies, trust and the CloudFormation template: what AWS takes, and nothing beyond what is asked for."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import yaml
from cfnlint import ManualArgs, lint
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from okgen import pipeline
from okgen.emit import Shared
from okgen.read import inputs
from okgen.render import cloudformation, iam
from okgen.resolve.cluster import ArgoCd, Cluster, Role
from okgen.resolve.partitions import partition_of
from rendering import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"  # moto's
READ = {
    "Sid": "Read",
    "Effect": "Allow",
    "Action": ["ssm:GetParameter"],
    "Resource": [f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/shop/*"],
}
# Types that moto makes nothing of, and says so only in its log.
UNKNOWN_TO_MOTO = {"AWS::EKS::PodIdentityAssociation"}


def make_role(addon: str = "external-dns", *, mode: str = "pod-identity", statements: Any = None) -> Role:
    return Role(addon, f"shop-prod-{addon}", addon, addon, mode, Shared([READ] if statements is None else statements))


def make_cluster(*roles: Role, region: str = "eu-west-1", boundary: str = "", name: str = "shop-prod") -> Cluster:
    partition = partition_of(region)
    assert partition
    destination = {"server": "https://kubernetes.default.svc"}
    return Cluster(
        zones=[],
        name=name,
        labels={},
        profile="production",
        minor=34,
        account=ACCOUNT,
        region=region,
        partition=partition.name,
        dns_suffix=partition.dns_suffix,
        cluster_name=name,
        oidc_provider=f"{partition.oidc_hosts(region)[0]}/id/0123456789ABCDEF0123456789ABCDEF",
        permissions_boundary=boundary,
        repository="https://github.com/acme/platform.git",
        revision="refs/heads/main",
        path="output",
        crds_vendored=False,
        argocd=ArgoCd("argocd", health_check=True, destination=destination, root_destination=destination),
        addons=(),
        roles=list(roles),
    )


def statement(sid: str, size: int) -> dict[str, Any]:
    """A statement of exactly that many characters of compact JSON, which cannot be split."""
    empty = {"Sid": sid, "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": ""}
    return {**empty, "Resource": "r" * (size - len(json.dumps(empty, separators=(",", ":"))))}


def resources_of(found: dict[str, str]) -> dict[str, Any]:
    template: dict[str, Any] = yaml.safe_load(found["iam/cloudformation.yaml"])["Resources"]
    return template


def sids(role: Role) -> list[list[str]]:
    return [[each["Sid"] for each in policy.value] for policy in iam.policies(role)]


def test_no_roles_no_folder() -> None:
    assert iam.files(make_cluster()) == {}


def test_files_of_a_cluster() -> None:
    found = iam.files(make_cluster(make_role("external-dns"), make_role("cert-manager", mode="irsa")))
    assert list(found) == [
        "iam/external-dns.policy.json",
        "iam/external-dns.trust.json",
        "iam/cert-manager.policy.json",
        "iam/cert-manager.trust.json",
        "iam/cloudformation.yaml",
    ]
    assert json.loads(found["iam/external-dns.policy.json"]) == {"Version": "2012-10-17", "Statement": [READ]}
    assert found["iam/external-dns.policy.json"].startswith('{\n  "Version": "2012-10-17",\n  "Statement": [\n')
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in found.values())


def test_trust_of_pod_identity() -> None:
    found = iam.files(make_cluster(make_role(), region="us-gov-west-1"))
    region = "aws-us-gov:eks:us-gov-west-1"
    assert json.loads(found["iam/external-dns.trust.json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {
                        "aws:SourceAccount": ACCOUNT,
                        "aws:RequestTag/eks-cluster-arn": f"arn:{region}:{ACCOUNT}:cluster/shop-prod",
                        "aws:RequestTag/kubernetes-namespace": "external-dns",
                        "aws:RequestTag/kubernetes-service-account": "external-dns",
                    }
                },
            }
        ],
    }


def test_trust_of_irsa_in_china() -> None:
    found = iam.files(make_cluster(make_role(mode="irsa"), region="cn-north-1"))
    issuer = "oidc.eks.cn-north-1.amazonaws.com.cn/id/0123456789ABCDEF0123456789ABCDEF"
    assert json.loads(found["iam/external-dns.trust.json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws-cn:iam::{ACCOUNT}:oidc-provider/{issuer}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {
                        f"{issuer}:aud": "sts.amazonaws.com",
                        f"{issuer}:sub": "system:serviceaccount:external-dns:external-dns",
                    }
                },
            }
        ],
    }


@pytest.mark.parametrize("mode", ["irsa", "pod-identity"])
def test_the_longest_trust_fits(mode: str) -> None:
    role = Role("external-dns", "r" * 64, "n" * 63, "s" * 253, mode, Shared([READ]))
    cluster = make_cluster(role, region="us-isof-south-1", name="c" * 100)._replace(oidc_provider="o" * 247)
    assert len(json.dumps(iam.trust(cluster, role), separators=(",", ":"))) + 39 <= 2_048


def test_a_full_policy() -> None:
    room = 6_144 - 39
    assert sids(make_role(statements=[statement("A", room)])) == [["A"]]
    assert sids(make_role(statements=[statement("A", 3_000), statement("B", room - 3_001)])) == [["A", "B"]]
    assert sids(make_role(statements=[statement("A", 3_000), statement("B", room - 3_000)])) == [["A"], ["B"]]


def test_statements_go_where_they_first_fit() -> None:
    statements = [statement("A", 4_000), statement("B", 4_000), statement("C", 2_000), statement("D", 2_000)]
    assert sids(make_role(statements=statements)) == [["A", "C"], ["B", "D"]]
    found = iam.files(make_cluster(make_role(statements=statements)))
    assert [each for each in found if "policy" in each] == [
        "iam/external-dns.policy.json",
        "iam/external-dns.policy-2.json",
    ]
    template = resources_of(found)
    assert [template[f"ExternalDnsPolicy{n}"]["Properties"]["ManagedPolicyName"] for n in ("", 2)] == [
        "shop-prod-external-dns",
        "shop-prod-external-dns-2",
    ]


def test_no_statements_no_policy() -> None:
    found = iam.files(make_cluster(make_role(statements=[])))
    assert list(found) == ["iam/external-dns.trust.json", "iam/cloudformation.yaml"]
    assert list(resources_of(found)) == ["ExternalDnsRole", "ExternalDnsAssociation"]


def test_a_statement_is_cut_by_its_resources() -> None:
    arns = [f"arn:aws:route53:::hostedzone/Z{number:020}" for number in range(300)]
    whole = {**READ, "Resource": arns}
    found = [each for policy in iam.policies(make_role(statements=[whole])) for each in policy.value]
    assert [each["Sid"] for each in found] == ["Read", "ReadPart2", "ReadPart3", "ReadPart4"]
    assert [arn for each in found for arn in each["Resource"]] == arns
    assert all({**each, "Sid": 0, "Resource": 0} == {**READ, "Sid": 0, "Resource": 0} for each in found)


def test_a_statement_is_cut_by_its_actions_where_they_are_longer() -> None:
    actions = [f"ec2:Describe{number:040}" for number in range(150)]
    whole = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    found = [each for policy in iam.policies(make_role(statements=[whole])) for each in policy.value]
    assert [action for each in found for action in each["Action"]] == actions
    assert all("Sid" not in each and each["Resource"] == "*" for each in found)


def test_conditions_cannot_be_cut() -> None:
    names = [f"record-{number}.example.com" for number in range(400)]
    whole = {**READ, "Resource": ["a", "b"], "Condition": {"ForAllValues:StringLike": {"key": names}}}
    with pytest.raises(iam.TooLarge) as caught:
        iam.files(make_cluster(make_role(statements=[whole, {**whole, "Sid": "Write"}])))
    assert [(each.addon, each.message.partition(";")[0]) for each in caught.value.excesses] == [
        ("external-dns", f"the IAM statement {sid} of external-dns has {size:,} characters")
        for sid, size in (("Read", 10_022), ("Write", 10_023))
    ]
    assert "a policy has room for 6,105, and what it holds cannot be split" in str(caught.value)


def test_more_policies_than_a_role_may_have() -> None:
    statements = [statement(f"S{number}", 6_000) for number in range(11)]
    with pytest.raises(iam.TooLarge, match="external-dns needs 11 IAM policies; AWS lets a role have 10") as caught:
        iam.files(make_cluster(make_role(statements=statements)))
    assert caught.value.excesses[0].help
    assert iam.files(make_cluster(make_role(statements=statements[1:])))


WORDS = st.text("abcdefgh/*-", min_size=1, max_size=400)
LISTS = st.lists(WORDS, min_size=1, max_size=40)


@given(st.lists(st.tuples(LISTS, LISTS), max_size=8))
@settings(max_examples=60)
def test_nothing_is_lost_and_everything_fits(rights: list[tuple[list[str], list[str]]]) -> None:
    role = make_role(
        statements=[
            {"Sid": f"S{n}", "Effect": "Allow", "Action": actions, "Resource": arns}
            for n, (actions, arns) in enumerate(rights)
        ]
    )
    found = [each.value for each in iam.policies(role)]
    assert found == [each.value for each in iam.policies(role)]
    for policy in found:
        text = json.dumps({"Version": "2012-10-17", "Statement": policy}, separators=(",", ":"))
        assert len(text) <= 6_144
        assert len({each["Sid"] for each in policy}) == len(policy)
    granted = {(a, r) for policy in found for each in policy for a in each["Action"] for r in each["Resource"]}
    assert granted == {(a, r) for actions, arns in rights for a in actions for r in arns}


def test_resources_of_the_template() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    roles = make_role("external-dns"), make_role("cert-manager", mode="irsa")
    found = iam.files(make_cluster(*roles, boundary=boundary))
    template = resources_of(found)
    assert list(template) == [
        "ExternalDnsRole",
        "ExternalDnsPolicy",
        "ExternalDnsAssociation",
        "CertManagerRole",
        "CertManagerPolicy",
    ]
    role = template["ExternalDnsRole"]["Properties"]
    assert role["RoleName"] == "shop-prod-external-dns"
    assert role["PermissionsBoundary"] == boundary
    assert role["AssumeRolePolicyDocument"] == json.loads(found["iam/external-dns.trust.json"])
    policy = template["ExternalDnsPolicy"]["Properties"]
    assert policy["PolicyDocument"] == json.loads(found["iam/external-dns.policy.json"])
    assert template["ExternalDnsAssociation"]["Properties"] == {
        "ClusterName": "shop-prod",
        "Namespace": "external-dns",
        "ServiceAccount": "external-dns",
        "RoleArn": {"Fn::GetAtt": ["ExternalDnsRole", "Arn"]},
        "Tags": role["Tags"],
    }
    assert yaml.safe_load(found["iam/cloudformation.yaml"])["Outputs"]["CertManagerRoleArn"]["Value"] == {
        "Fn::GetAtt": ["CertManagerRole", "Arn"]
    }


def test_logical_names() -> None:
    assert cloudformation.logical_name("aws-load-balancer-controller") == "AwsLoadBalancerController"
    assert cloudformation.logical_name("k8s") == "K8s"
    odd = [cloudformation.logical_name(name) for name in ("a-1", "a1", "a--1", "1-a", "1a")]
    assert len(set(odd)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in odd)
    assert cloudformation.logical_name("a-1") == "A1" + "2f8fe63a"


def test_too_many_resources() -> None:
    roles = [make_role(f"addon-x{number}")._replace(mode="irsa") for number in range(251)]
    with pytest.raises(iam.TooLarge, match="has 502 resources; CloudFormation takes 500") as caught:
        iam.files(make_cluster(*roles))
    assert [each.addon for each in caught.value.excesses] == [""]


def test_a_template_too_large() -> None:
    statements = [statement(f"S{number}", 6_000) for number in range(10)]
    roles = [make_role(f"addon-x{number}", statements=statements) for number in range(20)]
    with pytest.raises(iam.TooLarge, match="bytes; CloudFormation takes 1,000,000"):
        iam.files(make_cluster(*roles))


CLUSTERS = [
    make_cluster(make_role(), make_role("cert-manager", mode="irsa")),
    make_cluster(make_role(mode="irsa"), region="cn-northwest-1"),
    make_cluster(
        make_role(
            statements=[
                {
                    **READ,
                    "Resource": [f"arn:aws-us-gov:ssm:us-gov-east-1:{ACCOUNT}:parameter/{n:0100}" for n in range(60)],
                }
            ]
        ),
        region="us-gov-east-1",
        boundary=f"arn:aws-us-gov:iam::{ACCOUNT}:policy/boundary",
    ),
    make_cluster(
        make_role(
            statements=[
                {
                    "Sid": "OwnSecrets",
                    "Effect": "Allow",
                    "Action": "secretsmanager:GetSecretValue",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/kubernetes-namespace}"}},
                }
            ]
        )
    ),
]
IDS = ["both-modes", "china-made-up", "govcloud-split", "policy-variables"]
CASES = sorted(path.parent for path in (REPOSITORY / "tests" / "cases").glob("*/cluster.yaml"))


def cluster_of(case: Path) -> Cluster:
    """The cluster of a golden case."""
    findings = pipeline.Findings()
    (found,) = pipeline.resolved(inputs.find([str(case / "cluster.yaml")]), findings)
    return found.cluster


@pytest.fixture(params=[*CLUSTERS, *CASES], ids=[*IDS, *(case.name for case in CASES)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Clusters made up for corners, and every golden case."""
    return cluster_of(request.param) if isinstance(request.param, Path) else request.param


def test_cfn_lint_finds_nothing(cluster: Cluster) -> None:
    if not cluster.roles:
        assert not iam.files(cluster)
        return
    text = iam.files(cluster)["iam/cloudformation.yaml"]
    # All it has, hints included. I3510 holds rules of load balancers to be those of network load balancers only.
    config = ManualArgs(regions=[cluster.region], include_checks=["I"], ignore_checks=["I3510"])
    found = lint(text, config=config)
    assert [f"{each.rule.id} {each.message} at {each.path}" for each in found] == []


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine is logged in to, nothing of this reaches it."""
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.filterwarnings("ignore:Tried to parse AWS..EKS..PodIdentityAssociation")
def test_deployed_it_is_what_the_files_say(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    found = iam.files(cluster)
    if not found:
        assert not cluster.roles
        return
    with mock_aws():
        stack = boto3.client("cloudformation", region_name=cluster.region)
        stack.create_stack(
            StackName="iam", TemplateBody=found["iam/cloudformation.yaml"], Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        # In GovCloud moto takes the "us-gov" of the usual host for a region of the partition aws.
        host = "https://iam.amazonaws.com" if cluster.partition == "aws-us-gov" else None
        client = boto3.client("iam", region_name=cluster.region, endpoint_url=host)
        for role in cluster.roles:
            made = client.get_role(RoleName=role.name)["Role"]
            assert made["AssumeRolePolicyDocument"] == json.loads(found[f"iam/{role.addon}.trust.json"])
            assert made.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "") == cluster.permissions_boundary
            assert {each["Key"]: each["Value"] for each in made["Tags"]}["okgen.dev/addon"] == role.addon
            files = [found[each] for each in found if each.startswith(f"iam/{role.addon}.policy")]
            assert list(policies_of(client, role.name)) == [json.loads(text) for text in files]
    unknown = {r.getMessage().split()[-1] for r in caplog.records if "No Moto CloudFormation support" in r.getMessage()}
    assert unknown <= UNKNOWN_TO_MOTO


def policies_of(client: Any, role: str) -> Iterator[dict[str, Any]]:
    attached = client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    for arn in sorted(each["PolicyArn"] for each in attached):
        version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
