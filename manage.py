#!/usr/bin/env python3
"""Runs epicase's commands under the database login that each of them needs."""

from __future__ import annotations

import os
import sys

OWNER_COMMANDS = {
    "add_account",
    "add_organisations",
    "audit_partitions",
    "bootstrap_database",
    "migrate",
    "showmigrations",
    "sqlmigrate",
}
SEALER_COMMANDS = {"audit_proof", "audit_seal", "audit_verify"}
WITHOUT_DATABASE = {
    "help",
    "check",
    "makemigrations",
    "collectstatic",
    "spectacular",
    "audit_keygen",
    "demo",
    "version",
    "",
}


def main() -> int:
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "epicase.settings")
    if command in OWNER_COMMANDS:
        os.environ["EPICASE_LOGIN"] = "owner"
    if command in SEALER_COMMANDS:
        os.environ["EPICASE_LOGIN"] = "sealer"
    from django.core.exceptions import ImproperlyConfigured

    from epicase import startup

    try:
        startup.adopt_demo(command)
        if command not in WITHOUT_DATABASE:
            startup.prepare_servers()
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        startup.leave(error, 2)
    except Exception as error:
        if (told := startup.in_one_line(error)) is None:
            raise
        startup.leave(told, 2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
