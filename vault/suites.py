"""Cipher suites by number. The number stands in every header; mixed rows are legal.

Suite 1 is AES-256-GCM. Numbers 2 (SM4-GCM) and 3 (AES-256-GCM-SIV) are reserved and not registered: a header
naming them raises UnknownSuite. A new suite is one `Suite` added to `SUITES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class Aead(Protocol):
    """An authenticated cipher with its key inside."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


@dataclass(frozen=True)
class Suite:
    number: int
    name: str
    key_bytes: int
    aead: Callable[[bytes], Aead]


AES = Suite(number=1, name="aes", key_bytes=32, aead=AESGCM)
SUITES: dict[int, Suite] = {AES.number: AES}


def configured() -> Suite:
    """The suite new keys are made for (setting EPICASE_SUITE)."""
    wanted = getattr(settings, "EPICASE_SUITE", "aes")
    for suite in SUITES.values():
        if suite.name == wanted:
            return suite
    names = ", ".join(suite.name for suite in SUITES.values())
    from vault.errors import ProviderError

    raise ProviderError(f"EPICASE_SUITE={wanted}: unknown suite; choose one of: {names}.")
