"""Makes the roles, logins and database of a production installation, from the addresses that its processes use."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from psycopg.conninfo import conninfo_to_dict

from access.postgresql import bootstrap
from epicase import config

ADDRESSES = {
    "app": "DATABASE_URL",
    "worker": "EPICASE_WORKER_DATABASE_URL",
    "sealer": "EPICASE_SEALER_DATABASE_URL",
    "owner": "EPICASE_OWNER_DATABASE_URL",
}


class Command(BaseCommand):
    help = (
        "Make roles, logins and the database: once per server, by an administrator. Reads EPICASE_ADMIN_DATABASE_URL "
        "(someone who may make roles) and the addresses of the four logins: "
        + ", ".join(ADDRESSES.values())
        + "."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        admin = _given("EPICASE_ADMIN_DATABASE_URL")
        parts = {kind: conninfo_to_dict(_given(name)) for kind, name in ADDRESSES.items()}
        databases = {str(one.get("dbname")) for one in parts.values()}
        if len(databases) != 1:
            raise CommandError("the four addresses must name one database.")
        if not bootstrap.is_administrator(admin):
            raise CommandError(
                "EPICASE_ADMIN_DATABASE_URL: this login may not make roles; give a superuser or CREATEROLE."
            )
        bootstrap.ensure_roles(admin)
        bootstrap.ensure_logins(
            admin,
            {kind: str(one["user"]) for kind, one in parts.items()},
            {kind: str(one["password"]) for kind, one in parts.items()},
        )
        name = databases.pop()
        bootstrap.ensure_database(admin, name)
        bootstrap.hand_over_schema(admin, name)
        self.stdout.write("Roles, logins and the database are there. Next: manage.py migrate.")


def _given(name: str) -> str:
    value = config.text(name)
    if not value:
        raise CommandError(f"{name} is missing (or {name}_FILE).")
    return value
