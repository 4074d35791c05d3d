"""The auditor sees each act within seconds, follows a case and a person, verifies, and meets nobody's data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests import factories
from tests.browser.person import Person
from tests.browser.product import Product
from tests.browser.test_supervisor import give_access, take_access
from tests.cast import World

PLANTED = (factories.NAME, factories.PHONE, factories.ID_NUMBER, "欧阳", "****4471", "示例集市")
SECONDS = 8.0


@pytest.fixture
def case(site: Product, world: World) -> Any:
    with site.inside():
        made = factories.case(world.investigator, world.outbreak)
        factories.visit(made, world.investigator)
        return made


def show_phone(person: Person, case: Any) -> None:
    person.go(f"/cases/{case.pk}/")
    person.page.click("#phone [data-show]")
    person.page.wait_for_selector("#purpose:modal")
    person.page.keyboard.press("2")
    person.page.keyboard.press("Enter")
    person.page.wait_for_selector("#phone .lit")


def wait_for(auditor: Person, path: str, *sentences: str) -> None:
    """Look again until all sentences stand there; a few seconds at most."""
    deadline = time.monotonic() + SECONDS
    while True:
        auditor.go(path)
        missing = [words for words in sentences if words not in auditor.page.inner_text("main")]
        nothing_of_anyone(auditor)
        if not missing:
            return
        assert time.monotonic() < deadline, f"{path} does not say {missing}"
        time.sleep(0.3)


def nothing_of_anyone(auditor: Person) -> None:
    source = auditor.page.content()
    assert [value for value in PLANTED if value in source] == []


def test_each_act_is_told_within_seconds(person: Callable[..., Person], world: World, case: Any) -> None:
    investigator, supervisor, auditor = map(person, (world.investigator, world.supervisor, world.auditor))
    show_phone(investigator, case)
    give_access(supervisor, case, world.outsider)
    take_access(supervisor, case, world.outsider)
    by, over, to = (one.display_name for one in (world.investigator, world.supervisor, world.outsider))
    number = case.case_no
    sentences = (
        f"{by} opened the new case {number}",
        f"{by} added movements to {number}",
        f"{by} opened {number}",
        f"{by} showed the Phone of {number}",
        f"{over} gave {to} access to {number}",
        f"{over} revoked {to}'s access to {number}",
    )
    wait_for(auditor, f"/audit/case/{case.pk}/", *sentences)
    wait_for(auditor, f"/audit/person/{world.investigator.pk}/", sentences[3])
    wait_for(auditor, f"/audit/?case={number}", sentences[3], sentences[4])
    wait_for(auditor, f"/audit/case/{case.pk}/", "sealed")


def test_refusals_are_told_too(person: Callable[..., Person], world: World, case: Any) -> None:
    outsider, auditor = person(world.outsider), person(world.auditor)
    assert outsider.go(f"/cases/{case.pk}/") == 404
    wait_for(auditor, f"/audit/person/{world.outsider.pk}/", f"{world.outsider.display_name} was refused")


def test_verifying_finds_the_log_whole(person: Callable[..., Person], world: World) -> None:
    auditor = person(world.auditor)
    auditor.go("/audit/integrity/")
    auditor.page.click("form[action$='/verify/'] button")
    auditor.page.wait_for_selector("#report")
    assert "Log is whole" in auditor.page.inner_text("#report")
    nothing_of_anyone(auditor)


def test_an_auditor_opens_no_case(person: Callable[..., Person], world: World, case: Any) -> None:
    auditor = person(world.auditor)
    for path in (f"/cases/{case.pk}/", "/cases/", "/contacts/", "/disclosure/", "/outbreaks/"):
        assert auditor.go(path) in (403, 404)
        nothing_of_anyone(auditor)
