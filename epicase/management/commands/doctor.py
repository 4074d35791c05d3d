"""Looks at everything that must be right, and says what to do about what is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from access import rls
from access.postgresql import logins
from audit import partitions
from epicase import config
from vault.providers import ProviderError, configured

CLOCK_TOLERANCE_SECONDS = 2


class Sick(Exception):
    """Something is wrong; the text says what, and what helps."""


class Command(BaseCommand):
    help = (
        "Check settings, login, roles, keys, clock, sealing and partitions, and say what to do. "
        "Exits 1 if something is wrong."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        checks: dict[str, Callable[[], str]] = {
            "settings": _settings,
            "database login": _login,
            "migrations": _migrations,
            "row security": _row_security,
            "keys": _keys,
            "clock": _clock,
            "sealing": _sealing,
            "partitions": _partitions,
        }
        wrong: list[str] = []
        silent = False
        for name, check in checks.items():
            if silent and check in ASK_THE_DATABASE:
                self.stdout.write(f"-      {name}: not asked, the database does not answer")
                continue
            try:
                self.stdout.write(f"ok     {name}: {check()}")
            except (Sick, ImproperlyConfigured, ProviderError, DatabaseError, OSError) as error:
                silent = silent or isinstance(error, logins.DatabaseSilent)
                wrong.append(f"{name}: {str(error).strip().splitlines()[0]}")
                self.stdout.write(self.style.ERROR(f"wrong  {wrong[-1]}"))
        if wrong:
            self.stderr.write(f"epicase: {wrong[0]}" + (f" (and {len(wrong) - 1} more)" if wrong[1:] else ""))
            raise SystemExit(1)


def _settings() -> str:
    if not config.may_improvise() and settings.EPICASE_ACCEPT_DEMO_NUMBERS:
        raise Sick("demo numbers are accepted outside demo")
    return (
        "demo" if settings.EPICASE_DEMO else "test or development" if config.may_improvise() else "production"
    )


def _login() -> str:
    logins.refuse_unsafe_login(config.login())
    return f"{connection.settings_dict['USER']} may do what the {config.login()} process needs and no more"


def _migrations() -> str:
    with transaction.atomic():
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise Sick(f"{len(missing)} migrations are missing: run manage.py migrate with the owner's login")
    return "all applied"


def _row_security() -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = 'public' and c.relrowsecurity and c.relforcerowsecurity"
        )
        secured = {name for (name,) in cursor.fetchall()}
    wanted = {table.name for table in rls.declared().values() if table.row_security}
    if missing := sorted(wanted - secured):
        raise Sick(
            f"{', '.join(missing)} without forced row security: run manage.py migrate with the owner's login"
        )
    return f"{len(wanted)} tables, forced"


def _keys() -> str:
    health = configured().health()
    if not health.ok:
        raise Sick(health.message)
    return health.message


def _clock() -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select extract(epoch from clock_timestamp())")
        row = cursor.fetchone()
    drift = abs(float(row[0]) - time.time()) if row else 0.0
    if drift > CLOCK_TOLERANCE_SECONDS:
        raise Sick(f"this machine and the database differ by {drift:.0f} s: synchronise both clocks")
    return f"{drift * 1000:.0f} ms from the database's"


def _sealing() -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select count(*), extract(epoch from now() - min(occurred_at)) from audit_pending")
        row = cursor.fetchone()
    count, age = row or (0, None)
    if age and age > 60:
        raise Sick(
            f"{count} events wait for {age:.0f} s: start the sealer (celery -Q audit, or manage.py audit_seal --loop)"
        )
    return f"{count} events waiting"


def _partitions() -> str:
    with transaction.atomic():
        missing = partitions.missing_ahead()
    if missing:
        raise Sick(f"{', '.join(missing)} missing: run manage.py audit_partitions with the owner's login")
    return "made for this month and the next"


ASK_THE_DATABASE = (_migrations, _row_security, _clock, _sealing, _partitions)
