"""One sealed value: its layout, and the associated data that ties it to its row, field, class and scope.

    offset 0   1   format version        0x01
           1   1   suite                 see vault.suites
           2   2   key generation        big endian, within this scope and class
           4  12   nonce                 os.urandom
          16   n   ciphertext of the padded plain bytes
        16+n  16   tag

Associated data:

    "epicase/field/1" | header[0:4] | u8 class | u16 len(label) label | scope_id[16] | row_id[16]

Every part has a fixed or stated length, so no two contexts give the same bytes. Nothing is trial-decrypted.
"""

import os
from typing import NamedTuple, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag

from vault.classes import DataClass
from vault.errors import (
    CiphertextError,
    MalformedCiphertext,
    NotAuthentic,
    PlainTextRefused,
    UnknownGeneration,
    UnknownSuite,
    UnknownVersion,
)
from vault.padding import pad, unpad
from vault.suites import SUITES, Suite

__all__ = [
    "CiphertextError",
    "Context",
    "DataKey",
    "MalformedCiphertext",
    "NotAuthentic",
    "UnknownGeneration",
    "UnknownSuite",
    "UnknownVersion",
    "associated_data",
    "generation_of",
    "open_",
    "seal",
]

VERSION = 1
DOMAIN = b"epicase/field/1"
HEADER = 4
NONCE = 12
TAG = 16
MINIMUM = HEADER + NONCE + 1 + TAG


class Context(NamedTuple):
    """Where a value belongs. A value opens in its own context only."""

    data_class: DataClass
    label: str
    scope_id: UUID
    row_id: UUID


class DataKey:
    """The key of one (scope, class, generation), ready to use. It shows nothing and travels nowhere."""

    __slots__ = ("aead", "decrypt", "generation", "header", "prefix", "suite")

    def __init__(self, suite: Suite, generation: int, key: bytes) -> None:
        self.suite = suite.number
        self.generation = generation
        self.header = bytes((VERSION, suite.number)) + generation.to_bytes(2, "big")
        self.prefix = DOMAIN + self.header
        self.aead = suite.aead(key)
        self.decrypt = self.aead.decrypt

    def __repr__(self) -> str:
        return f"<DataKey generation {self.generation}>"

    def __reduce__(self) -> NoReturn:
        raise PlainTextRefused("a data key is neither copied nor pickled")


def seal(key: DataKey, plain: bytes, ctx: Context) -> bytes:
    """The sealed bytes of `plain`, bound to `ctx`; different at each call."""
    return seal_at(key, plain, ctx.data_class, tail(ctx))


def seal_at(key: DataKey, plain: bytes, data_class: DataClass, where: bytes) -> bytes:
    """The same for who has `tail(ctx)` at hand."""
    header, nonce = key.header, os.urandom(NONCE)
    return header + nonce + key.aead.encrypt(nonce, pad(plain, data_class), key.prefix + where)


def open_(key: DataKey, blob: bytes, ctx: Context) -> bytes:
    """The plain bytes; raises a CiphertextError when the blob is not what was sealed here under this key."""
    plain = try_open(key, blob, tail(ctx))
    if plain is None:
        raise refusal(key, blob, ctx)
    return plain


def try_open(key: DataKey, blob: bytes, where: bytes) -> bytes | None:
    """The plain bytes of what was sealed under `tail(ctx)`, or None; `refusal` then tells why."""
    if blob[:HEADER] != key.header or len(blob) < MINIMUM:
        return None
    try:
        padded = key.decrypt(blob[4:16], blob[16:], key.prefix + where)
    except InvalidTag:
        return None
    return unpad(padded)


def refusal(key: DataKey, blob: bytes, ctx: Context) -> CiphertextError:
    """Why a blob did not open."""
    generation = generation_of(blob, ctx.label, ctx.row_id)
    if generation != key.generation:
        return UnknownGeneration(ctx.label, ctx.row_id)
    if blob[:HEADER] != key.header:
        return UnknownSuite(ctx.label, ctx.row_id)
    return NotAuthentic(ctx.label, ctx.row_id)


def generation_of(blob: bytes, label: str, row_id: UUID | None = None) -> int:
    """The key generation a sealed value names; raises when it is no sealed value of a known format."""
    if len(blob) < MINIMUM:
        raise MalformedCiphertext(label, row_id)
    if blob[0] != VERSION:
        raise UnknownVersion(label, row_id)
    if blob[1] not in SUITES:
        raise UnknownSuite(label, row_id)
    return blob[2] << 8 | blob[3]


def associated_data(header: bytes, ctx: Context) -> bytes:
    """The canonical bytes a value is bound to."""
    return DOMAIN + header + tail(ctx)


def tail(ctx: Context) -> bytes:
    """The associated data after the header."""
    data_class, label, scope_id, row_id = ctx
    return named(data_class, label) + scope_id.bytes + row_id.bytes


def named(data_class: DataClass, label: str) -> bytes:
    """The class and label as they stand in the associated data."""
    key = (data_class.code, label)
    if key not in _names:
        text = label.encode()
        _names[key] = bytes((data_class.code,)) + len(text).to_bytes(2, "big") + text
    return _names[key]


# One entry per encrypted field of the project.
_names: dict[tuple[int, str], bytes] = {}
