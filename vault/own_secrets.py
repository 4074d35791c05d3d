"""Secrets of the system itself that must open before anybody is signed in: second factors.

No record and no grant stands behind them, and ``sec.keys`` hands nothing to a visitor, so they are sealed directly
under the epoch key of the class SYSTEM, which no table holds in the clear. A stolen dump opens none of them.

Layout: version suite epoch(u32) nonce[12] ciphertext tag[16], as URL-safe base64 without padding.
Associated data: "epicase/own/1" | length-prefixed label | owner[16].
"""

import base64
import binascii
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag

from vault import epochs, suites
from vault.classes import DataClass
from vault.errors import NotAuthentic

_HEADER = bytes((1, suites.AES.number))
_NONCE = slice(6, 18)


def seal(label: str, owner: UUID, plain: bytes) -> str:
    """The sealed form of a secret of `owner`; moved to another owner or label it does not open."""
    epoch = epochs.current(DataClass.SYSTEM)
    nonce = os.urandom(12)
    sealed = epoch.aead.encrypt(nonce, plain, _aad(label, owner))
    whole = _HEADER + epoch.epoch.to_bytes(4, "big") + nonce + sealed
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def unseal(label: str, owner: UUID, text: str) -> bytes:
    """The secret again; raises NotAuthentic when it was changed, moved or sealed under a lost key."""
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if whole[:2] != _HEADER:
            raise NotAuthentic(label, owner)
        epoch = epochs.by_number(DataClass.SYSTEM, int.from_bytes(whole[2:6], "big"))
        return epoch.aead.decrypt(whole[_NONCE], whole[_NONCE.stop :], _aad(label, owner))
    except (InvalidTag, LookupError, ValueError, binascii.Error):
        raise NotAuthentic(label, owner) from None


def _aad(label: str, owner: UUID) -> bytes:
    name = label.encode()
    return b"epicase/own/1" + len(name).to_bytes(2, "big") + name + owner.bytes
