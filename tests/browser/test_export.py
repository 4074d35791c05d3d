"""An export from request to file: asked for, approved, built by the worker, taken once, opened with its words."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msoffcrypto
import pytest
from python_calamine import CalamineWorkbook

from tests import factories
from tests.browser.person import Person
from tests.browser.product import Product
from tests.cast import World

CASES = 12


@pytest.fixture
def outbreak(site: Product, world: World) -> Any:
    """An outbreak with cases of the investigator."""
    with site.inside():
        with factories.as_person(world.supervisor):
            event = factories.outbreak(world.supervisor)
        for number in range(CASES):
            factories.case(world.investigator, event, full_name=f"示例{number}")
        return event


def ask(person: Person, outbreak: Any) -> str:
    """Names and phones, for a recipient; gives the address of the export's page."""
    page = person.page
    person.go("/disclosure/new/")
    page.fill("#id_recipient", "Example city CDC")
    page.select_option("#id_outbreak", str(outbreak.pk))
    for name in ("full_name", "phone"):
        box = page.locator(f"input[name=fields_taken][value={name}]")
        if not box.is_visible():
            page.locator("details:not([open]) > summary.card-body").first.click()
        box.check()
    page.locator("button[form=request].btn-primary").click()
    page.wait_for_url(re.compile(r"/disclosure/[0-9a-f-]{36}/$"))
    return person.path


def approve(person: Person, export: str) -> None:
    person.go(export)
    assert factories.PHONE not in person.page.content()
    person.page.locator("button[form=approve]").click()
    person.page.wait_for_selector("button[form=approve]", state="detached")


def opened(content: bytes, passphrase: str) -> list[list[Any]]:
    plain = io.BytesIO()
    book = msoffcrypto.OfficeFile(io.BytesIO(content))
    book.load_key(password=passphrase, verify_password=True)
    book.decrypt(plain, verify_integrity=True)
    plain.seek(0)
    return list(CalamineWorkbook.from_filelike(plain).get_sheet_by_index(0).to_python())


def test_a_file_leaves_once_and_opens_with_its_passphrase_only(
    person: Callable[..., Person], site: Product, world: World, outbreak: Any
) -> None:
    investigator, supervisor = person(world.investigator), person(world.supervisor)
    page = investigator.page
    export = ask(investigator, outbreak)
    assert page.locator("form[action$='/download/']").count() == 0
    with site.paused("worker"):
        approve(supervisor, export)
        investigator.go(export)
        assert page.get_attribute("#build progress", "max") == str(CASES)
        assert investigator.flaws() == []
        investigator.go(export)
    # The page follows by itself.
    page.wait_for_selector("form[action$='/download/']", timeout=30_000)
    with page.expect_download() as coming:
        page.click("form[action$='/download/'] button")
    content = Path(coming.value.path()).read_bytes()
    assert factories.PHONE.encode() not in content

    second = post_again(investigator, f"{export}download/")
    assert second == 410

    words = passphrase(investigator, export)
    rows = opened(content, words)
    assert len(rows) == CASES + 1
    assert any(factories.PHONE in str(cell) for cell in rows[1])
    with pytest.raises(msoffcrypto.exceptions.InvalidKeyError):
        opened(content, words + "x")
    investigator.go(f"{export}passphrase/")
    assert words not in page.content()
    assert not list((site.folder / "exports").iterdir())


def post_again(person: Person, path: str) -> int:
    """Send the same form again, as an impatient second click would."""
    return int(
        person.page.evaluate(
            """async (path) => {
                const token = document.querySelector("[name=csrfmiddlewaretoken]").value
                const body = new URLSearchParams({ csrfmiddlewaretoken: token })
                return (await fetch(path, { method: "POST", body })).status
            }""",
            path,
        )
    )


def passphrase(person: Person, export: str) -> str:
    """On its own page, shown once."""
    person.go(f"{export}passphrase/")
    person.page.click("form[action$='/passphrase/'] button")
    person.page.wait_for_selector("#passphrase")
    return str(person.page.inner_text("#passphrase")).strip()


def test_a_declined_request_builds_nothing(
    person: Callable[..., Person], world: World, outbreak: Any
) -> None:
    investigator, supervisor = person(world.investigator), person(world.supervisor)
    export = ask(investigator, outbreak)
    supervisor.go(export)
    supervisor.page.click("button[data-opens=reject]")
    supervisor.page.fill("#reject [name=answer]", "Statistics are enough for this.")
    supervisor.page.click("#reject button[type=submit]")
    supervisor.page.wait_for_selector("#reject", state="detached")
    investigator.go(export)
    assert "Statistics are enough for this." in investigator.text
    assert investigator.page.locator("form[action$='/download/']").count() == 0
