"""manage.py audit_verify: checks the whole ledger. Exit code 0 whole, 1 tampered, 2 unusable."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, transaction
from epicase_verify.note import VerificationKey
from epicase_verify.text import Malformed

from audit import verification


class Command(BaseCommand):
    help = (
        "Check every event, leaf, tile, checkpoint and signature. Exit code: 0 whole, 1 tampered, 2 unusable."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bodies", type=int, help="read only the newest so many events; the tree is checked whole"
        )
        parser.add_argument(
            "--vkey", action="append", help="a verification key you trust, in place of the configured"
        )

    def handle(self, *, bodies: int | None, vkey: list[str] | None, **options: Any) -> None:
        try:
            keys = [VerificationKey.parse(text) for text in vkey] if vkey else None
            with transaction.atomic():
                report = verification.verify(bodies=bodies, keys=keys)
        except (DatabaseError, Malformed) as error:
            self.stderr.write(f"unusable    {str(error).splitlines()[0]}")
            sys.exit(verification.UNUSABLE)
        for line in report.lines():
            self.stdout.write(line)
        if report.exit_code:
            sys.exit(report.exit_code)
