"""Settings for the type checker: nothing is started, nothing is asked of the machine."""

import os

os.environ.setdefault("EPICASE_TEST", "1")
os.environ.setdefault("EPICASE_STATE_DIR", "/nonexistent/epicase-typing")

from epicase.settings import *  # noqa: F403
