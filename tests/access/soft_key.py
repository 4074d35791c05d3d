"""A passkey made of software: it signs challenges as a real one would, and can be told to cheat."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

HOST = "testserver"
PRESENT_AND_VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


@dataclass
class SoftKey:
    """One credential of one site."""

    origin: str = f"https://{HOST}"
    site: str = HOST
    flags: Any = PRESENT_AND_VERIFIED
    secret: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def made(self, offer: dict[str, Any]) -> str:
        """What the browser answers to an offer to make a passkey."""
        credential = AttestedCredentialData.create(
            Aaguid.NONE, self.id, ES256.from_cryptography_key(self.secret.public_key())
        )
        data = AuthenticatorData.create(
            self._site_hash(), self.flags | AuthenticatorData.FLAG.AT, 0, bytes(credential)
        )
        attestation = AttestationObject.create("none", data, {})
        return self._answer(
            {
                "clientDataJSON": websafe_encode(self._client("webauthn.create", offer)),
                "attestationObject": websafe_encode(bytes(attestation)),
            }
        )

    def signed(self, question: dict[str, Any]) -> str:
        """What the browser answers to a question for a passkey."""
        client = self._client("webauthn.get", question)
        data = bytes(AuthenticatorData.create(self._site_hash(), self.flags, 1))
        signature = self.secret.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
            }
        )

    def _client(self, kind: str, asked: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": asked["publicKey"]["challenge"], "origin": self.origin}
        return json.dumps(told).encode()

    def _site_hash(self) -> bytes:
        return hashlib.sha256(self.site.encode()).digest()

    def _answer(self, response: dict[str, str]) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self.id),
                "rawId": websafe_encode(self.id),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )
