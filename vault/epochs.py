"""Epoch keys: one wrapping key per class, itself wrapped by the provider, in memory for a limited time.

An epoch's id is a random number, not a counter: a process that made an epoch in a transaction that was rolled
back may still remember it, and must never mistake another process's epoch for it. `insert` in vault.new_keys
takes a new data key only if its epoch stands in the table as current, so nothing is written under such a
memory.

Door for rotation: an epoch whose state is RETIRED still opens; a new CURRENT row is used from the next load.
"""

import os
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.signals import setting_changed
from django.db import connection, transaction

from vault import providers, suites
from vault.classes import DataClass
from vault.errors import WrongRootKey
from vault.suites import Aead

CURRENT = 1
RETIRED = 2
KEY_BYTES = 32
# Any constant will do; it only has to be the same in all processes of one database.
_LOCK = 0x65706F636B657973


@dataclass(frozen=True)
class Epoch:
    """An epoch key in memory."""

    data_class: DataClass
    epoch: int
    aead: Aead = field(repr=False)


@dataclass(frozen=True)
class _Row:
    data_class: DataClass
    epoch: int
    root_version: int
    wrapped: bytes = field(repr=False)
    state: int


@dataclass(frozen=True)
class _Table:
    """What one reading of the table found. Never changed: threads that share it see all of it or none."""

    rows: dict[tuple[DataClass, int], _Row] = field(default_factory=dict)
    currents: dict[DataClass, int] = field(default_factory=dict)
    read_at: float = float("-inf")


class _Memory:
    """What this process knows of the epoch table, and the keys it has opened since it read it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.keep(_Table())

    def keep(self, table: _Table) -> None:
        with self.lock:
            self.table = table
            self.opened: dict[tuple[DataClass, int], Epoch] = {}


_memory = _Memory()


def current(data_class: DataClass, *, anew: bool = False) -> Epoch:
    """The epoch new data keys of this class are wrapped under; made on demand, once for all processes.

    anew: ask the table, because what is remembered may come from a transaction that was not committed.
    """
    table = _read() if anew else _recent()
    number = table.currents.get(data_class)
    if number is None and not anew:
        table = _read()
        number = table.currents.get(data_class)
    if number is None:
        table, number = _make(data_class)
    return _open(table, data_class, number)


def by_number(data_class: DataClass, number: int) -> Epoch:
    """A given epoch, to unwrap with; raises LookupError for a number nobody made."""
    table = _recent()
    if (data_class, number) not in table.rows:
        table = _read()
    if (data_class, number) not in table.rows and any(row[0] is data_class for row in table.rows):
        raise LookupError(number)
    return _open(table, data_class, number)


def ensure_all(classes: Iterable[DataClass] = tuple(DataClass)) -> None:
    """Make the first epoch of every class that has none. For set-up, as the tables' owner."""
    for data_class in classes:
        current(data_class)


def forget() -> None:
    """Drop every epoch key from memory; the next use loads them anew."""
    _memory.keep(_Table())


def _recent() -> _Table:
    table = _memory.table
    if time.monotonic() - table.read_at > getattr(settings, "VAULT_EPOCH_TTL", 600):
        return _read()
    return table


def _read() -> _Table:
    """The table as this connection sees it; also kept for the next asker."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select data_class, epoch, root_version, wrapped, state"
            " from vault_epochkey order by created_at, epoch"
        )
        found = [_Row(DataClass.from_code(c), e, v, bytes(w), s) for c, e, v, w, s in cursor.fetchall()]
    table = _Table(
        rows={(row.data_class, row.epoch): row for row in found},
        currents={row.data_class: row.epoch for row in found if row.state == CURRENT},
        read_at=time.monotonic(),
    )
    _memory.keep(table)
    return table


def _open(table: _Table, data_class: DataClass, number: int) -> Epoch:
    epoch = _memory.opened.get((data_class, number))
    if epoch is not None:
        return epoch
    row = table.rows.get((data_class, number))
    if row is None:
        raise WrongRootKey(
            f"vault_epochkey has no keys of class {data_class}: restore that table from its backup."
        )
    ref = providers.KeyRef(str(data_class), row.root_version)
    aad = _aad(data_class, number, row.root_version)
    (key,) = providers.configured().unwrap(ref, [row.wrapped], [aad])
    epoch = Epoch(data_class, number, suites.AES.aead(key))
    with _memory.lock:
        _memory.opened[data_class, number] = epoch
    return epoch


def _make(data_class: DataClass) -> tuple[_Table, int]:
    """The table and its current epoch of the class, made if need be under a lock all processes share."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        # Whoever held the lock before us has committed by now, so this statement sees its epoch.
        table = _read()
        number = table.currents.get(data_class)
        if number is None:
            number, root_version, wrapped = _new_key(data_class)
            cursor.execute(
                "insert into vault_epochkey (data_class, epoch, root_version, wrapped, state, created_at)"
                " values (%s, %s, %s, %s, %s, clock_timestamp())",
                [data_class.code, number, root_version, wrapped, CURRENT],
            )
            table = _read()
    return table, number


def _new_key(data_class: DataClass) -> tuple[int, int, bytes]:
    provider = providers.configured()
    ref, number = provider.current(str(data_class)), secrets.randbelow(2**31 - 1) + 1
    (wrapped,) = provider.wrap(ref, [os.urandom(KEY_BYTES)], [_aad(data_class, number, ref.version)])
    return number, ref.version, wrapped


def _aad(data_class: DataClass, number: int, root_version: int) -> bytes:
    return (
        b"epicase/epoch/1"
        + bytes((data_class.code,))
        + number.to_bytes(4, "big")
        + root_version.to_bytes(4, "big")
    )


def _forget_on(*, setting: str, **_: object) -> None:
    if setting in ("EPICASE_KEYRING", "VAULT_EPOCH_TTL"):
        forget()


setting_changed.connect(_forget_on)
