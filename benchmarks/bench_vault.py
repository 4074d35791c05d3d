"""What sealing and opening costs, beside the raw cipher and beside a package that only encrypts."""

import os
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import models

from vault import keyring, new_keys, witness
from vault.classes import DataClass
from vault.fields import EncryptedTextField
from vault.held_keys import Keys
from vault.key_source import KeyRow
from vault.models import EncryptedModel
from vault.secret import Sealed

Row = dict[str, Any]
TEXT = "13800138000 of Zhang"
ROUNDS = 30


class Sample(EncryptedModel):
    """Three encrypted columns; never stored."""

    number = models.CharField(max_length=20)
    one = EncryptedTextField("reach", "bench.one")
    two = EncryptedTextField("reach", "bench.two", null=True)
    three = EncryptedTextField("reach", "bench.three", null=True)

    class Meta:
        app_label = "vault_bench"
        managed = False


def per_value(count: int = 1_000) -> list[Row]:
    """Opening and sealing one warm value of 20 bytes, beside the raw cipher and a package that only encrypts."""
    with keyring.session(), witness.watching(_unmoved):
        samples = _samples(count)
        ways: dict[str, Callable[[], None]] = {
            "raw open": _raw(count, sealing=False),
            "raw seal": _raw(count, sealing=True),
            "open": lambda: _open(samples),
            "seal": lambda: _seal(samples),
            "peer open": _peer(count, sealing=False),
            "peer seal": _peer(count, sealing=True),
        }
        best = _interleaved(ways)
    micro = {name: f"{seconds / count * 1e6:.2f} us" for name, seconds in best.items()}
    rows = []
    for act, limit in (("open", 6.0), ("seal", 7.0)):
        ratio, faster = best[act] / best[f"raw {act}"], best[f"peer {act}"] / best[act]
        beside = f"raw AES-256-GCM: {micro[f'raw {act}']}; ours: {micro[act]}"
        rows.append(_row(f"{act} an encrypted value, warm, against raw AES-GCM", ratio, "x", limit, beside))
        beside = f"django-fernet-encrypted-fields: {micro[f'peer {act}']}; ours: {micro[act]}"
        rows.append(
            _row(f"{act} against django-fernet-encrypted-fields", faster, "x faster", None, beside)
            | ({"target": ">= 3", "met": faster >= 3} if act == "open" else {})
        )
    return rows


def reading_rows(count: int = 10_000) -> list[Row]:
    """Making 10,000 records from rows whose 3 encrypted columns are not read, against deferring them."""
    every = ("id", "number", "one", "two", "three")
    raw = [(uuid4(), "F-1", os.urandom(64), os.urandom(64), os.urandom(64)) for _ in range(count)]

    def whole() -> None:
        for i, n, *sealed in raw:
            Sample.from_db("default", every, (i, n, *map(Sealed, sealed)))

    def deferred() -> None:
        for row in raw:
            Sample.from_db("default", every[:2], row[:2])

    best = _interleaved({"whole": whole, "deferred": deferred})
    ratio = best["whole"] / best["deferred"]
    times = {name: f"{seconds * 1e3:.1f} ms" for name, seconds in best.items()}
    beside = f"deferred: {times['deferred']}; whole: {times['whole']} (without the database)"
    return [_row("10,000 rows made without reading 3 encrypted columns", ratio, "x", 1.6, beside)]


def run() -> list[Row]:
    """Every figure of the vault."""
    return [*per_value(), *reading_rows()]


def _unmoved(record: Any, name: str, data_class: DataClass) -> None:
    """A witness that takes no notes."""


def _samples(count: int) -> list[Sample]:
    """Records as a list gives them, their keys at hand; one key per scope, as in life."""
    samples = []
    for _ in range(count // 100):
        scope = uuid4()
        _give_key(scope)
        for _ in range(100):
            sample = Sample(id=scope, number="1", one=TEXT)
            sample._state.adding = False
            sample.__dict__["one"] = sample.one.sealed
            sample._loaded = sample.raw_values()
            samples.append(sample)
    return samples


def _give_key(scope: Any) -> None:
    """A key in the session without a database."""
    session = keyring._session.get()
    assert session is not None
    (new,) = new_keys.make(scope, scope, [DataClass.REACH])
    keys = Keys()
    keys.add(KeyRow(scope, DataClass.REACH.code, 1, None))
    keys._ready[1] = new.ready
    session.ring()[scope.bytes] = {DataClass.REACH.code: keys}


def _open(samples: list[Sample]) -> None:
    for sample in samples:
        sample.one.reveal()


def _seal(samples: list[Sample]) -> None:
    from vault import sealing

    for sample in samples:
        sample.__dict__["one"] = None
        sample.one = TEXT
        sealing.seal_record(sample, ("one",))


def _raw(count: int, *, sealing: bool) -> Callable[[], None]:
    cipher, nonce, aad = AESGCM(os.urandom(32)), os.urandom(12), os.urandom(52)
    padded = TEXT.encode().ljust(32, b"\0")
    sealed = cipher.encrypt(nonce, padded, aad)

    def seal() -> None:
        for _ in range(count):
            cipher.encrypt(os.urandom(12), padded, aad)

    def open_() -> None:
        for _ in range(count):
            cipher.decrypt(nonce, sealed, aad)

    return seal if sealing else open_


def _peer(count: int, *, sealing: bool) -> Callable[[], None]:
    from django.db import connection
    from django.test import override_settings
    from encrypted_fields.fields import EncryptedTextField as PeerField

    field = PeerField()
    with override_settings(SALT_KEY="benchmark"):
        token = field.get_db_prep_save(TEXT, connection)

        def seal() -> None:
            for _ in range(count):
                field.get_db_prep_save(TEXT, connection)

        def open_() -> None:
            for _ in range(count):
                field.from_db_value(token, None, connection)

        open_()
    return seal if sealing else open_


def _interleaved(ways: dict[str, Callable[[], None]]) -> dict[str, float]:
    """The best of several rounds of each, taken in turn so that a busy moment hits all alike."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


def _row(name: str, figure: float, unit: str, limit: float | None, beside: str) -> Row:
    """A line of the table; `limit` is the most the figure may be."""
    target, met = ("", None) if limit is None else (f"<= {limit:g}", figure <= limit)
    return {
        "name": name,
        "figure": round(figure, 2),
        "unit": unit,
        "target": target,
        "met": met,
        "beside": beside,
    }
