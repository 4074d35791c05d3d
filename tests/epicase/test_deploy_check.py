"""Django's deployment checks are silent on the settings of production, whatever the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import production
from tests.conftest import DATABASE

CHECK = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")

pytestmark = [pytest.mark.database]


@pytest.fixture
def given(tmp_path: Path, django_db_setup: None) -> dict[str, str]:
    return production.environment(tmp_path, DATABASE)


def test_nothing_is_found(given: dict[str, str]) -> None:
    ended = production.run(CHECK, given)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert "no issues" in ended.stdout


def test_a_short_secret_key_is_found(given: dict[str, str]) -> None:
    del given["EPICASE_SECRET_KEY_FILE"]
    given["EPICASE_SECRET_KEY"] = "short"
    ended = production.run(CHECK, given)
    assert ended.returncode != 0
    assert "security.W009" in ended.stderr
