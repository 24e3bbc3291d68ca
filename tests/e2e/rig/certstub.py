"""Stands in for cert-manager, whose programs cannot be had here. NOT the real program.

Plays controller, cainjector and webhook as three pods, each with its own ServiceAccount, so that okgen's RBAC is
enforced: signs Certificates of selfSigned and CA issuers, writes their Secrets, fills in caBundle where an annotation
asks for it, and admits everything. It proves nothing about cert-manager's flags, validation, renewal or ACME.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from e2e.rig.standin import APPLY, Api, ApiError, repeat, serve

GROUP = "/apis/cert-manager.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
SECRET = "cert-manager-webhook-ca"  # noqa: S105 - a name


class Signed(NamedTuple):
    """A certificate and its key in PEM, and the authority that signed it."""

    certificate: bytes
    key: bytes
    authority: bytes


def sign(name: str, dns: list[str], authority: Signed | None) -> Signed:
    """A certificate by an authority, or one that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    issuer, signer = subject, key
    if authority:
        issuer = x509.load_pem_x509_certificate(authority.certificate).subject
        loaded = serialization.load_pem_private_key(authority.key, None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signer = loaded
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=400))
    builder = builder.add_extension(x509.BasicConstraints(ca=not authority, path_length=None), critical=True)
    if dns:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in dns]), critical=False
        )
    made = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return Signed(made, pem, authority.certificate if authority else made)


def signed(secret: dict[str, Any] | None) -> Signed | None:
    """What a Secret of type TLS holds, if anything."""
    data = {key: base64.b64decode(value) for key, value in ((secret or {}).get("data") or {}).items()}
    return Signed(data["tls.crt"], data["tls.key"], data["ca.crt"]) if "tls.crt" in data else None


def contents(made: Signed) -> dict[str, str]:
    """The data of such a Secret."""
    parts = {"tls.crt": made.certificate, "tls.key": made.key, "ca.crt": made.authority}
    return {key: base64.b64encode(value).decode() for key, value in parts.items()}


def ready(obj: dict[str, Any]) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True" for each in obj.get("status", {}).get("conditions", [])
    )


READY = {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "StandIn", "message": "played"}]}}


# ------------------------------------------------------------------------------------------------------- the three pods


def controller(api: Api) -> None:
    """Issuers become ready, Certificates get their Secrets."""
    for kind in ("issuers", "clusterissuers"):
        for each in api.items(f"{GROUP}/{kind}"):
            if not ready(each):
                api.merge(f"{_path(each, kind)}/status", READY)
    for each in api.items(f"{GROUP}/certificates"):
        if not ready(each) and issue(api, each):
            api.merge(f"{_path(each, 'certificates')}/status", READY)


def _path(obj: dict[str, Any], kind: str) -> str:
    space = obj["metadata"].get("namespace")
    return (
        f"{GROUP}/namespaces/{space}/{kind}/{obj['metadata']['name']}"
        if space
        else f"{GROUP}/{kind}/{obj['metadata']['name']}"
    )


def issue(api: Api, certificate: dict[str, Any]) -> bool:
    """Writes the Secret of a Certificate; False while its issuer's is not there."""
    space, spec = certificate["metadata"]["namespace"], certificate["spec"]
    place = f"/api/v1/namespaces/{space}/secrets"
    issuer = api("GET", f"{GROUP}/namespaces/{space}/issuers/{spec['issuerRef']['name']}")["spec"]
    authority = None
    if "ca" in issuer:
        authority = signed(api.find(f"{place}/{issuer['ca']['secretName']}"))
        if authority is None:
            return False
    if signed(api.find(f"{place}/{spec['secretName']}")) is None:
        made = sign(spec.get("commonName", certificate["metadata"]["name"]), spec.get("dnsNames", []), authority)
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": spec["secretName"],
                "annotations": {"cert-manager.io/certificate-name": certificate["metadata"]["name"]},
            },
            "type": "kubernetes.io/tls",
            "data": contents(made),
        }
        api("PATCH", f"{place}/{spec['secretName']}?fieldManager=cert-manager&force=true", secret, APPLY)
        print("issued", space, spec["secretName"], flush=True)
    return True


def cainjector(api: Api) -> None:
    """Webhooks trust the authority of the Secret, or of the Certificate, that an annotation names."""
    for kind in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
        for each in api.items(f"{ADMISSION}/{kind}"):
            notes = each["metadata"].get("annotations") or {}
            name = notes.get("cert-manager.io/inject-ca-from-secret")
            if not name and (certificate := notes.get("cert-manager.io/inject-ca-from")):
                space, _, own = certificate.partition("/")
                found = api.find(f"{GROUP}/namespaces/{space}/certificates/{own}")
                name = f"{space}/{found['spec']['secretName']}" if found else None
            if name and (bundle := _bundle(api, name)):
                hooks = [
                    {**hook, "clientConfig": {**hook["clientConfig"], "caBundle": bundle}} for hook in each["webhooks"]
                ]
                if hooks != each["webhooks"]:
                    api.merge(f"{ADMISSION}/{kind}/{each['metadata']['name']}", {"webhooks": hooks})
                    print("injected", kind, each["metadata"]["name"], flush=True)


def _bundle(api: Api, name: str) -> str | None:
    space, _, own = name.partition("/")
    secret = api.find(f"/api/v1/namespaces/{space}/secrets/{own}")
    found: str | None = ((secret or {}).get("data") or {}).get("ca.crt")
    return found


def webhook(api: Api, words: list[str]) -> None:
    """An authority of its own in the Secret that the arguments name, and a server that admits everything."""
    flags = [word.removeprefix("--").partition("=") for word in words]
    dns = [value for flag, _, value in flags if flag == "dynamic-serving-dns-names"]
    port = next(int(value) for flag, _, value in flags if flag == "secure-port")
    place = f"/api/v1/namespaces/{os.environ['POD_NAMESPACE']}/secrets"
    authority = signed(api.find(f"{place}/{SECRET}"))
    if authority is None:
        authority = sign("cert-manager-webhook-ca", [], None)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "data": contents(authority)}
        try:
            api("POST", place, secret)
        except ApiError as problem:
            print("error", problem, flush=True)
    made = sign(dns[0], dns, authority)
    folder = Path(tempfile.mkdtemp(dir="/run"))
    pair = (folder / "tls.crt", folder / "tls.key")
    pair[0].write_bytes(made.certificate)
    pair[1].write_bytes(made.key)
    serve(port, pair)


def main() -> None:
    role, *words = sys.argv[1:]
    api = Api()
    if role == "webhook":
        webhook(api, words)
        repeat(lambda: None, lambda: serve(6080))
    work = {"controller": controller, "cainjector": cainjector}[role]
    repeat(lambda: work(api), lambda: serve(9403))


if __name__ == "__main__":
    main()
