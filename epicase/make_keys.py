"""Makes the keys of an installation: the vault's keyring and the ledger's signing key, never replacing one.

    python -m epicase.make_keys FOLDER --name cases.example.org/ledger

Needs no settings, no database and no network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

KEYRING, SIGNING_KEY = "keyring.json", "audit_signing.key"


def make(folder: Path, name: str) -> list[Path]:
    """Make what is missing in the folder; gives the new files. They are readable by this user alone."""
    from audit import signer
    from vault.providers import FileProvider

    made = []
    if not (folder / KEYRING).exists():
        FileProvider.create(folder / KEYRING)
        made.append(folder / KEYRING)
    if not (folder / SIGNING_KEY).exists():
        signer.create(folder / SIGNING_KEY, name)
        made.append(folder / SIGNING_KEY)
    return made


def main() -> int:
    from django.conf import settings

    parser = argparse.ArgumentParser(description="Make the keyring and the ledger's signing key.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True, help="the ledger's name, e.g. cases.example.org/ledger")
    given = parser.parse_args()
    settings.configure()
    try:
        made = make(given.folder, given.name)
    except Exception as error:  # noqa: BLE001  whatever it is, the operator gets one line
        print(f"epicase: the keys could not be made in {given.folder}: {error}", file=sys.stderr)
        return 1
    for path in made:
        print(f"made {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
