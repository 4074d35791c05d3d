"""A supervisor gives access to a colleague elsewhere, and takes it back: both act on the colleague's next click."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import factories
from tests.browser.person import Person
from tests.browser.product import Product
from tests.cast import World


@pytest.fixture
def case(site: Product, world: World) -> Any:
    with site.inside():
        return factories.case(world.colleague, world.outbreak)


def give_access(supervisor: Person, case: Any, to: Any) -> None:
    """Contact details only, for two days, to look for contacts."""
    page = supervisor.page
    supervisor.go(f"/access/cases/{case.pk}/")
    page.select_option("#id_to", str(to.pk))
    page.select_option("#id_purpose", "P3")
    page.check("input[name=classes][value=reveal_reach]")
    page.check("input[name=lasts][value=date]")
    page.fill("#id_until_date", f"{timezone.localdate() + timedelta(days=2):%Y-%m-%d}")
    page.locator("form[data-save] button[type=submit]").click()
    page.wait_for_selector("table.data")
    assert to.display_name in page.inner_text("table.data")


def take_access(supervisor: Person, case: Any, to: Any) -> None:
    supervisor.go(f"/access/cases/{case.pk}/")
    supervisor.page.locator(f"form[action$='/revoke/{to.pk}/'] button").first.click()
    supervisor.page.wait_for_url("**/access/revocations/**")
    assert to.display_name in supervisor.page.inner_text("main table")


def test_access_begins_and_ends_with_the_next_click(
    person: Callable[..., Person], world: World, case: Any
) -> None:
    supervisor, outsider = person(world.supervisor), person(world.outsider)
    assert outsider.go(f"/cases/{case.pk}/") == 404
    give_access(supervisor, case, world.outsider)
    assert outsider.go(f"/cases/{case.pk}/") == 200
    assert "100****4471" in outsider.page.inner_text("#phone")
    assert "欧阳" not in outsider.text
    assert outsider.page.locator("#full_name [data-show]").count() == 0
    take_access(supervisor, case, world.outsider)
    assert outsider.go(f"/cases/{case.pk}/") == 404
    assert case.case_no not in outsider.text


def test_a_supervisor_sees_the_area_masked_and_no_other(
    person: Callable[..., Person], site: Product, world: World, case: Any
) -> None:
    with site.inside():
        elsewhere = factories.case(world.outsider, world.outbreak, full_name="上官别处")
    supervisor = person(world.supervisor)
    supervisor.go(f"/cases/?outbreak={world.outbreak.code}")
    assert case.case_no in supervisor.text
    assert elsewhere.case_no not in supervisor.text
    assert factories.NAME not in supervisor.page.content()
    supervisor.page.click(f"text={case.case_no}")
    assert "100****4471" in supervisor.text
    assert factories.PHONE not in supervisor.page.content()
    assert supervisor.go(f"/cases/{elsewhere.pk}/") == 404


def test_work_is_handed_over_in_two_clicks(
    site: Product, person: Callable[..., Person], world: World
) -> None:
    with site.inside():
        with factories.as_owner():
            leaver = factories.user("leaver", "investigator", world.district)
        case = factories.case(leaver, world.outbreak)
    supervisor, colleague = person(world.supervisor), person(world.colleague)
    assert colleague.go(f"/cases/{case.pk}/") == 404
    page = supervisor.page
    supervisor.go("/access/holders/")
    page.locator(f"a[href='/access/holders/people/{leaver.pk}/hand-over/']").click()
    page.select_option("#id_to", str(world.colleague.pk))
    page.locator("main form button.btn-primary").click()
    page.wait_for_selector("#preview")
    assert case.case_no in page.inner_text("#preview")
    assert supervisor.flaws() == []
    page.locator("button[name=expected]").click()
    page.wait_for_url("**/access/holders/")
    assert f"1 case is handed over to {world.colleague.display_name}." in supervisor.text
    assert colleague.go(f"/cases/{case.pk}/") == 200
