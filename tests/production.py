"""Processes started as in production: nothing improvised, every secret given, one database login each."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from audit import signer
from epicase import config, embedded
from epicase.config import BASE_DIR
from tests import servers
from vault.providers import FileProvider

FORGOTTEN = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTHONWARNINGS")
SECONDS = 60


def environment(folder: Path, database: str) -> dict[str, str]:
    """What a production web process is given: files for every secret, in a folder outside the source."""
    write(folder / "secret_key", secrets.token_urlsafe(48))
    FileProvider.create(folder / "keyring.json")
    signer.create(folder / "audit_signing.key", "cases.example.org/ledger")
    write(folder / "app_url", servers.url_of(database, "app"))
    write(folder / "redis_url", config.remembered()["redis"])
    (folder / "static").mkdir()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("EPICASE_") and name not in FORGOTTEN
    }
    return {
        **inherited,
        "DATABASE_URL_FILE": str(folder / "app_url"),
        "REDIS_URL_FILE": str(folder / "redis_url"),
        "EPICASE_SECRET_KEY_FILE": str(folder / "secret_key"),
        "EPICASE_KEYRING": f"file:{folder / 'keyring.json'}",
        "EPICASE_ALLOWED_HOSTS": "cases.example.org",
        "EPICASE_STATIC_ROOT": str(folder / "static"),
        "EPICASE_STATE_DIR": str(folder / "state"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def write(path: Path, content: str) -> Path:
    """A file that only this user may read."""
    path.touch(mode=0o600)
    path.write_text(content)
    return path


def run(
    command: Sequence[str], given: Mapping[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env=dict(given),
        cwd=BASE_DIR,
        input=typed,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def administrator() -> str:
    """The address of the superuser of the server that the tests were given."""
    return os.environ.get("DATABASE_URL") or embedded.ensure_running(config.state_dir()).admin_url
