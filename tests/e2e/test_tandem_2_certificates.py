"""Certificates of webhooks: cert-manager's controller, cainjector and webhook under the rendered flags and RBAC."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from e2e.rig import waiting

if TYPE_CHECKING:
    from e2e.rig.kube import Object
    from e2e.rig.scene import Scene

SPACE, SERVING, ROOT = "kube-system", "aws-load-balancer-serving-cert", "aws-load-balancer-root-cert"
HOST = "aws-load-balancer-webhook-service.kube-system.svc"
INJECTED = {
    "aws-load-balancer-webhook": (SPACE, "aws-load-balancer-tls"),
    "cert-manager-webhook": ("cert-manager", "cert-manager-webhook-ca"),
}


def held(scene: Scene, namespace: str, secret: str) -> dict[str, bytes]:
    """The data of a Secret, empty while there is none."""
    found = scene.get(f"secret/{secret}", namespace) or {}
    return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}


def issued(scene: Scene, certificate: str) -> dict[str, bytes]:
    """What the Secret of a Certificate holds; empty while it is not Ready."""
    found = scene.get(f"certificate/{certificate}", SPACE) or {}
    ready = [each for each in found.get("status", {}).get("conditions", []) if each["type"] == "Ready"]
    return held(scene, SPACE, found["spec"]["secretName"]) if ready and ready[0]["status"] == "True" else {}


def bundles(scene: Scene, name: str) -> set[bytes]:
    """Whom the API server trusts when it calls the webhooks of a name."""
    kinds = ("validatingwebhookconfiguration", "mutatingwebhookconfiguration")
    found: list[Object] = [each for kind in kinds if (each := scene.get(f"{kind}/{name}", ""))]
    assert len(found) == len(kinds)
    return {base64.b64decode(hook["clientConfig"].get("caBundle", "")) for each in found for hook in each["webhooks"]}


def test_the_chain_is_issued(scene: Scene) -> None:
    """A self-signed root, and by it the certificate that the load balancer controller's pods serve, for its Service."""
    serving = waiting.until(SERVING, lambda: issued(scene, SERVING))
    root = waiting.until(ROOT, lambda: issued(scene, ROOT))

    certificate, authority = (x509.load_pem_x509_certificate(each["tls.crt"]) for each in (serving, root))
    certificate.verify_directly_issued_by(authority)
    assert serving["ca.crt"] == root["tls.crt"]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert HOST in names.get_values_for_type(x509.DNSName)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("name", INJECTED)
def test_webhooks_trust_who_serves_them(scene: Scene, name: str) -> None:
    """Cainjector has written the authority of the right Secret into every webhook."""
    authority = held(scene, *INJECTED[name])["ca.crt"]

    waiting.until("the bundle in every webhook", lambda: bundles(scene, name) == {authority})


def test_the_webhook_refuses_what_cannot_be_issued(scene: Scene) -> None:
    """cert-manager's own webhook judges Certificates: a key of a size that no authority takes."""
    wrong = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "wrong", "namespace": "default"},
        "spec": {
            "secretName": "wrong",
            "dnsNames": ["wrong.example.com"],
            "privateKey": {"algorithm": "RSA", "size": 512},
            "issuerRef": {"name": "none"},
        },
    }

    done = scene.cluster.kubectl.try_apply([wrong])

    assert done.code != 0
    assert "webhook.cert-manager.io" in done.err
    assert "spec.privateKey.size" in done.err


def test_leaders_hold_their_leases(scene: Scene) -> None:
    """Controller and cainjector lead by Leases in kube-system, the only ones that they have rights to."""
    for name in ("cert-manager-controller", "cert-manager-cainjector-leader-election"):
        lease = scene.get(f"lease/{name}", SPACE)
        assert lease, name
        assert lease["spec"]["holderIdentity"]


def test_a_lost_secret_is_issued_anew(scene: Scene) -> None:
    """The Secret of a certificate is deleted: another one by the same authority, which the webhooks trust still."""
    before = held(scene, *INJECTED["aws-load-balancer-webhook"])
    scene.cluster.kubectl("delete", "secret/aws-load-balancer-tls", f"--namespace={SPACE}")

    after = waiting.until("a new one", lambda: issued(scene, SERVING))

    assert after["tls.crt"] != before["tls.crt"]
    assert after["ca.crt"] == before["ca.crt"]
    waiting.until("it is trusted", lambda: bundles(scene, "aws-load-balancer-webhook") == {after["ca.crt"]})
