"""A quick cursor for many rows: parameters travel apart from the statement, results in binary."""

from typing import Any

import psycopg
from django.db import connection
from psycopg.rows import RowFactory, tuple_row


def quick_cursor(row_factory: RowFactory[Any] = tuple_row) -> "psycopg.Cursor[Any]":
    """A cursor on the connection below Django's, in the same transaction and under the same role.

    Opening Django's own cursor first connects, and lets the backend tell the database who we are.
    """
    with connection.cursor():
        raw: psycopg.Connection[Any] = connection.connection
    return psycopg.Cursor(raw, row_factory=row_factory)
