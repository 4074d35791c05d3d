"""Compare the labels in use with the frozen ones, or freeze new ones."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vault import labels


class Command(BaseCommand):
    help = "Check vault/labels.lock against the models; --write adds new labels."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="add labels that are not frozen yet")

    def handle(self, *args: Any, **options: Any) -> None:
        if changed := labels.changed():
            raise CommandError(
                f"Frozen labels were changed: {', '.join(changed)}. Give these fields new labels."
            )
        if options["write"]:
            self.stdout.write(f"{len(labels.freeze())} labels added")
        elif missing := labels.missing():
            raise CommandError(f"Labels not frozen yet: {', '.join(missing)}. Run vault_labels --write.")
