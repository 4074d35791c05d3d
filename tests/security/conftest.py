"""The stage of the attacks, in the ordinary rolled-back database or committed in a copy for a whole module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests import servers
from tests.conftest import DATABASE
from tests.security import stage as stages


@pytest.fixture
def stage(db: None) -> stages.Stage:
    return stages.build()


@pytest.fixture(scope="module")
def committed(
    django_db_setup: None, django_db_blocker: Any, request: pytest.FixtureRequest
) -> Iterator[stages.Stage]:
    """The stage in a copy of the database with real commits, one for the module."""
    name = f"{DATABASE}_{request.module.__name__.rpartition('.')[2]}"
    with django_db_blocker.unblock():
        connection.close()
        servers.copy_database(DATABASE, name)
        servers.use_database(name)
        try:
            yield stages.build()
        finally:
            connection.close()
            servers.drop_database(name)
            servers.use_database(DATABASE)


@pytest.fixture(autouse=True)
def export_folder(settings: Any, tmp_path: Any) -> None:
    """Sealed files of these tests lie in their own folder."""
    settings.EPICASE_EXPORT_DIR = str(tmp_path / "exports")
