"""How a pod gets credentials: web identity (IRSA) and EKS Pod Identity, tokens and trust policies checked as by AWS."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from e2e.rig.policies import Question, allowed, listed

if TYPE_CHECKING:
    from e2e.rig.account import Account

POD_IDENTITY = "pods.eks.amazonaws.com"


class Refused(Exception):  # noqa: N818 - a verdict
    """AWS would not give credentials; says why."""


class Association(NamedTuple):
    """What ties a ServiceAccount of an EKS cluster to a role (AWS::EKS::PodIdentityAssociation)."""

    cluster: str
    namespace: str
    service_account: str
    role: str


class Cluster(NamedTuple):
    """What AWS knows of the EKS cluster: the name it is registered under, and the keys its tokens are signed with."""

    name: str
    jwks: list[dict[str, str]]


def claims_of(token: str, cluster: Cluster) -> dict[str, Any]:
    """What a ServiceAccount's token says, once signature (RS256, as EKS signs) and time hold. Raises Refused."""
    try:
        head, body, signature = token.split(".")
        kid, claims = json.loads(_decoded(head))["kid"], json.loads(_decoded(body))
    except ValueError:
        raise Refused("that is no token") from None
    key = next((each for each in cluster.jwks if each["kid"] == kid), None)
    if key is None:
        raise Refused("token signed with an unknown key")
    exponent, modulus = (int.from_bytes(_decoded(key[part]), "big") for part in ("e", "n"))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    try:
        public.verify(_decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Refused("bad token signature") from None
    if claims["exp"] < time.time():
        raise Refused("token expired")
    found: dict[str, Any] = claims
    return found


def web_identity(token: str, role: str, cluster: Cluster, account: Account) -> str:
    """The subject that may take the role with this token. Raises Refused."""
    claims = claims_of(token, cluster)
    issuer = claims["iss"].removeprefix("https://")
    provider = account.arn("iam", f"oidc-provider/{issuer}", region="")
    iam = account.client("iam")
    known = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    if provider not in known:
        raise Refused(f"no OIDC provider for {issuer}")
    clients = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ClientIDList"]
    audience = next((each for each in listed(claims["aud"]) if each in clients), None)
    if audience is None:
        raise Refused(f"audience {claims['aud']} is not registered")
    subject: str = claims["sub"]
    context = {f"{issuer}:sub".lower(): (subject,), f"{issuer}:aud".lower(): (audience,)}
    trusted(role, {"Federated": provider}, [Question("sts:AssumeRoleWithWebIdentity", "*", context)], account)
    return subject


def pod_identity(token: str, cluster: Cluster, associations: list[Association], account: Account) -> str:
    """The role that Pod Identity gives the pod of this token. Raises Refused.

    The tags are those that EKS puts on such a session (EKS user guide, "pod-id-abac").
    """
    claims = claims_of(token, cluster)
    if POD_IDENTITY not in listed(claims["aud"]):
        raise Refused(f"audience {claims['aud']} is not {POD_IDENTITY}")
    about = claims["kubernetes.io"]
    namespace, name = about["namespace"], about["serviceaccount"]["name"]
    wanted = (cluster.name, namespace, name)
    role = next((each.role for each in associations if each[:3] == wanted), None)
    if role is None:
        raise Refused(f"no association for {namespace}/{name} on {cluster.name}")
    arn = account.arn("eks", f"cluster/{cluster.name}")
    tags = {
        "eks-cluster-arn": arn,
        "eks-cluster-name": cluster.name,
        "kubernetes-namespace": namespace,
        "kubernetes-service-account": name,
    }
    source = {"aws:sourceaccount": (arn.split(":")[4],), "aws:sourcearn": (arn,)}
    context = {f"aws:requesttag/{key}": (value,) for key, value in tags.items()} | source
    questions = [Question(action, "*", context) for action in ("sts:AssumeRole", "sts:TagSession")]
    trusted(role, {"Service": POD_IDENTITY}, questions, account)
    return role


def trusted(role: str, principal: dict[str, str], questions: list[Question], account: Account) -> None:
    """The role's trust policy admits this principal for all of these actions, else Refused is raised."""
    found = account.role(role)
    if found is None:
        raise Refused(f"role {role} does not exist")
    kind, who = next(iter(principal.items()))
    statements = [
        each
        for each in listed(found["AssumeRolePolicyDocument"]["Statement"])
        if isinstance(each["Principal"], dict) and who in listed(each["Principal"].get(kind, []))
    ]
    for question in questions:
        if not allowed([{"Statement": statements}], question):
            shown = {key: " ".join(values) for key, values in question.context.items()}
            raise Refused(f"the trust policy of {role} does not admit {question.action} for {who} with {shown}")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Wrong(NamedTuple):
    """A token that differs from external-dns' own in one thing; ``says`` is a pattern of what the refusal speaks of."""

    namespace: str = "external-dns"
    account: str = "external-dns"
    audience: str = ""
    says: str = "does not admit"
