"""Raw SQL as an attacker inside a request could send it: past the ORM, past every filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from access.actor import Actor, acting_as_owner, wearing

DENIED, REFUSED = "denied", "refused"


def run(who: Actor, statement: str, parameters: Sequence[Any] = ()) -> str | int:
    """What came of it, undone at once: "denied" (no right), "refused" (policy or trigger), or the number of rows."""
    with transaction.atomic(), wearing(who), connection.cursor() as cursor:
        savepoint = transaction.savepoint()
        try:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)
        except DatabaseError as error:
            return _kind(error)
        finally:
            transaction.savepoint_rollback(savepoint)


def count(who: Actor, table: str) -> str | int:
    """How many rows of the table a forgotten filter would show."""
    return run(who, f'select * from (select 1 from "{table}") as found')


def person(user: Any) -> Actor:
    return Actor(f"ep_{user.role}", user.pk)


def role(name: str) -> Actor:
    """A role without a person: no ticket."""
    return Actor(name)


def owner_rows(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Rows as the owner reads them."""
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def as_owner(*statements: str) -> None:
    """Change the database as its owner can."""
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def table_of(model: type[Model]) -> str:
    return str(model._meta.db_table)


def _kind(error: DatabaseError) -> str:
    cause = error.__cause__
    if isinstance(cause, psycopg.errors.InsufficientPrivilege) and "permission denied" in str(cause):
        return DENIED
    return REFUSED
