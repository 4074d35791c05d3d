"""A visitor, and signing in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.person import Person
from tests.cast import World


def test_a_visitor_meets_the_sign_in_page_only(person: Callable[..., Person], world: World) -> None:
    visitor = person()
    for path in ("/", f"/cases/{world.case.pk}/", "/audit/", "/disclosure/", "/contacts/"):
        visitor.go(path)
        assert visitor.path == "/access/sign-in/"
    assert visitor.flaws() == []


def test_a_wrong_password_is_said_and_the_name_is_kept(person: Callable[..., Person], world: World) -> None:
    visitor = person()
    visitor.go("/access/sign-in/")
    visitor.page.fill("#id_username", world.investigator.username)
    visitor.page.fill("#id_password", "not the password")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_selector("[data-error-summary]")
    assert visitor.page.input_value("#id_username") == world.investigator.username
    assert visitor.page.input_value("#id_password") == ""
    assert visitor.flaws() == []


HOMES = {
    "privacy": "/dictionary/",
    "secadmin": "/access/accounts/",
    "sysadmin": "/audit/mine/",
    "partner": "/audit/mine/",
}


@pytest.mark.parametrize("role", HOMES)
def test_who_works_on_no_case_sees_none(person: Callable[..., Person], world: World, role: str) -> None:
    someone = person()
    someone.sign_in(world.people[role])
    assert someone.path == HOMES[role]
    for path in (f"/cases/{world.case.pk}/", "/cases/", "/audit/", "/contacts/", "/disclosure/"):
        assert someone.go(path) in (403, 404)
        assert world.case.case_no not in someone.text
    assert someone.go("/audit/mine/") == 200
    assert "signed in" in someone.text


def test_after_signing_out_the_back_button_shows_nothing(person: Callable[..., Person], world: World) -> None:
    someone = person(world.investigator)
    someone.go(f"/cases/{world.case.pk}/")
    someone.page.click("details.menu summary")
    with someone.page.expect_navigation():
        someone.page.click("details.menu form[action*='sign-out'] button")
    someone.page.go_back()
    assert someone.path == "/access/sign-in/"
    assert world.case.case_no not in someone.text
