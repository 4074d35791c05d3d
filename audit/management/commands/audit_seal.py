"""manage.py audit_seal: seals the events that wait, once or for ever, without Celery."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from audit import sealing
from audit.errors import AuditError


class Command(BaseCommand):
    help = "Seal waiting events into the ledger's tree and publish the signed checkpoint."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on until stopped")
        parser.add_argument("--every", type=float, default=2.0, help="seconds between rounds (default 2)")

    def handle(self, *, loop: bool, every: float, **options: Any) -> None:
        if not loop:
            self._once()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            self._round()
            stop.wait(every)

    def _once(self) -> None:
        try:
            report = sealing.seal_all()
        except AuditError as error:
            raise CommandError(str(error)) from error
        self._tell(report)

    def _round(self) -> None:
        """One round of the loop: trouble is told, and the next round tries again."""
        try:
            report = sealing.seal_all()
        except AuditError as error:
            self.stderr.write(str(error))
        except DatabaseError as error:
            self.stderr.write(f"The database does not answer: {type(error).__name__}")
            connection.close()
        else:
            if report.sealed or report.trouble or report.missing:
                self._tell(report)

    def _tell(self, report: sealing.SealReport) -> None:
        if report.is_busy:
            self.stdout.write("Another sealer is at work.")
            return
        self.stdout.write(f"Sealed {report.sealed} events; the ledger holds {report.size}.")
        if report.altered:
            self.stderr.write(f"{report.altered} events were altered before they were sealed.")
        if report.missing:
            self.stderr.write(f"{report.missing} events vanished before they were sealed.")
        if report.trouble:
            self.stderr.write(report.trouble)
