"""manage.py audit_keygen: makes the key that signs the ledger and prints its public half."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from epicase_verify.text import Malformed

from audit import signer


class Command(BaseCommand):
    help = "Make the ledger's signing key (mode 0600) and print the verification key to give to auditors."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, help="where (default: as EPICASE_AUDIT_KEY says)")
        parser.add_argument("--name", help="the ledger's name, for instance cdc.example.org/ledger")
        parser.add_argument("--if-missing", action="store_true", help="keep a key that is there already")

    def handle(self, *, path: Path | None, name: str | None, if_missing: bool, **options: Any) -> None:
        try:
            place = path or signer.key_path()
            if if_missing and place.exists():
                vkey = signer.FileSigner(place).vkeys[0]
            else:
                vkey = signer.create(place, name or str(settings.EPICASE_LOG_ORIGIN))
        except FileExistsError:
            raise CommandError(
                f"{path or signer.key_path()} exists; a signing key is never replaced."
            ) from None
        except (signer.SigningKeyUnusable, Malformed) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The key cannot be written: {error.strerror}") from error
        self.stdout.write(vkey.format())
