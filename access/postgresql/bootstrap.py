"""Makes the PostgreSQL roles, logins and database: once per cluster, by an administrator, never by a migration.

Group roles cannot log in and are shared by all databases of the cluster. Logins belong to one installation and may
only put on group roles (``INHERIT FALSE``), so a statement outside an actor has no right to anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from access.roles import EVERY_ROLE, PERSON_ROLES, PgRole

GROUPS = (PgRole.OWNER.value, PgRole.SEC.value, PgRole.SEALER.value, *EVERY_ROLE)
MAY_WEAR: Mapping[str, tuple[str, ...]] = {
    "app": (PgRole.NONE.value, *PERSON_ROLES),
    "worker": (PgRole.NONE.value, *PERSON_ROLES, PgRole.JOB.value),
    "sealer": (PgRole.SEALER.value,),
    "owner": (PgRole.OWNER.value, PgRole.SEC.value),
    "test": GROUPS,
}
_LOCK = 0x65706963


def is_administrator(url: str) -> bool:
    """Whether the address's login may make roles (a superuser, or one with CREATEROLE)."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
        ).fetchone()
        return bool(row and row[0])


def prepare_installation(admin_url: str, *, state: Path, with_test_login: bool) -> dict[str, str]:
    """Roles, logins and an empty database for one demo, test or development installation: address per login.

    Names carry a suffix of the state folder, so that two installations on one server leave each other alone.
    """
    suffix = hashlib.sha256(str(state).encode()).hexdigest()[:8]
    passwords = _passwords(state / "secrets" / "logins.json")
    ensure_roles(admin_url)
    logins = {kind: f"epi_{kind}_{suffix}" for kind in MAY_WEAR if kind != "test" or with_test_login}
    ensure_logins(admin_url, logins, passwords)
    name = f"epicase_{suffix}"
    ensure_database(admin_url, name)
    hand_over_schema(admin_url, name)
    return {kind: address(admin_url, login, passwords[kind], name) for kind, login in logins.items()}


def ensure_roles(admin_url: str) -> None:
    """Make the group roles that are missing; take nothing away."""
    with _administering(admin_url) as connection:
        for name in GROUPS:
            _create_role(connection, name, sql.SQL("nologin noinherit"))
        _grant(connection, PgRole.SEC.value, PgRole.OWNER.value)


def ensure_logins(admin_url: str, logins: Mapping[str, str], passwords: Mapping[str, str]) -> None:
    """Make or update the logins (kind -> role name), each with its password and the roles it may put on."""
    with _administering(admin_url) as connection:
        for kind, name in logins.items():
            options = (
                sql.SQL("login noinherit createdb")
                if kind in ("owner", "test")
                else sql.SQL("login noinherit")
            )
            _create_role(connection, name, options)
            connection.execute(
                sql.SQL("alter role {} password {}").format(
                    sql.Identifier(name), sql.Literal(passwords[kind])
                )
            )
            for group in MAY_WEAR[kind]:
                _grant(connection, group, name)


def ensure_database(admin_url: str, name: str) -> None:
    """Make the database, owned by epi_owner, closed to everyone who has no role in it."""
    with _administering(admin_url) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(
                sql.SQL(
                    "create database {} owner {} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"
                ).format(sql.Identifier(name), sql.Identifier(PgRole.OWNER.value))
            )
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
        for group in (*EVERY_ROLE, PgRole.SEALER.value, PgRole.SEC.value):
            connection.execute(
                sql.SQL("grant connect on database {} to {}").format(
                    sql.Identifier(name), sql.Identifier(group)
                )
            )
        rows = connection.execute(
            "select distinct m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member"
            " join pg_roles g on g.oid = a.roleid where g.rolname = any(%s) and m.rolcanlogin",
            [list(GROUPS)],
        ).fetchall()
        for (login,) in rows:
            connection.execute(
                sql.SQL("grant connect on database {} to {}").format(
                    sql.Identifier(name), sql.Identifier(login)
                )
            )


def hand_over_schema(admin_url: str, name: str) -> None:
    """Let epi_owner make tables in the database (before version 16, owning the database did not say so)."""
    there = make_conninfo(admin_url, dbname=name)
    with psycopg.connect(there, autocommit=True) as connection:
        connection.execute(
            sql.SQL("alter schema public owner to {}").format(sql.Identifier(PgRole.OWNER.value))
        )
        connection.execute(
            sql.SQL("grant create on database {} to {}").format(
                sql.Identifier(name), sql.Identifier(PgRole.OWNER.value)
            )
        )


def address(admin_url: str, login: str, password: str, database: str) -> str:
    """The login's own address on the administrator's server."""
    parts = conninfo_to_dict(admin_url)
    where = "&".join(f"{key}={quote(str(parts[key]), safe='')}" for key in ("host", "port") if parts.get(key))
    return f"postgresql://{quote(login)}:{quote(password)}@/{quote(database)}?{where}"


def _passwords(path: Path) -> dict[str, str]:
    if path.is_file():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = {kind: secrets.token_urlsafe(24) for kind in MAY_WEAR}
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(made, file)
    return made


@contextmanager
def _administering(url: str) -> Iterator[psycopg.Connection[Any]]:
    """One administrator at a time: roles are cluster-wide and CREATE ROLE knows no IF NOT EXISTS."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        yield connection


def _create_role(connection: psycopg.Connection[Any], name: str, options: sql.SQL) -> None:
    verb = (
        "alter"
        if connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
        else "create"
    )
    connection.execute(sql.SQL("{} role {} {}").format(sql.SQL(verb), sql.Identifier(name), options))


def _grant(connection: psycopg.Connection[Any], group: str, member: str) -> None:
    """Membership that must be put on: PostgreSQL 16 says so per membership, 15 by the member's NOINHERIT."""
    new = connection.info.server_version >= 160000
    how = sql.SQL(" with inherit false, set true") if new else sql.SQL("")
    connection.execute(sql.SQL("grant {} to {}{}").format(sql.Identifier(group), sql.Identifier(member), how))
