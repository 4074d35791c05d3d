"""Makes the ledger's partitions for the months ahead. Run it monthly, under the owner's login."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from audit import partitions


class Command(BaseCommand):
    help = "Make the ledger's partitions of this month and the next ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, default=3, help="how many months ahead (default 3)")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            made = partitions.ensure_ahead(options["months"])
        self.stdout.write("\n".join(made) or "all partitions are there")
