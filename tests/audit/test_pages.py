"""The auditor's pages: who may see them, what they say, and that reading them is recorded."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from audit import trail
from audit.acts import Act
from tests import factories

pytestmark = [pytest.mark.database, pytest.mark.django_db]
SignIn = Callable[[Any], Any]

PAGES = ("audit:log", "audit:integrity")


@pytest.fixture
def browser(auditor: Any, signed_in: SignIn) -> Any:
    return signed_in(auditor)


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("name", PAGES)
def test_the_auditor_reads_and_it_is_recorded(browser: Any, events: Any, name: str) -> None:
    text(browser.get(reverse(name)))
    assert events(Act.AUDIT_VIEW)[0]["actor"]["role"] == "auditor"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", ["investigator", "supervisor", "privacy", "secadmin", "sysadmin", "partner"])
def test_other_roles_are_refused(world: Any, signed_in: SignIn, events: Any, name: str, role: str) -> None:
    assert signed_in(world.people[role]).get(reverse(name)).status_code == 403
    assert events(Act.ACCESS_REFUSED)[0]["actor"]["role"] == role


def test_the_log_tells_the_case_and_no_person(browser: Any, world: Any) -> None:
    page = text(browser.get(reverse("audit:log"), {"case": world.case.case_no}))
    assert world.case.case_no in page
    assert factories.NAME not in page
    assert world.investigator.display_name in page


def test_filters_narrow(browser: Any, world: Any) -> None:
    given = {"user": str(world.investigator.pk), "act": "signing", "days": "7"}
    page = text(browser.get(reverse("audit:log"), given))
    assert "No event passes" in page or "没有" in page


def test_a_bad_trace_code_is_a_mistake_with_words(browser: Any) -> None:
    page = text(browser.get(reverse("audit:log"), {"code": "not a code"}))
    assert "id_code" in page


def test_a_trace_code_finds_its_page_view_even_damaged(browser: Any, world: Any, events: Any) -> None:
    browser.get(reverse("audit:integrity"))
    code = events(Act.AUDIT_VIEW)[0]["trace"]
    assert code
    page = text(browser.get(reverse("audit:log"), {"code": "??" + code[2:]}))
    assert code in page


def test_a_case_has_its_timeline(browser: Any, world: Any) -> None:
    page = text(browser.get(reverse("audit:case", args=[world.case.pk])))
    assert world.case.case_no in page
    assert browser.get(reverse("audit:case", args=[uuid.uuid4()])).status_code == 404


def test_a_timeline_keeps_the_cases_number_when_its_newest_page_does_not_name_it(
    browser: Any, world: Any, signed_in: SignIn
) -> None:
    outsider = signed_in(world.outsider)
    for _ in range(55):
        assert outsider.get(reverse("cases:detail", args=[world.case.pk])).status_code == 404
    page = text(browser.get(reverse("audit:case", args=[world.case.pk])))
    assert f"<small>{world.case.case_no}</small>" in page


def test_a_user_has_a_list(browser: Any, world: Any) -> None:
    page = text(browser.get(reverse("audit:person", args=[world.investigator.pk])))
    assert world.investigator.display_name in page
    assert browser.get(reverse("audit:person", args=[uuid.uuid4()])).status_code == 404


def test_an_event_shows_its_facts(browser: Any, events: Any, world: Any) -> None:
    event = events(Act.CASE_CREATE)[0]
    page = text(browser.get(reverse("audit:event", args=[event["id"]])))
    assert world.case.case_no in page
    assert browser.get(reverse("audit:event", args=[uuid.uuid4()])).status_code == 404
    assert browser.get(reverse("audit:proof", args=[event["id"]])).status_code == 404


def test_the_log_is_paged_by_key(browser: Any, world: Any, events: Any) -> None:
    with factories.as_owner():
        for _ in range(120):
            trail.record(Act.DEMO_SEED)
    page = text(browser.get(reverse("audit:log"), {"act": "demo.seed"}))
    assert page.count('id="event-') == 50
    older = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = text(browser.get(reverse("audit:log") + older))
    assert second.count('id="event-') == 50
    newer = second.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
    assert text(browser.get(reverse("audit:log") + newer)).count('id="event-') == 50
    assert browser.get(reverse("audit:log"), {"before": "nonsense"}).status_code == 404


@pytest.mark.parametrize("role", ["investigator", "supervisor", "auditor", "privacy", "secadmin", "sysadmin"])
def test_everyone_reads_their_own_log_and_only_that(
    world: Any, signed_in: SignIn, events: Any, role: str
) -> None:
    person = world.people[role]
    page = text(signed_in(person).get(reverse("audit:mine")))
    others = [one.display_name for one in world.people.values() if one != person]
    assert not any(f"<b>{name}</b>" in page for name in others)
    assert events(Act.OWN_LOG_VIEW)[0]["actor"]["role"] == role


def test_verifying_is_recorded(browser: Any, events: Any) -> None:
    answer = browser.post(reverse("audit:verify"))
    assert answer.status_code == 200
    assert events(Act.AUDIT_VERIFY)[0]["counts"]["events"] == 0


def test_only_the_auditor_verifies(world: Any, signed_in: SignIn) -> None:
    assert signed_in(world.supervisor).post(reverse("audit:verify")).status_code == 403


def test_the_api_pages_by_cursor(browser: Any, world: Any) -> None:
    with factories.as_owner():
        for _ in range(60):
            trail.record(Act.DEMO_SEED)
    first = browser.get("/api/v1/audit/events", {"act": "demo.seed"})
    assert first.status_code == 200
    assert len(first.json()["results"]) == 50
    second = browser.get(first.json()["next"])
    assert len(second.json()["results"]) == 10
    assert second.json()["next"] is None
    assert browser.get("/api/v1/audit/events", {"cursor": "x"}).status_code == 400


def test_the_api_is_the_auditors(world: Any, signed_in: SignIn) -> None:
    assert signed_in(world.supervisor).get("/api/v1/audit/events").status_code == 403
