"""Making, copying and dropping test databases on whichever server the tests were given."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from access.postgresql import bootstrap
from epicase import config


def _owner() -> psycopg.Connection[Any]:
    return psycopg.connect(_url("owner"), autocommit=True)


def _url(login: str) -> str:
    return config.remembered()[login]


def create_database(name: str) -> None:
    with _owner() as owner:
        owner.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
        owner.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    bootstrap.hand_over_schema(_url("admin"), name)


def copy_migrated(migrated: str, name: str) -> bool:
    """Copy the database that the migrations made, making it first when no process has; whether this one made it."""
    with _owner() as owner:
        # Ends with the connection.
        owner.execute("select pg_advisory_lock(hashtext(%s))", [migrated])
        known = owner.execute("select 1 from pg_database where datname = %s", [migrated]).fetchone()
        if not known:
            try:
                create_database(migrated)
                migrate(migrated)
            except BaseException:
                connection.close()
                drop_database(migrated)
                raise
        copy_database(migrated, name)
    return not known


def copy_database(template: str, name: str) -> None:
    """Copy the files of a database nobody is connected to: 0.1-0.2 s."""
    with _owner() as owner:
        owner.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
        statement = sql.SQL("create database {} template {} strategy file_copy")
        _retrying(owner, statement.format(sql.Identifier(name), sql.Identifier(template)))


def drop_database(name: str) -> None:
    with _owner() as owner:
        _retrying(owner, sql.SQL("drop database if exists {}").format(sql.Identifier(name)))


def migrate(name: str) -> None:
    use_database(name, login="owner", base_role="epi_owner")
    call_command("migrate", verbosity=0, interactive=False)
    connection.close()


def use_database(name: str, *, login: str = "test", base_role: str | None = None) -> None:
    """Point Django at the database, under the login."""
    from access.visibility import forget_permission_ids

    connection.close()
    entry = config.database(_url(login))
    connection.settings_dict.update(
        {key: entry[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
    )
    connection.settings_dict["NAME"] = name
    connection.base_role = base_role  # type: ignore[attr-defined]
    forget_permission_ids()


def url_of(name: str, login: str) -> str:
    """The address by which another process reaches the database under the login."""
    parts: dict[str, Any] = dict(psycopg.conninfo.conninfo_to_dict(_url(login)))
    parts["dbname"] = name
    return psycopg.conninfo.make_conninfo(**parts)


def _retrying(owner: psycopg.Connection[Any], statement: sql.Composed) -> None:
    """A connection just closed, or an autovacuum worker, may still be inside for a moment."""
    for attempt in range(50):
        try:
            owner.execute(statement)
        except psycopg.errors.ObjectInUse:
            if attempt == 49:
                raise
            time.sleep(0.1)
        else:
            return
