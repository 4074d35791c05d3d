"""Monthly partitions of the ledger: made ahead of time; the default partition is the net below."""

from datetime import UTC, date, datetime

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.sql import no_truncate

TABLES = ("audit_event", "audit_touch")


def months_from(first: date, count: int) -> list[date]:
    """The first days of `count` months, beginning with the month of `first`."""
    start = first.year * 12 + first.month - 1
    return [date((start + n) // 12, (start + n) % 12 + 1, 1) for n in range(count)]


def ensure_ahead(months: int = 3, *, using: str = "default", today: date | None = None) -> list[str]:
    """Create the missing partitions of this month and the next ones; gives the names of the new.

    Runs as the tables' owner. A month that has rows in the default partition already is left there: its
    events are safe, and PostgreSQL would refuse the new partition.
    """
    connection = connections[using]
    first = today or datetime.now(UTC).date()
    return [
        f"{table}_{month:%Y_%m}"
        for month in months_from(first, months + 1)
        for table in TABLES
        if _create(connection, table, month)
    ]


def missing_ahead(months: int = 1, *, using: str = "default", today: date | None = None) -> list[str]:
    """The names of partitions that should exist by now and do not."""
    first = today or datetime.now(UTC).date()
    names = [f"{table}_{month:%Y_%m}" for month in months_from(first, months + 1) for table in TABLES]
    return [name for name in names if not _exists(connections[using], name)]


def _create(connection: BaseDatabaseWrapper, table: str, month: date) -> bool:
    following = months_from(month, 2)[1]
    name = f"{table}_{month:%Y_%m}"
    if _exists(connection, name) or _default_holds(connection, table, month, following):
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            f"create table {name} partition of {table} "
            f"for values from ('{month:%Y-%m-%d} 00:00:00+00') to ('{following:%Y-%m-%d} 00:00:00+00')"
        )
        cursor.execute(no_truncate(name))
    return True


def _exists(connection: BaseDatabaseWrapper, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [name])
        return bool(cursor.fetchone()[0])


def _default_holds(connection: BaseDatabaseWrapper, table: str, month: date, following: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select exists (select from {table}_default where occurred_at >= %s and occurred_at < %s)",
            [f"{month} 00:00+00", f"{following} 00:00+00"],
        )
        return bool(cursor.fetchone()[0])
