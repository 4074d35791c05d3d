"""Making the data keys of a scope: random, in memory first, written once under the current epochs.

Door: a generation above 1 (rotation) is understood when reading; none is made here yet.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from vault import epochs, keyring, suites, wrapping
from vault.ciphertext import DataKey
from vault.classes import DataClass
from vault.errors import KeyConflict
from vault.wrapping import NewKey

FIRST_GENERATION = 1


def make(scope_id: UUID, guard_id: UUID, classes: Iterable[DataClass]) -> list[NewKey]:
    """New random keys, in memory only until `insert` writes them."""
    suite, new = suites.configured(), []
    for data_class in classes:
        raw = os.urandom(suite.key_bytes)
        new.append(NewKey(scope_id, guard_id, data_class, raw, DataKey(suite, FIRST_GENERATION, raw)))
    return new


def create(scope_id: UUID, guard_id: UUID, classes: Iterable[DataClass]) -> None:
    """Make and write the keys of a scope. `guard_id` is the record whose grants open them."""
    insert(make(scope_id, guard_id, classes))


def insert(new: Sequence[NewKey]) -> None:
    """Write new keys and keep them in the session; raises KeyConflict when one of them exists already."""
    with transaction.atomic(savepoint=False):
        current = {data_class: epochs.current(data_class) for data_class in {key.data_class for key in new}}
        written = _write(new, current)
        if written < len(new):
            written += _write_again(new, current)
        if written != len(new):
            raise KeyConflict(new[0].scope_id, new[0].data_class)
    keyring.keep(new)


def _write_again(new: Sequence[NewKey], classes: Iterable[DataClass]) -> int:
    """A second try, under the epochs that the table holds now; what the first one wrote is left as it is."""
    return _write(new, {data_class: epochs.current(data_class, anew=True) for data_class in classes})


def _write(new: Sequence[NewKey], current: dict[DataClass, epochs.Epoch]) -> int:
    """How many keys were written. No RETURNING, no conflict target: the writer may have no right to read."""
    if not new:
        return 0
    columns: list[list[Any]] = [[], [], [], [], [], []]
    for key in new:
        epoch = current[key.data_class]
        values = (
            key.scope_id,
            key.data_class.code,
            key.ready.generation,
            key.guard_id,
            epoch.epoch,
            wrapping.wrap(key, epoch),
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
        return int(cursor.rowcount)


_INSERT = f"""
insert into vault_keyring (scope_id, data_class, generation, guard_id, epoch, wrapped, state, created_at)
select k.scope_id, k.data_class, k.generation, k.guard_id, k.epoch, k.wrapped, {epochs.CURRENT}, now()
from unnest(%s::uuid[], %s::smallint[], %s::integer[], %s::uuid[], %s::integer[], %s::bytea[])
  as k (scope_id, data_class, generation, guard_id, epoch, wrapped)
join vault_epochkey e on e.data_class = k.data_class and e.epoch = k.epoch and e.state = {epochs.CURRENT}
on conflict do nothing
"""
