"""A data key in its two forms, new and stored, and the way from one to the other and back.

Wrapped key, 66 bytes: version suite epoch(u32) nonce[12] ciphertext[32] tag[16].
Associated data: "epicase/dek/1" | u8 class | scope_id[16] | u16 generation | u32 epoch.
"""

import os
from typing import NamedTuple, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag

from vault import epochs, suites
from vault.ciphertext import DataKey
from vault.classes import DataClass
from vault.errors import NotAuthentic, PlainTextRefused, Shredded
from vault.key_source import KeyRow

_HEADER = bytes((1, suites.AES.number))
_BYTES = 66


class NewKey(NamedTuple):
    """A key just made and not yet written."""

    scope_id: UUID
    guard_id: UUID
    data_class: DataClass
    raw: bytes
    ready: DataKey

    def __repr__(self) -> str:
        return f"<NewKey {self.data_class} of {self.scope_id}>"

    def __reduce__(self) -> NoReturn:
        raise PlainTextRefused("a data key is neither copied nor pickled")


def wrap(key: NewKey, epoch: epochs.Epoch) -> bytes:
    """The key as the table holds it, wrapped by the epoch key of its class."""
    nonce, aad = os.urandom(12), _aad(key.data_class.code, key.scope_id, key.ready.generation, epoch.epoch)
    return _HEADER + epoch.epoch.to_bytes(4, "big") + nonce + epoch.aead.encrypt(nonce, key.raw, aad)


def unwrap(row: KeyRow) -> DataKey:
    """The key of a stored row; raises Shredded, NotAuthentic."""
    data_class = DataClass.from_code(row.data_class)
    if row.wrapped is None:
        raise Shredded(row.scope_id, data_class)
    if len(row.wrapped) != _BYTES or row.wrapped[:2] != _HEADER:
        raise NotAuthentic(f"keyring.{data_class}", row.scope_id)
    number = int.from_bytes(row.wrapped[2:6], "big")
    try:
        epoch = epochs.by_number(data_class, number)
        raw = epoch.aead.decrypt(
            row.wrapped[6:18], row.wrapped[18:], _aad(row.data_class, row.scope_id, row.generation, number)
        )
    except (InvalidTag, LookupError):
        raise NotAuthentic(f"keyring.{data_class}", row.scope_id) from None
    return DataKey(suites.SUITES[row.wrapped[1]], row.generation, raw)


def _aad(code: int, scope_id: UUID, generation: int, epoch: int) -> bytes:
    return (
        b"epicase/dek/1"
        + bytes((code,))
        + scope_id.bytes
        + generation.to_bytes(2, "big")
        + epoch.to_bytes(4, "big")
    )
