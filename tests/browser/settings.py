"""Settings of the product's own processes under a browser test: the product's, on the test's copy of the database."""

import os

os.environ.setdefault("EPICASE_TEST", "1")

from epicase.settings import *  # noqa: F403
from epicase.settings import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES

DATABASES["default"]["NAME"] = os.environ["EPICASE_BROWSER_DATABASE"]
# Queues of this run alone, on a broker that other runs use too.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **CELERY_BROKER_TRANSPORT_OPTIONS,
    "global_keyprefix": os.environ["EPICASE_BROWSER_DATABASE"] + ":",
}
PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
