"""One running product for all journeys; one browser for each file of them; one watched page for each person.

The product's processes use a copy of the test database of their own, with real commits. The browser lives only as
long as a file's tests: its event loop would be in the way of tests that use the database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from access.models import User
from tests import cast, factories, servers
from tests.access import oidc_provider
from tests.access.oidc_provider import Provider
from tests.browser import product
from tests.browser.person import WIDE, Person
from tests.browser.product import Product
from tests.cast import World
from tests.conftest import DATABASE
from tools import chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def executable() -> str:
    """The browser's path; without one a skip that says so, or a failure where REQUIRE_BROWSER=1."""
    found = chromium.path()
    if found is None:
        words = "NO CHROMIUM ON THIS MACHINE: the journeys in a browser did not run"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(words)
        pytest.skip(words)
    return found


@pytest.fixture(scope="session")
def provider() -> Iterator[tuple[Provider, Callable[[], None]]]:
    """A provider of single sign-on; it answers once the product has started, because it needs a thread."""
    with oidc_provider.listening() as made:
        yield made


@pytest.fixture(scope="session")
def site(
    executable: str,
    provider: tuple[Provider, Callable[[], None]],
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: Any,
) -> Iterator[Product]:
    """The running product, on a database of its own."""
    idp, begin = provider
    single_sign_on = {
        "EPICASE_OIDC_ISSUER": idp.issuer,
        "EPICASE_OIDC_CLIENT_ID": oidc_provider.CLIENT,
        "EPICASE_OIDC_CLIENT_SECRET": oidc_provider.SECRET,
        "EPICASE_OIDC_LABEL": "Staff sign-on",
    }
    name, folder = f"{DATABASE}_browser", tmp_path_factory.mktemp("product")
    with django_db_blocker.unblock():
        servers.use_database(DATABASE)
        servers.copy_database(DATABASE, name)
    try:
        with product.running(name, DATABASE, folder, django_db_blocker, single_sign_on) as running:
            begin()
            yield running
    finally:
        with django_db_blocker.unblock():
            servers.drop_database(name)


@pytest.fixture(scope="session")
def world(site: Product) -> World:
    """People of every role and one case, committed. Journeys add cases of their own."""
    with site.inside():
        return cast.build()


@pytest.fixture(scope="module")
def browser(executable: str, site: Product, world: World) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, chromium.started(executable) as started:
        # Playwright runs an event loop in this thread; records made beside it go the ordinary way.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield started


@pytest.fixture
def person(browser: Any, site: Product) -> Iterator[Callable[..., Person]]:
    """Puts a person at a browser of their own; at the end nobody's browser may have complained."""
    people: list[Person] = []

    def sit_down(user: Any = None, **context: Any) -> Person:
        opened = browser.new_context(
            **{"viewport": WIDE, "accept_downloads": True, "locale": "en", **context}
        )
        people.append(Person(opened.new_page(), site.url, user))
        if user is not None:
            people[-1].come_in(user)
        return people[-1]

    yield sit_down
    complaints = [line for one in people for line in one.complaints()]
    for one in people:
        one.page.context.close()
        if one.has_switched and one.user is not None:
            # The account remembers it; the next test expects its own language.
            with site.inside(), factories.as_owner():
                User.objects.filter(pk=one.user.pk).update(language=one.user.language)
    assert complaints == []
