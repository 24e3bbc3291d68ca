"""IAM roles for service accounts: the tandem once more with `identity: irsa`, and whom the trust policies admit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from e2e.rig import aws as cloud
from e2e.rig import waiting
from e2e.rig.issuer import Issuer
from e2e.rig.sessions import Wrong
from e2e.rig.shop import CALLERS, REGION, SECRET, ZONE, ingress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.rig.scene import Scene

IRSA = "sts.amazonaws.com"


WRONG = {
    "ServiceAccount": Wrong(account="default", says="does not admit.*serviceaccount:external-dns:default"),
    "namespace": Wrong(namespace="shop", says="does not admit.*serviceaccount:shop:external-dns"),
    "audience": Wrong(audience=cloud.OTHER_CLIENT, says=f"does not admit.*:aud': '{cloud.OTHER_CLIENT}'"),
    "audience of the API server": Wrong(audience="https://kubernetes.default.svc", says="audience"),
}


@pytest.fixture(scope="module")
def irsa(scene: Scene) -> Iterator[str]:
    """`identity: irsa`, as docs/iam.md says: stack, push, restart what calls AWS. The ARN of external-dns' role."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "external-dns", "namespace": "shop"}}
    scene.cluster.kubectl.apply([account])
    scene.render(aws={"identity": "irsa"})
    scene.change(*CALLERS)
    yield scene.role("external-dns")
    scene.render()
    scene.change(*CALLERS)


def test_secrets_load_balancers_and_records_with_irsa(scene: Scene, irsa: str) -> None:
    """All three get their roles from STS by web identity: a new value, a new ALB and a new record arrive."""
    before = len(scene.aws.gate.calls)
    cloud.put_parameter(scene.aws, SECRET, "by irsa")
    scene.refresh("database")
    scene.cluster.kubectl.apply([ingress("irsa", f"irsa.{ZONE}")])

    waiting.until("the value", lambda: scene.password() == "by irsa")
    address = waiting.until("an address", lambda: scene.address("irsa"))
    waiting.until("an alias of it", lambda: scene.leads(f"irsa.{ZONE}") == address, within=60)

    scene.cluster.kubectl("delete", "ingress/irsa", "--namespace=shop")
    new = scene.aws.gate.calls[before:]
    assert [each for each in new if each.denied] == []
    assert {each.action for each in scene.aws.gate.calls if each.role == irsa} >= {"sts:AssumeRoleWithWebIdentity"}
    assert not any(each.action.startswith("eks-auth:") for each in new)


def assume(scene: Scene, token: str, role: str) -> str:
    """Asks STS as the SDKs do; an access key. Raises ClientError."""
    trust = str(scene.pods.trust)
    sts = boto3.client("sts", region_name=REGION, verify=trust, config=Config(signature_version=UNSIGNED))
    made = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="test", WebIdentityToken=token)
    key: str = made["Credentials"]["AccessKeyId"]
    return key


def test_irsa_gives_the_role_to_its_service_account(scene: Scene, irsa: str) -> None:
    """The ServiceAccount that okgen renders gets its role with a token of the cluster."""
    assert assume(scene, scene.pods.token("external-dns", "external-dns", IRSA), irsa)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_irsa_refuses_a_wrong(scene: Scene, irsa: str, wrong: Wrong) -> None:
    """Another ServiceAccount, another namespace, another audience: AccessDenied."""
    token = scene.pods.token(wrong.namespace, wrong.account, wrong.audience or IRSA)

    with pytest.raises(ClientError, match=f"AccessDenied.*{wrong.says}"):
        assume(scene, token, irsa)


def test_irsa_refuses_another_cluster(scene: Scene, irsa: str) -> None:
    """A token for the same ServiceAccount from another cluster whose OIDC provider the account knows as well."""
    issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
    cloud.make_provider(scene.aws, issuer)
    other = Issuer(issuer, "other")
    scene.aws.gate.cluster.jwks.append(other.jwk)
    token = other.token("external-dns", "external-dns", IRSA)

    with pytest.raises(ClientError, match=r"AccessDenied.*does not admit"):
        assume(scene, token, irsa)


def test_irsa_refuses_a_key_that_is_not_the_clusters(scene: Scene, irsa: str) -> None:
    """A token that says all the right things, signed by somebody else."""
    known = scene.aws.gate.cluster.jwks[0]["kid"]
    token = Issuer(scene.cluster.issuer, known).token("external-dns", "external-dns", IRSA)

    with pytest.raises(ClientError, match=r"AccessDenied.*signature"):
        assume(scene, token, irsa)


@pytest.mark.usefixtures("irsa")
def test_irsa_roles_are_not_each_others(scene: Scene) -> None:
    """external-dns cannot have the role of external-secrets."""
    token = scene.pods.token("external-dns", "external-dns", IRSA)

    with pytest.raises(ClientError, match="AccessDenied"):
        assume(scene, token, scene.role("external-secrets"))
