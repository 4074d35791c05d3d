"""Makes one account, with one role in one organisation. Run it under the owner's login."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from access.actor import acting_as_owner
from access.models import Organisation, User
from access.roles import Role
from audit import trail
from audit.acts import Act


class Command(BaseCommand):
    help = "Make an account. The password is asked for, or read from the first line of the standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="the name that others and the log show")
        parser.add_argument("--role", required=True, choices=[str(role.value) for role in Role])
        parser.add_argument("--organisation", required=True, help="its division code")

    def handle(self, *, username: str, name: str, role: str, organisation: str, **options: Any) -> None:
        with acting_as_owner(), trail.audit_job("add_account"):
            place = Organisation.objects.filter(code=organisation).first()
            if place is None:
                raise CommandError(f"no organisation has the code {organisation}: run add_organisations.")
            person = User(username=username, display_name=name, role=role, organisation=place)
            try:
                password = _password()
                validate_password(password, person)
                person.set_password(password)
                person.full_clean()
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            person.save(force_insert=True)
            trail.record(Act.ACCOUNT_CREATE, person)
        self.stdout.write(f"{username} may sign in.")


def _password() -> str:
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
