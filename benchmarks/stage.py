"""The stage of one run: servers and a state folder of its own, thrown away afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHECKOUT = Path(__file__).resolve().parent.parent
PLAIN = "plain"


@contextmanager
def prepared() -> Iterator[None]:
    """Django with the product's migrations in an empty database, under the product's roles."""
    state = _claim_state_dir()
    import django

    from epicase import embedded

    try:
        django.setup()
        _migrate()
        yield
    finally:
        from django.db import connections

        connections.close_all()
        embedded.release()
        embedded.reset(state)


def _claim_state_dir() -> Path:
    """Say, before Django is imported, where everything goes; folders of runs that were killed are removed."""
    for name in list(os.environ):
        if name.startswith("EPICASE_") or name in ("DATABASE_URL", "REDIS_URL"):
            del os.environ[name]
    os.environ["EPICASE_TEST"] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    from epicase import config, embedded

    usual = config.state_dir()
    base = usual.name.removesuffix("-test") + "-bench-"
    for left in usual.parent.glob(f"{base}*"):
        number = re.search(r"\d+$", left.name)
        if number and not _lives(int(number.group())):
            embedded.reset(left)
    state = usual.with_name(f"{base}{os.getpid()}")
    os.environ["EPICASE_STATE_DIR"] = str(state)
    return state


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _migrate() -> None:
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "epicase.settings"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, check=True, cwd=CHECKOUT, env=given)


def admin_address(database: str | None = None) -> str:
    """The superuser's address of the product's database, or of another one of this cluster."""
    from django.conf import settings

    from epicase.embedded.postgres import Postgres

    parts = conninfo_to_dict(Postgres(settings.STATE_DIR).admin_url)
    parts["dbname"] = database or settings.DATABASES["default"]["NAME"]
    return make_conninfo(**parts)


@contextmanager
def loading(database: str | None = None, *, settled: bool = True) -> Iterator[psycopg.Connection[Any]]:
    """A connection that neither policies nor triggers bind, for COPY; the tables are vacuumed afterwards."""
    with psycopg.connect(admin_address(database)) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection
    if settled:
        settle(database)


def settle(database: str | None = None) -> None:
    """Statistics and visibility of all tables as autovacuum would leave them, and nothing left to write."""
    with psycopg.connect(admin_address(database), autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")


def make_plain_database() -> str:
    """An empty database for the plain twin, in the same cluster; its address."""
    with psycopg.connect(admin_address("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {PLAIN}")
        connection.execute(f"create database {PLAIN} template template0 encoding 'UTF8' locale 'C'")
    return admin_address(PLAIN)
