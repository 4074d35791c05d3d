"""Contacts and imports in a browser: one value shown, a correction, and a line list taken in by the worker."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from cases.models import DiseaseProfile, Outbreak
from contacts.models import Contact
from tests import factories
from tests.browser.person import PHONE, WIDE, Person
from tests.browser.product import Product
from tests.cast import World

LINELIST = "\n".join(
    [
        "id,age,sex,loc_hosp,dt_onset,dt_report,dt_diag,shoe_size",
        *(f"SK_{n},40,{'X' if n == 7 else 'F'},,2015-05-11,2015-05-19,2015-05-20,4" for n in range(1, 30)),
    ]
)


@pytest.fixture(scope="module")
def contact(site: Product, world: World) -> Contact:
    with site.inside():
        return factories.contact(world.case, world.investigator, mode=["meal"])


@pytest.fixture(scope="module")
def outbreak(site: Product, world: World) -> Outbreak:
    with site.inside(), factories.as_person(world.supervisor):
        mers = DiseaseProfile.objects.get(code="mers")
        return factories.outbreak(world.supervisor, code="MERS-2015", disease=mers)


def measure(someone: Person, name: str) -> list[str]:
    """Flaws of this page; with EPICASE_SHOTS set, pictures of it too."""
    folder = os.environ.get("EPICASE_SHOTS", "")
    for size in (WIDE, PHONE) if folder else ():
        someone.page.set_viewport_size(size)
        someone.page.screenshot(path=f"{folder}/{name}-{size['width']}.png", full_page=True)
    return someone.flaws()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages_of_contacts_have_no_flaws(
    person: Callable[..., Person], world: World, contact: Contact, language: str
) -> None:
    someone = person(world.investigator)
    if language != "en":
        someone.speak(language)
    for name, path in (
        ("list", "/contacts/"),
        ("ended", "/contacts/?view=ended"),
        ("of-case", f"/contacts/case/{world.case.pk}/"),
        ("add", f"/contacts/case/{world.case.pk}/add/"),
        ("detail", f"/contacts/{contact.pk}/"),
        ("edit", f"/contacts/{contact.pk}/edit/"),
    ):
        assert someone.go(path) == 200
        assert measure(someone, f"{name}-{language}") == []
    if language != "en":
        someone.go("/contacts/")
        someone.speak("en")


def test_a_phone_is_shown_in_place_after_the_purpose(
    person: Callable[..., Person], world: World, contact: Contact
) -> None:
    someone = person(world.investigator)
    someone.go(f"/contacts/{contact.pk}/")
    page: Any = someone.page
    page.click("#value-phone [data-show]")
    page.wait_for_selector("#purpose[open]")
    assert measure(someone, "dialog") == []
    someone.go(f"/contacts/{contact.pk}/")
    page.click("#value-phone [data-show]")
    page.wait_for_selector("#purpose[open]")
    page.click("#purpose button[type=submit]")
    page.wait_for_selector("#value-phone .lit")
    assert "10000004472" in page.inner_text("#value-phone")
    assert "shown once" in page.inner_text("#status-line")
    page.click("#value-full_name [data-show]")
    page.wait_for_selector("#value-full_name .lit")
    assert measure(someone, "lit") == []


def test_a_contact_is_added_and_corrected(
    person: Callable[..., Person], world: World, contact: Contact
) -> None:
    someone = person(world.investigator)
    page: Any = someone.page
    someone.go(f"/contacts/case/{world.case.pk}/add/")
    page.click("text=Save contact")
    page.wait_for_selector("[data-error-summary]")
    assert measure(someone, "add-mistakes") == []
    someone.go(f"/contacts/{contact.pk}/edit/")
    page.click("text=Open to correct")
    page.wait_for_selector("#purpose[open]")
    page.click("#purpose button[type=submit]")
    page.wait_for_selector("#id_full_name")
    assert measure(someone, "edit-open") == []
    someone.go(f"/contacts/{contact.pk}/edit/")
    page.fill("#id_town", "Harbour town")
    page.click("text=Save changes")
    page.wait_for_url(f"**/contacts/{contact.pk}/")
    assert "is saved" in someone.text


def test_a_line_list_is_tried_then_taken_in(
    person: Callable[..., Person], world: World, outbreak: Outbreak
) -> None:
    someone = person(world.supervisor)
    page: Any = someone.page
    someone.go("/contacts/import/")
    assert measure(someone, "import") == []
    someone.go("/contacts/import/")
    page.set_input_files(
        "#id_file", {"name": "list.csv", "mimeType": "text/csv", "buffer": LINELIST.encode()}
    )
    page.select_option("#id_profile", "mers-korea")
    page.select_option("#id_outbreak", str(outbreak.pk))
    page.click("text=Make the dry run")
    page.wait_for_selector("text=Nothing has been written")
    assert "shoe_size" in someone.text
    run = someone.path
    assert measure(someone, "dry-run") == []
    someone.go(run)
    page.click("text=Take in 28 rows")
    page.wait_for_selector("text=What was refused is listed", timeout=20_000)
    assert "The profile does not know this code." in someone.text
    assert measure(someone, "result") == []
