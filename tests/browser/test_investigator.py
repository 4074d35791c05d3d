"""The investigator's day: opens a case by keyboard, adds to it, comes back, corrects, and shows a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import factories
from tests.browser.person import Person
from tests.browser.product import Product
from tests.cast import World

NAME, PHONE, PLACE, TOWN = "司徒种子", "10000005566", "种植示例茶馆", "种植示例街道"


def tab_to(page: Any, element_id: str) -> None:
    """Press Tab until the focus is there, as somebody without a mouse has to."""
    for _ in range(40):
        if page.evaluate("document.activeElement.id") == element_id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {element_id}")


def choose(page: Any, value: str) -> None:
    """Walk a closed list with the arrow keys to the value."""
    steps = page.evaluate(
        "value => { const list = document.activeElement;"
        " return [...list.options].findIndex(one => one.value === value) - list.selectedIndex }",
        value,
    )
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
    assert page.evaluate("document.activeElement.value") == value


def fill_in(page: Any, answers: dict[str, str], lists: dict[str, str]) -> None:
    """The form from its first to its last field; dates are typed as this browser's language writes them."""
    order = page.eval_on_selector_all(
        "main form .field :is(input, select), main form input:not([type=hidden]), main form select",
        "all => [...new Set(all.map(one => one.id))]",
    )
    for element_id in order:
        name = element_id.removeprefix("id_")
        if name in answers:
            tab_to(page, element_id)
            page.keyboard.type(answers[name])
        elif name in lists:
            tab_to(page, element_id)
            choose(page, lists[name])


def open_case(person: Person, outbreak: Any) -> str:
    """Open a case with the keyboard alone; gives the address of its page."""
    page = person.page
    person.go("/cases/open/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    onset = timezone.localdate() - timedelta(days=3)
    fill_in(
        page,
        {"full_name": NAME, "age_value": "41", "phone": PHONE, "town": TOWN, "onset_date": f"{onset:%m%d%Y}"},
        {
            "sex": "2",
            "occupation_group": "14",
            "is_health_worker": "N",
            "interviewee_relation": "self",
            "classification": "confirmed",
            "outbreak": outbreak.code,
            "notice_given": "full",
        },
    )
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}/$"))
    return person.path


def add_visit(person: Person, case: str) -> None:
    page = person.page
    person.go(case)
    page.click("#movements a")
    day = timezone.localdate() - timedelta(days=2)
    page.fill("#id_day", f"{day:%Y-%m-%d}")
    page.fill("#id_start", "830")
    page.fill("#id_end", "0945")
    page.fill("#id_place_name", PLACE)
    page.locator("form[action$='/movements/add/'] button[type=submit]").click()
    page.wait_for_selector("text=The row was added.")
    assert PLACE not in person.text


def add_contact(person: Person, case: str) -> None:
    page = person.page
    person.go(case)
    page.click("#contacts .btn")
    page.fill("#id_full_name", "皇甫示例")
    page.fill("#id_phone", "10000005577")
    page.select_option("#id_relation", "friend")
    page.locator("input[name=mode]").first.check()
    page.fill("#id_last_contact_date", f"{timezone.localdate() - timedelta(days=1):%Y-%m-%d}")
    page.locator("button[form=add].btn-primary").click()
    page.wait_for_url(re.compile(r"/contacts/(?!case/.*/add)"))
    assert "10000005577" not in person.text


def test_a_case_from_its_opening_to_a_shown_value(
    person: Callable[..., Person], site: Product, world: World
) -> None:
    someone = person(world.investigator, locale="en-US")
    page = someone.page
    case = open_case(someone, world.outbreak)
    number = page.inner_text("h1").split()[0]
    assert "司徒**" in someone.text
    assert NAME not in page.content()
    add_visit(someone, case)
    add_contact(someone, case)

    someone.go("/")
    page.keyboard.press("/")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(case))
    assert "100****5566" in page.inner_text("#phone")
    assert PHONE not in page.content()

    show_phone(someone)
    correct_town(someone, case)
    assert someone.go(case) == 200
    assert PHONE not in page.content()

    with site.inside():
        other = factories.case(world.outsider, world.outbreak)
    assert someone.go(f"/cases/{other.pk}/") == 404
    assert other.case_no not in someone.text


def show_phone(person: Person) -> None:
    """The dialog asks why; then the value is lit, counts down, and goes at H."""
    page = person.page
    page.focus("#phone [data-show]")
    page.keyboard.press("s")
    page.wait_for_selector("#purpose:modal")
    assert PHONE not in page.content()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.wait_for_selector("#phone .lit")
    assert page.inner_text("#phone .lit").replace("-", "").replace(" ", "") == PHONE
    assert re.fullmatch(r"hides in \d+ s", page.inner_text("#phone .lit-left"))
    assert page.get_attribute("#phone .lit-left", "data-lit") == "60"
    assert "Logged" in page.inner_text("#status-line")
    assert page.inner_text("#trace-code")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("h")
    assert "100****5566" in page.inner_text("#phone")
    assert PHONE not in page.content()


