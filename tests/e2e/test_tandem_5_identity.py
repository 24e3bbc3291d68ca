"""EKS Pod Identity: whom the associations and trust policies that okgen renders admit, asked with real tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.rig import sessions
from e2e.rig.sessions import Association, Cluster, Wrong
from e2e.rig.shop import NAME

if TYPE_CHECKING:
    from e2e.rig.scene import Scene

AUDIENCE = "pods.eks.amazonaws.com"


WRONG = {
    "ServiceAccount": Wrong(
        account="default", says="does not admit.*'aws:requesttag/kubernetes-service-account': 'default'"
    ),
    "namespace": Wrong(namespace="shop", says="does not admit.*'aws:requesttag/kubernetes-namespace': 'shop'"),
    "audience": Wrong(audience="sts.amazonaws.com", says="audience"),
}


@pytest.fixture(scope="module")
def accounts(scene: Scene) -> None:
    """A ServiceAccount of the same name in another namespace."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "external-dns", "namespace": "shop"}}
    scene.cluster.kubectl.apply([account])


def role_of(scene: Scene, token: str, associations: list[Association], cluster: Cluster | None = None) -> str:
    """What the agent does with a token; the role."""
    return sessions.pod_identity(token, cluster or scene.aws.gate.cluster, associations, scene.aws.account)


def test_pod_identity_gives_the_role_to_its_service_account(scene: Scene) -> None:
    """The association in the template leads the ServiceAccount to its role, whose trust policy admits the session."""
    token = scene.pods.token("external-dns", "external-dns", AUDIENCE)

    assert role_of(scene, token, scene.aws.gate.associations) == scene.role("external-dns")


def test_pod_identity_gives_nothing_without_an_association(scene: Scene) -> None:
    """A pod of the application has no role."""
    with pytest.raises(sessions.Refused, match="no association"):
        role_of(scene, scene.pods.token("shop", "default", AUDIENCE), scene.aws.gate.associations)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.usefixtures("accounts")
def test_pod_identity_refuses_a_wrong(scene: Scene, wrong: Wrong) -> None:
    """Another ServiceAccount, namespace or audience: refused by the role, whatever associations are made by hand."""
    token = scene.pods.token(wrong.namespace, wrong.account, wrong.audience or AUDIENCE)
    by_hand = Association(NAME, wrong.namespace, wrong.account, scene.role("external-dns"))

    with pytest.raises(sessions.Refused, match=wrong.says):
        role_of(scene, token, [by_hand])


def test_pod_identity_refuses_another_cluster(scene: Scene) -> None:
    """The same ServiceAccount on another cluster of the account, associated by hand, is refused by the role."""
    token = scene.pods.token("external-dns", "external-dns", AUDIENCE)
    by_hand = Association("shop-dr", "external-dns", "external-dns", scene.role("external-dns"))
    other = scene.aws.gate.cluster._replace(name="shop-dr")

    with pytest.raises(sessions.Refused, match=r"does not admit.*cluster/shop-dr"):
        role_of(scene, token, [by_hand], other)
