"""Settings of the tests: the product's own, under a login that may put on every role."""

import os

os.environ.setdefault("EPICASE_TEST", "1")
os.environ["EPICASE_LOGIN"] = "test"

from epicase import startup

startup.prepare_servers()

from epicase.settings import *  # noqa: F403
from epicase.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.vault.sampleapp"]
PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
# The sample app of the vault's own tests: the room below the ledger knows none.
AUDIT_UNWATCHED_APPS = ["vaultsample"]
# Each test client would look through all static files first.
WHITENOISE_AUTOREFRESH = True
