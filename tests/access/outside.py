"""What the settings say in a process that is neither demo nor test."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests import production
from tests.conftest import DATABASE

NAMES = (
    "EPICASE_REQUIRE_SECOND_FACTOR",
    "EPICASE_STEP_UP",
    "EPICASE_PLEDGE",
    "SESSION_IDLE_SECONDS",
    "SESSION_COOKIE_AGE",
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
)
ASK = "import json; from epicase import settings; print(json.dumps({n: getattr(settings, n) for n in %r}))"


def settings_of(given: dict[str, str]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**production.environment(Path(folder), DATABASE), **given}
        outcome = production.run(["-c", ASK % (NAMES,)], environment)
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout)
