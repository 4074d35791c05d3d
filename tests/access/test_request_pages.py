"""The pages of asking and answering: who reaches them, what they do, what they do not tell."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from access import actions
from access.actor import acting_as, acting_as_owner
from access.models import AccessRequest, CaseGrant
from access.permissions import CasePermission
from access.purposes import Purpose
from tests import factories
from tests.factories import as_person, grant

from .test_requests import REASON, approve, ask, city, held, second, sees, state  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def form(case_no: str) -> dict[str, Any]:
    return {
        "case_no": case_no,
        "purpose": "P3",
        "classes": ["reveal_health"],
        "days": 7,
        "reason": REASON,
    }


def newest(person: Any) -> AccessRequest:
    with transaction.atomic(), acting_as(person):
        found = AccessRequest.objects.filter(asker=person).order_by("-created_at").first()
    assert found is not None
    return found


def url(name: str, *arguments: Any) -> str:
    return reverse(f"access:{name}", args=arguments)


def test_asking_and_answering_by_the_pages(world: Any, signed_in: Any) -> None:
    asker, boss = signed_in(world.outsider), signed_in(world.supervisor)
    assert asker.post(url("ask"), form(world.case.case_no)).status_code == 302
    wish = newest(world.outsider)
    inbox = boss.get(url("requests")).content.decode()
    assert world.case.case_no in inbox
    assert world.outsider.display_name in inbox
    assert REASON in inbox
    page = boss.get(url("request", wish.pk)).content.decode()
    assert "reveal_identity" not in page, "only what was asked for is offered"
    answer = boss.post(url("approve", wish.pk), {"classes": ["reveal_health"], "days": 3})
    assert answer.status_code == 302
    assert held(world.outsider) == {"view_case", "reveal_health"}
    mine = asker.get(url("requests")).content.decode()
    assert "Approved" in mine
    assert world.supervisor.display_name in mine


def test_the_number_of_waiting_requests_stands_in_the_navigation(world: Any, signed_in: Any) -> None:
    boss = signed_in(world.supervisor)
    link = re.compile(r'href="/access/requests/"[^>]*>(.*?)</a>', re.DOTALL)
    assert "1" not in link.findall(boss.get("/access/").content.decode())[0]
    ask(world.outsider, world.case.case_no)
    assert "1" in link.findall(boss.get("/access/").content.decode())[0]
    other = signed_in(world.other_supervisor)
    assert "1" not in link.findall(other.get("/access/").content.decode())[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"case_no": ""},
        {"case_no": "王五的病例"},
        {"case_no": "13800001234"},
        {"reason": "short"},
        {"reason": "bell \x07 and more words"},
        {"reason": "call 138 0000 1234 about it"},
        {"days": 0},
        {"days": 91},
        {"purpose": "P11"},
        {"classes": ["everything"]},
        {"purpose": "P8", "classes": ["reveal_identity"]},
        {"purpose": "P8", "classes": ["reveal_reach"]},
    ],
)
def test_bad_input_asks_for_nothing(world: Any, signed_in: Any, wrong: dict[str, Any]) -> None:
    answer = signed_in(world.outsider).post(url("ask"), form(world.case.case_no) | wrong)
    assert answer.status_code == 422
    with transaction.atomic(), acting_as(world.outsider):
        assert not AccessRequest.objects.exists()


def test_the_twenty_first_open_request_is_refused_with_clear_words(world: Any, signed_in: Any) -> None:
    for number in range(20):
        ask(world.outsider, f"OB-9-{number:04d}")
    answer = signed_in(world.outsider).post(url("ask"), form("OB-9-9999"))
    assert answer.status_code == 422
    assert "20 requests waiting" in answer.content.decode()


def test_the_same_is_asked_for_once_at_a_time(world: Any, signed_in: Any) -> None:
    ask(world.outsider, world.case.case_no)
    assert signed_in(world.outsider).post(url("ask"), form(world.case.case_no)).status_code == 422


# --- what the asker learns -------------------------------------------------------------------------------------

UNLIKE = re.compile(
    r'name="csrfmiddlewaretoken" value="[^"]+"|x-csrftoken": "[^"]+"|nonce="[^"]+"|/access/requests/[0-9a-f-]{36}/'
    r'|id="trace-code">[^<]+<|<div id="watermark">.*?</div>\s*<footer|\d\d:\d\d(:\d\d)?|data-[a-z]+="\d+"',
    re.DOTALL,
)


def numbers(world: Any) -> dict[str, str]:
    """A case that can be had, one of another area, one granted already, and none at all: equally long."""
    elsewhere = factories.case(world.outsider, world.outbreak)
    granted = factories.case(world.investigator, world.outbreak)
    grant(granted, world.colleague, world.supervisor)
    stem = world.case.case_no.rsplit("-", 1)[0]
    return {
        "here": world.case.case_no,
        "elsewhere": elsewhere.case_no,
        "granted": granted.case_no,
        "nobody's": f"{stem}-9999",
    }


def outcome(browser: Any, person: Any, case_no: str, events: Any) -> dict[str, Any]:
    """All that the asker gets back, with what differs from call to call taken out, and the number itself."""
    with CaptureQueriesContext(connection) as queries:
        answer = browser.post(url("ask"), form(case_no))
    statements = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries.captured_queries]
    page = browser.get(url("requests")).content.decode()
    event = events("grant.request")[0]
    own = browser.get(reverse("audit:mine")).content.decode()
    wish = newest(person)
    with as_person(person):
        actions.withdraw(wish, by=person)
    clean = UNLIKE.sub("", page).replace(case_no, "NUMBER")
    facts = {
        key: event[key] for key in ("act", "outcome", "extra", "classes", "touches", "purpose", "counts")
    }
    return {
        "status": answer.status_code,
        "where": answer.headers["Location"],
        "page": clean,
        "event": {**facts, "object": event["object"]["type"], "label": event["object"]["label"]},
        "names_case": case_no in own,
        "statements": statements,
    }


def forget_requests() -> None:
    """So that the next page has one line again."""
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("alter table access_accessrequest disable trigger request_stays")
        cursor.execute("delete from access_accessrequest")
        cursor.execute("alter table access_accessrequest enable trigger request_stays")


def test_the_answer_is_the_same_whether_or_not_the_case_exists(
    world: Any, signed_in: Any, events: Any
) -> None:
    browser = signed_in(world.colleague)
    browser.post(url("ask"), form("OB-0-0000"))
    browser.get(url("requests"))
    with as_person(world.colleague):
        actions.withdraw(newest(world.colleague), by=world.colleague)
    forget_requests()
    found = {}
    for kind, case_no in numbers(world).items():
        found[kind] = outcome(browser, world.colleague, case_no, events)
        forget_requests()
    first = found["here"]
    assert first["status"] == 302
    assert len(first["statements"]) > 3
    for kind, one in found.items():
        for key, value in one.items():
            assert value == first[key], (kind, key)


def test_why_answers_alike_for_whatever_is_not_granted(world: Any, signed_in: Any, events: Any) -> None:
    browser = signed_in(world.outsider)
    mine = factories.case(world.investigator, world.outbreak)
    grant(mine, world.outsider, world.supervisor, CasePermission.REACH)
    expired = factories.case(world.investigator, world.outbreak)
    grant(expired, world.outsider, world.supervisor)
    with transaction.atomic(), acting_as_owner():
        CaseGrant.objects.filter(user=world.outsider, content_object=expired).update(
            starts_at=timezone.now() - timedelta(days=3), expires_at=timezone.now() - timedelta(seconds=1)
        )
    stem = world.case.case_no.rsplit("-", 1)[0]
    pages = set()
    for number in (world.case.case_no, expired.case_no, f"{stem}-9999"):
        answer = browser.post(url("why"), {"case_no": number})
        assert answer.status_code == 200
        assert events("grant.explain")[0]["object"]["pk"] == ""
        pages.add(UNLIKE.sub("", answer.content.decode()).replace(number, "NUMBER"))
    assert len(pages) == 1
    told = browser.post(url("why"), {"case_no": mine.case_no}).content.decode()
    assert world.supervisor.display_name in told
    assert "Closed to you" in told
    assert "Health: symptoms, course" in told
    assert browser.get(url("why"), {"case": str(world.case.pk)}).status_code == 200
    assert world.case.case_no not in browser.get(url("why"), {"case": str(world.case.pk)}).content.decode()
    assert mine.case_no in browser.get(url("why"), {"case": str(mine.pk)}).content.decode()


def test_why_tells_a_supervisor_whether_it_lies_in_the_area(world: Any, signed_in: Any) -> None:
    inside = signed_in(world.supervisor).post(url("why"), {"case_no": world.case.case_no}).content.decode()
    outside = (
        signed_in(world.other_supervisor).post(url("why"), {"case_no": world.case.case_no}).content.decode()
    )
    assert "lies in your area" in inside
    assert "No case of your area" in outside


def test_the_refusal_of_a_page_leads_to_why(world: Any, signed_in: Any) -> None:
    answer = signed_in(world.outsider).get(f"/cases/{world.case.pk}/")
    assert answer.status_code == 404
    assert url("why") in answer.content.decode()


def test_a_closed_value_leads_to_why(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    page = signed_in(world.outsider).get(f"/cases/{world.case.pk}/").content.decode()
    assert f"{url('why')}?case={world.case.pk}" in page


# --- forged forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forged",
    [
        {"classes": ["reveal_health", "reveal_identity"], "days": 7},
        {"classes": ["reveal_health"], "days": 8},
        {"classes": ["reveal_health"], "days": 90},
        {"classes": ["reveal_health"], "days": -1},
        {"classes": ["reveal_health"]},
    ],
)
def test_forged_fields_widen_nothing(world: Any, signed_in: Any, forged: dict[str, Any]) -> None:
    wish = ask(world.outsider, world.case.case_no, CasePermission.HEALTH)
    assert signed_in(world.supervisor).post(url("approve", wish.pk), forged).status_code == 422
    assert not sees(world.outsider, world.case)


def test_mass_assignment_changes_nothing_else(world: Any, signed_in: Any) -> None:
    given = form(world.case.case_no) | {
        "asker": str(world.investigator.pk),
        "person": str(world.investigator.pk),
        "status": "approved",
        "first_approver": str(world.supervisor.pk),
        "decided_by": str(world.supervisor.pk),
        "given_days": 90,
        "case": str(world.case.pk),
        "kind": "extension",
    }
    assert signed_in(world.outsider).post(url("ask"), given).status_code == 302
    wish = newest(world.outsider)
    assert (wish.person_id, wish.status, wish.kind) == (world.outsider.pk, "open", "ask")
    assert (wish.decided_by_id, wish.given_days) == (None, None)
    answer = signed_in(world.supervisor).post(
        url("approve", wish.pk),
        {
            "classes": ["reveal_health"],
            "more": ["change_case"],
            "days": 2,
            "person": str(world.colleague.pk),
            "to": str(world.colleague.pk),
        },
    )
    assert answer.status_code == 302
    assert held(world.outsider) == {"view_case", "reveal_health"}
    assert not sees(world.colleague, world.case)


def test_other_people_of_the_house(world: Any, signed_in: Any) -> None:
    wish = ask(world.outsider, world.case.case_no)
    far, own, strange = signed_in(world.other_supervisor), signed_in(world.outsider), signed_in(world.auditor)
    for name in ("approve", "refuse"):
        assert far.post(url(name, wish.pk), {"as_asked": "1", "refusal": "too_wide"}).status_code == 404
        assert own.post(url(name, wish.pk), {"as_asked": "1", "refusal": "too_wide"}).status_code == 403
        assert strange.post(url(name, wish.pk)).status_code == 403
    assert far.get(url("request", wish.pk)).status_code == 404
    assert own.get(url("request", wish.pk)).status_code == 403
    assert signed_in(world.colleague).post(url("withdraw", wish.pk)).status_code == 404
    assert signed_in(world.supervisor).post(url("withdraw", wish.pk)).status_code == 404
    for name in ("ask", "requests", "why"):
        assert strange.get(url(name)).status_code == 403
    assert signed_in(world.supervisor).post(url("ask"), form(world.case.case_no)).status_code == 403
    assert state(wish, world.outsider) == "open"


# --- answers ---------------------------------------------------------------------------------------------------


def test_declining_names_a_reason_from_the_list(world: Any, signed_in: Any, events: Any) -> None:
    wish = ask(world.outsider, world.case.case_no)
    boss = signed_in(world.supervisor)
    assert boss.post(url("refuse", wish.pk), {"refusal": "because"}).status_code == 422
    assert boss.post(url("refuse", wish.pk), {"refusal": "too_wide"}).status_code == 302
    assert state(wish, world.outsider) == "refused"
    [event] = events("grant.reject")
    assert event["reason"] == "too_wide"
    assert "Too much: ask for less" in signed_in(world.outsider).get(url("requests")).content.decode()
    assert boss.post(url("approve", wish.pk), {"as_asked": "1"}).status_code == 409
    assert not sees(world.outsider, world.case)


def test_withdrawing_ends_it(world: Any, signed_in: Any, events: Any) -> None:
    wish = ask(world.outsider, world.case.case_no)
    assert signed_in(world.outsider).post(url("withdraw", wish.pk)).status_code == 302
    assert state(wish, world.outsider) == "withdrawn"
    assert events("grant.withdraw")[0]["object"]["pk"] == str(wish.pk)
    late = signed_in(world.supervisor).post(url("approve", wish.pk), {"as_asked": "1"})
    assert late.status_code == 409
    assert "answered already" in late.content.decode()


def test_two_supervisors_by_the_pages(world: Any, signed_in: Any, city: Any) -> None:  # noqa: F811
    wish = ask(world.outsider, world.case.case_no, CasePermission.HEALTH, days=60)
    boss, head = signed_in(world.supervisor), signed_in(city)
    boss.post(url("approve", wish.pk), {"classes": ["reveal_health"], "days": 45})
    assert not sees(world.outsider, world.case)
    assert boss.post(url("approve", wish.pk), {"as_asked": "1"}).status_code == 422
    mine = signed_in(world.outsider).get(url("requests")).content.decode()
    assert "Waiting for an answer" in mine
    assert world.supervisor.display_name not in mine
    page = head.get(url("request", wish.pk)).content.decode()
    assert world.supervisor.display_name in page
    # What the second one's form says besides is not read.
    assert head.post(url("approve", wish.pk), {"classes": ["reveal_identity"], "days": 60}).status_code == 302
    assert held(world.outsider) == {"view_case", "reveal_health"}
    who = boss.get(url("case", world.case.pk)).content.decode()
    assert f"confirmed by {city.display_name}" in who


def test_a_long_grant_by_the_dialog_becomes_a_proposal(world: Any, signed_in: Any, second: Any) -> None:  # noqa: F811
    given = {
        "to": world.colleague.pk,
        "purpose": "P3",
        "classes": ["reveal_health"],
        "lasts": "date",
        "until_date": (timezone.localdate() + timedelta(days=50)).isoformat(),
    }
    boss = signed_in(world.supervisor)
    assert boss.post(url("case", world.case.pk), given).status_code == 422, "a second person has to know why"
    assert boss.post(url("case", world.case.pk), {**given, "reason": REASON}).status_code == 302
    assert not sees(world.colleague, world.case)
    wish = newest(world.supervisor)
    assert boss.post(url("approve", wish.pk), {"as_asked": "1"}).status_code == 422
    assert signed_in(second).post(url("approve", wish.pk), {}).status_code == 302
    assert sees(world.colleague, world.case)


def test_a_usual_grant_still_takes_two_clicks(world: Any, signed_in: Any) -> None:
    boss, address = signed_in(world.supervisor), url("case", world.case.pk)
    assert "chosen" in boss.get(address, {"preset": "tracing"}).content.decode()
    given = {"to": world.colleague.pk, "purpose": "P4", "classes": ["reveal_reach"], "lasts": "3"}
    assert boss.post(address, given).status_code == 302
    assert sees(world.colleague, world.case)


# --- longer ----------------------------------------------------------------------------------------------------


def test_access_that_ends_soon_is_marked_and_asked_for_longer(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.HEALTH, days=2)
    browser, boss = signed_in(world.outsider), signed_in(world.supervisor)
    page = browser.get(url("grants")).content.decode()
    assert "1 grant ends within 3 days" in page
    [address] = re.findall(r"/access/extend/[0-9a-f-]{36}/", page)
    given = {"purpose": "P2", "classes": ["reveal_health"], "days": 10, "reason": REASON}
    assert browser.post(address, {**given, "classes": ["reveal_identity"]}).status_code == 422
    assert browser.post(address, given).status_code == 302
    assert "asked for longer" in browser.get(url("grants")).content.decode()
    wish = newest(world.outsider)
    assert "Extend 10 days" in boss.get(url("requests")).content.decode()
    assert boss.post(url("approve", wish.pk), {"as_asked": "1"}).status_code == 302
    with transaction.atomic(), acting_as(world.outsider):
        ends = set(CaseGrant.objects.values_list("expires_at", flat=True))
    assert len(ends) == 1
    assert ends.pop() > timezone.now() + timedelta(days=9)


def test_nobody_extends_another_persons_access(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.HEALTH, days=2)
    with transaction.atomic(), acting_as(world.outsider):
        row = CaseGrant.objects.first()
    assert row is not None
    assert signed_in(world.colleague).get(url("extend", row.pk)).status_code == 404


def test_an_approval_never_shortens(world: Any) -> None:
    grant(
        world.case, world.outsider, world.supervisor, CasePermission.HEALTH, days=20, purpose=Purpose.SOURCE
    )
    wish = ask(world.outsider, world.case.case_no, CasePermission.HEALTH, CasePermission.REACH, days=3)
    approve(wish, world.supervisor)
    with transaction.atomic(), acting_as(world.outsider):
        ends = dict(CaseGrant.objects.values_list("permission__codename", "expires_at"))
    assert ends["reveal_health"] > timezone.now() + timedelta(days=19)
    assert ends["reveal_reach"] < timezone.now() + timedelta(days=4)


def test_the_nightly_task_ends_what_nobody_answered(world: Any, events: Any) -> None:
    from django.conf import settings

    from access.tasks import expire_requests

    old, young = ask(world.outsider, world.case.case_no), ask(world.outsider, "OB-9-0001")
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("alter table access_accessrequest disable trigger user")
        cursor.execute(
            "update access_accessrequest set created_at = now() - interval '8 days' where id = %s", [old.pk]
        )
        cursor.execute("alter table access_accessrequest enable trigger user")
    assert expire_requests() == 1
    assert state(old, world.outsider) == "expired"
    assert state(young, world.outsider) == "open"
    assert events("grant.lapse")[0]["object"]["pk"] == str(old.pk)
    assert expire_requests() == 0
    assert "access.tasks.expire_requests" in {one["task"] for one in settings.CELERY_BEAT_SCHEDULE.values()}
