"""The smallest settings the vault runs with, for its tests alone on a scratch database."""

import os
import tempfile
from pathlib import Path

EPICASE_TEST = True
SECRET_KEY = "only-for-the-vaults-own-tests"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "vault", "tests.vault.sampleapp"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("VAULT_TEST_DATABASE", "epi_scratch_vault"),
        "USER": os.environ.get("PGUSER", "postgres"),
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "PORT": os.environ.get("PGPORT", "5432"),
    }
}
USE_TZ = True
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_keyring = Path(tempfile.mkdtemp(prefix="vault-")) / "keyring.json"
EPICASE_KEYRING = f"file:{_keyring}"
