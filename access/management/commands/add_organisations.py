"""Makes organisations from a table: province before city before district. Run it under the owner's login."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from access.actor import acting_as_owner
from access.models import Organisation
from audit import trail
from audit.acts import Act

COLUMNS = ("code", "level", "parent", "name_zh", "name_en", "area_zh", "area_en")


class Command(BaseCommand):
    help = "Make organisations from a CSV file with the columns " + ", ".join(COLUMNS) + "; known codes stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if missing := set(COLUMNS) - set(reader.fieldnames or ()):
                raise CommandError(f"{file} has no column {', '.join(sorted(missing))}.")
            rows = list(reader)
        with acting_as_owner(), trail.audit_job("add_organisations"):
            made = sum(map(_make, rows))
            trail.record(Act.SETTINGS_CHANGE, counts={"organisations": made})
        self.stdout.write(f"{made} organisations made, {len(rows) - made} were there.")


def _make(row: dict[str, str]) -> bool:
    if Organisation.objects.filter(code=row["code"]).exists():
        return False
    parent = Organisation.objects.filter(code=row["parent"]).first() if row["parent"] else None
    made = Organisation(parent=parent, **{name: row[name] for name in COLUMNS if name != "parent"})
    try:
        made.full_clean()
    except ValidationError as error:
        raise CommandError(f"{row['code']}: {_words(error.messages)}") from error
    made.save(force_insert=True)
    return True


def _words(messages: Iterable[str]) -> str:
    return " ".join(messages)
