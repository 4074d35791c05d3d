"""Pages on which something is open: measured as any other, and closed again by leaving them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import factories
from tests.browser.person import Person
from tests.browser.product import Product
from tests.cast import World

PLACE = "示例集市"


@pytest.fixture(scope="module")
def case(site: Product, world: World) -> Any:
    with site.inside():
        made = factories.case(world.investigator, world.outbreak)
        factories.visit(made, world.investigator, place_name=PLACE)
        return made


def ask_why(someone: Person, case: Any) -> None:
    someone.go(f"/cases/{case.pk}/")
    someone.page.click("#phone [data-show]")
    someone.page.wait_for_selector("#purpose:modal")


def light(someone: Person, case: Any) -> None:
    ask_why(someone, case)
    someone.page.click("#purpose button[type=submit]")
    someone.page.wait_for_selector("#phone .lit")


def test_dialog_value_section_and_rows_have_no_flaws(
    person: Callable[..., Person], world: World, case: Any
) -> None:
    someone = person(world.investigator)
    page = someone.page
    someone.go(f"/cases/{case.pk}/edit/identity/")
    flaws = someone.flaws()
    ask_why(someone, case)
    flaws += someone.flaws()
    light(someone, case)
    flaws += someone.flaws()
    someone.go(f"/cases/{case.pk}/edit/identity/")
    assert page.input_value("#id_full_name") == factories.NAME
    flaws += someone.flaws()
    someone.go(f"/cases/{case.pk}/movements/")
    assert PLACE not in someone.text
    page.click("form[action$='/movements/show/'] button")
    page.wait_for_selector(f"text={PLACE}")
    flaws += someone.flaws()
    someone.go(f"/cases/{case.pk}/movements/")
    page.locator("td.act a").first.click()
    page.wait_for_selector("#id_place_name")
    assert page.input_value("#id_place_name") == PLACE
    flaws += someone.flaws()
    assert flaws == []


def test_a_shown_value_is_gone_after_leaving_and_coming_back(
    person: Callable[..., Person], world: World, case: Any
) -> None:
    someone = person(world.investigator)
    light(someone, case)
    assert factories.PHONE in someone.page.inner_text("#phone").replace("-", "").replace(" ", "")
    someone.page.click("nav a[href='/cases/'], #side a[href='/cases/']")
    someone.page.wait_for_url("**/cases/")
    someone.page.go_back()
    someone.page.wait_for_selector("#phone [data-show]")
    assert factories.PHONE not in someone.page.content()
    assert "100****4471" in someone.page.inner_text("#phone")


def test_two_windows_saving_the_same_field_are_told(
    person: Callable[..., Person], world: World, case: Any
) -> None:
    """The second to save sees what the first wrote, beside what was typed."""
    first, second = person(world.investigator), person(world.investigator)
    path = f"/cases/{case.pk}/edit/exposure/"
    for someone in (first, second):
        someone.go(path)
        # The page that asks why stands before it.
        someone.page.locator("input[name=purpose]").first.check()
        someone.page.click("main form button[type=submit]")
        someone.page.wait_for_selector("#id_origin")
    for someone, origin in ((first, 1), (second, 2)):
        someone.page.select_option("#id_origin", index=origin)
        someone.page.locator("main form button[type=submit].btn-primary").click()
        someone.page.wait_for_load_state()
    assert first.path == f"/cases/{case.pk}/"
    second.page.wait_for_selector("[data-error-summary]")
    assert "Another person changed this meanwhile" in second.text
    assert second.flaws() == []


def test_without_javascript_a_value_is_shown_all_the_same(
    person: Callable[..., Person], world: World, case: Any
) -> None:
    someone = person(world.investigator, java_script_enabled=False)
    page = someone.page
    someone.go(f"/cases/{case.pk}/")
    page.click("#phone button")
    page.click("#purpose button[type=submit]")
    assert factories.PHONE in page.inner_text("#phone").replace("-", "").replace(" ", "")
    assert "Logged" in page.inner_text("#status-line")
