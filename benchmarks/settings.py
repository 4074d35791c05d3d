"""Settings of the benchmarks: the product's own, on a cluster of their own, under a login that may wear every role."""

import os

os.environ.setdefault("EPICASE_TEST", "1")
os.environ["EPICASE_LOGIN"] = "test"

from epicase import startup

startup.prepare_servers()

from epicase.settings import *  # noqa: F403
from epicase.settings import DATABASES

# As in production: a connection outlives its request.
DATABASES["default"]["CONN_MAX_AGE"] = None