def correct_town(person: Person, case: str) -> None:
    """The purpose is known by now, so the section opens at once."""
    page = person.page
    person.go(case)
    page.click("a[href$='/edit/reach/']")
    assert page.input_value("#id_town") == TOWN
    assert page.locator(".card-lit").count() == 1
    page.fill("#id_town", "更正示例街道")
    page.locator("main form button[type=submit].btn-primary").click()
    page.wait_for_url(re.compile(f"{case}$"))
    assert "Saved" in person.text
    assert "更正示例街道" not in page.content()


def _type_day(page: Any, element_id: str, keys: str) -> None:
    page.focus(f"#{element_id}")
    page.keyboard.type(keys)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_impossible_day_is_told_and_stays(
    person: Callable[..., Person], site: Product, world: World, language: str
) -> None:
    someone = person(world.investigator, locale="en-US")
    page = someone.page
    someone.speak(language)
    someone.go("/cases/open/")
    page.fill("#id_town", TOWN)
    _type_day(page, "id_onset_date", "11152026")
    _type_day(page, "id_first_positive_date", "11312026")
    page.locator("main form button[type=submit].btn-primary").click()
    beside = page.locator(".field:has(#id_first_positive_date) .errors")
    says = {"en": "This is no date of the calendar. Enter year, month and day.", "zh-hans": "不是有效日期。"}
    assert beside.inner_text().strip().startswith(says[language])
    assert page.evaluate("document.activeElement.id") == "id_first_positive_date"
    assert page.get_attribute("#id_first_positive_date", "aria-invalid") == "true"
    assert page.evaluate("document.getElementById('id_first_positive_date').validity.badInput")
    assert page.input_value("#id_onset_date") == "2026-11-15"
    assert page.input_value("#id_town") == TOWN
    assert page.locator("main button[type=submit].btn-primary").is_enabled()
    assert someone.flaws() == []
    page.keyboard.press("Control+Enter")
    assert beside.count() == 1
    page.fill("#id_first_positive_date", "2026-11-16")
    assert beside.count() == 0
    assert page.get_attribute("#id_first_positive_date", "aria-invalid") is None
    page.locator("main form button[type=submit].btn-primary").click()
    page.wait_for_selector("[data-error-summary]")


def test_an_impossible_day_is_not_sent_without_script(person: Callable[..., Person], world: World) -> None:
    someone = person(world.investigator, locale="en-US", java_script_enabled=False)
    page = someone.page
    someone.go("/cases/open/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    answers = {"full_name": NAME, "age_value": "41", "phone": PHONE, "town": TOWN}
    for name, words in answers.items():
        page.fill(f"#id_{name}", words)
    chosen = {"sex": "2", "occupation_group": "14", "is_health_worker": "N", "interviewee_relation": "self"}
    chosen |= {"classification": "confirmed", "outbreak": world.outbreak.code, "notice_given": "full"}
    for name, code in chosen.items():
        page.select_option(f"#id_{name}", code)
    _type_day(page, "id_onset_date", "11152026")
    _type_day(page, "id_first_positive_date", "11312026")
    page.locator("main form button[type=submit].btn-primary").click()
    page.wait_for_timeout(1000)
    assert not [one for one in sent if one.startswith("POST")]
    assert someone.path == "/cases/open/"
    page.fill("#id_first_positive_date", "2026-11-16")
    page.locator("main form button[type=submit].btn-primary").click()
    page.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}/$"))


def test_an_impossible_last_day_of_access_is_told(person: Callable[..., Person], world: World) -> None:
    """A form that the browser checks itself gets the same words."""
    someone = person(world.supervisor, locale="en-US")
    page = someone.page
    someone.go(f"/access/cases/{world.case.pk}/")
    _type_day(page, "id_until_date", "11312026")
    page.locator("form[data-save] button[type=submit]").click()
    beside = page.locator(".field:has(#id_until_date) .errors")
    assert "This is no date of the calendar." in beside.inner_text()
    assert page.evaluate("document.activeElement.id") == "id_until_date"


def test_mistakes_keep_what_was_typed_and_take_the_focus(person: Callable[..., Person], world: World) -> None:
    someone = person(world.investigator)
    page = someone.page
    someone.go("/cases/open/")
    page.fill("#id_full_name", NAME)
    page.fill("#id_phone", "12")
    page.locator("main form button[type=submit].btn-primary").click()
    page.wait_for_selector("[data-error-summary]")
    assert page.evaluate("document.activeElement.matches('[data-error-summary]')")
    assert page.input_value("#id_full_name") == NAME
    assert page.get_attribute("#id_phone", "aria-invalid") == "true"
    assert someone.flaws() == []
