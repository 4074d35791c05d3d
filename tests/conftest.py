"""The cast and the stage: people of every role, and a database under the product's own roles.

Ordinary tests (``db``) run in one transaction that is rolled back. Where real commits, threads, workers or kills
matter, ``private_database`` gives a test its own copy: TRUNCATE, which Django would use, is refused by the ledger.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests import mutants, servers

CHECKOUT = Path(__file__).resolve().parent.parent
DATABASE = f"test_epicase_{os.getpid()}"
# The processes of one run share what the migrations made.
MIGRATED = os.environ.get(
    "EPICASE_TEST_MIGRATED", f"test_epicase_run_{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
)


def shared_folder() -> Path | None:
    """The folder of real line lists and proof vectors, when it is at hand."""
    given = os.environ.get("EPICASE_SHARED")
    folder = Path(given) if given else CHECKOUT.parent / "shared"
    return folder if (folder / "data").is_dir() else None


# Few tests that take long: begun first, so that no core waits for them at the end.
LONG = (
    "tests/browser/",
    "tests/deploy/",
    "tests/security/",
    "tests/epicase/",
    "tests/frame/",
    "tests/test_routes",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: next((n for n, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))
    )


def pytest_collection_finish() -> None:
    # What was imported stays: the collector need not walk through it again and again.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = shared_folder()
    if folder is None:
        pytest.skip("the folder shared/data is not at hand (set EPICASE_SHARED)")
    return folder / "data"


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """An empty database made by the migrations, as the owner; then everything runs under the test login."""
    with django_db_blocker.unblock():
        made = servers.copy_migrated(MIGRATED, DATABASE)
        servers.use_database(DATABASE)
        mutants.change_database()
    yield
    with django_db_blocker.unblock():
        connection.close()
        servers.drop_database(DATABASE)
        if made:
            servers.drop_database(MIGRATED)


@pytest.fixture
def private_database(
    django_db_setup: None, django_db_blocker: Any, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A copy of the test database for one test, with real commits; its name. Other processes may connect to it."""
    name = f"{DATABASE}_{abs(hash(request.node.nodeid)) % 10**8}"
    with django_db_blocker.unblock():
        connection.close()
        servers.copy_database(DATABASE, name)
        servers.use_database(name)
        try:
            yield name
        finally:
            connection.close()
            servers.drop_database(name)
            servers.use_database(DATABASE)


@pytest.fixture
def world(db: None) -> Any:
    """People of every role and one case; see tests/cast.py."""
    from tests import cast

    return cast.build()


@pytest.fixture
def investigator(world: Any) -> Any:
    return world.investigator


@pytest.fixture
def outsider(world: Any) -> Any:
    return world.outsider


@pytest.fixture
def supervisor(world: Any) -> Any:
    return world.supervisor


@pytest.fixture
def auditor(world: Any) -> Any:
    return world.auditor


@pytest.fixture
def signed_in() -> Callable[[Any], Any]:
    """A browser in which the person is signed in; None for a visitor."""
    from tests import browsing

    return browsing.signed_in


@pytest.fixture
def events() -> Callable[..., list[dict[str, Any]]]:
    """The ledger as an auditor finds it: bodies of events, newest first, narrowed by act."""
    from tests import ledger

    return ledger.events
