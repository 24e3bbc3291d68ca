"""An issuer of ServiceAccount tokens of our own, where the API server's is not the one that a test wants."""

from __future__ import annotations

import base64
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Issuer:
    """Signs tokens in the name of ``url`` with a key of its own, known as ``key_id``."""

    def __init__(self, url: str, key_id: str) -> None:
        self.url = url
        self.key_id = key_id
        self._key = rsa.generate_private_key(65537, 2048)

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, as an OIDC provider publishes it."""
        numbers = self._key.public_key().public_numbers()
        parts = {"n": numbers.n, "e": numbers.e}
        coded = {name: _coded(value.to_bytes((value.bit_length() + 7) // 8, "big")) for name, value in parts.items()}
        return {"kid": self.key_id, "kty": "RSA", "alg": "RS256", **coded}

    def token(self, namespace: str, account: str, audience: str) -> str:
        """A token of a ServiceAccount, for an hour."""
        claims = {
            "iss": self.url,
            "aud": [audience],
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "exp": time.time() + 3600,
        }
        head = {"alg": "RS256", "kid": self.key_id}
        text = ".".join(_coded(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{_coded(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
