"""Movements: masked until shown, shown as one act, added, corrected and taken back."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from access.visibility import CasePermission
from cases import actions
from cases.models import Visit
from tests import factories
from tests.cases import pages
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def url(world: World, name: str = "movements", *more: Any) -> str:
    return reverse(f"cases:{name}", args=[world.case.pk, *more])


def row(**words: str) -> dict[str, str]:
    yesterday = timezone.localdate() - timedelta(days=1)
    return {
        "day": str(yesterday),
        "start": "830",
        "end": "10:00",
        "place_name": "示例药店",
        "place_kind": "pharmacy",
        "transport": "walk",
        "time_precision": "minute",
        "info_source": "self",
        **words,
    }


def visits(world: World) -> list[Visit]:
    with factories.as_person(world.investigator):
        return list(Visit.objects.filter(case=world.case).standing())


@pytest.fixture
def client(world: World, signed_in: Any) -> Any:
    browser = signed_in(world.investigator)
    pages.state_purpose(browser, world.case)
    return browser


def test_a_row_is_added(world: World, client: Any, events: Any) -> None:
    assert client.post(url(world, "add_visit"), row()).status_code == 302
    added = visits(world)
    assert len(added) == 1
    event = events("visit.add")[0]
    assert "place_name" in event["fields"]
    assert "药店" not in str(event)
    page = client.get(url(world)).content.decode()
    assert "药店" not in page
    assert "******" in page


def test_a_cell_without_a_value_says_so(world: World, client: Any) -> None:
    factories.visit(world.case, world.investigator, note=None)
    assert '<td class="wide">—</td>' in client.get(url(world)).content.decode()


def test_showing_is_one_act_that_names_every_row(world: World, client: Any, events: Any) -> None:
    first = factories.visit(world.case, world.investigator, place_name="甲地")
    yesterday = timezone.now() - timedelta(days=1)
    second = factories.visit(
        world.case, world.investigator, place_name="乙地", start_at=yesterday, end_at=None
    )
    answer = client.post(url(world, "show_movements"))
    assert answer.status_code == 200
    assert "甲地" in answer.content.decode()
    assert "乙地" in answer.content.decode()
    found = events("reveal")
    assert len(found) == 1
    assert found[0]["purpose"] == "P2"
    assert str(first.pk) in str(found[0])
    assert str(second.pk) in str(found[0])


def test_showing_asks_why_first(world: World, signed_in: Any) -> None:
    factories.visit(world.case, world.investigator, place_name="甲地")
    browser = signed_in(world.investigator)
    answer = browser.post(url(world, "show_movements"))
    assert "甲地" not in answer.content.decode()
    assert 'name="purpose"' in answer.content.decode()
    assert "甲地" in browser.post(url(world, "show_movements"), {"purpose": "P3"}).content.decode()


BAD = [
    ({"start": "9am"}, "start"),
    ({"start": "25:00"}, "start"),
    ({"end": "08:00"}, "end"),
    ({"day": "2026-02-30"}, "day"),
    ({"day": "+1"}, "day"),
    ({"day": "-800"}, "day"),
    ({"end_day": "+40"}, "end_day"),
    ({"place_kind": "moon"}, "place_kind"),
    ({"transport": "rocket"}, "transport"),
    ({"place_name": "", "transport": ""}, "place_name"),
    ({"note": "长" * 201}, "note"),
    ({"place_name": "a\x01"}, "place_name"),
    ({"companions": "-1"}, "companions"),
    ({"time_precision": ""}, "time_precision"),
]


@pytest.mark.parametrize(("words", "field"), BAD)
def test_bad_words_change_nothing_and_are_kept(
    world: World, client: Any, words: dict[str, str], field: str
) -> None:
    today = timezone.localdate()
    words = {
        name: str(today + timedelta(days=int(word)))
        if name in ("day", "end_day") and word[0] in "+-"
        else word
        for name, word in words.items()
    }
    answer = client.post(url(world, "add_visit"), row(**words))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert answer.context["form"]["info_source"].value() == "self"
    assert visits(world) == []


def test_movements_of_an_old_case_count_from_the_case_not_from_today(world: World, signed_in: Any) -> None:
    began = timezone.now() - timedelta(days=11 * 365)
    with factories.as_person(world.supervisor):
        event = factories.outbreak(world.supervisor, started_on=began.date())
    old = factories.case(world.investigator, event, onset_date=began.date(), reported_at=began)
    browser = signed_in(world.investigator)
    pages.state_purpose(browser, old)
    address = reverse("cases:add_visit", args=[old.pk])
    before = {days: str((began - timedelta(days=days)).date()) for days in (2, 400)}
    assert browser.post(address, row(day=before[2])).status_code == 302
    refused = browser.post(address, row(day=before[400]))
    assert "day" in refused.context["form"].errors


def test_nobody_is_in_two_places_for_hours(world: World, client: Any) -> None:
    assert client.post(url(world, "add_visit"), row(start="08:00", end="14:00")).status_code == 302
    answer = client.post(url(world, "add_visit"), row(start="09:00", end="13:00", place_name="别处"))
    assert answer.status_code == 422
    assert (
        client.post(url(world, "add_visit"), row(start="13:30", end="16:00", place_name="别处")).status_code
        == 302
    )
    earlier = client.post(url(world, "add_visit"), row(start="05:00", end="12:00", place_name="三处"))
    assert earlier.status_code == 422


def test_a_night_goes_over_midnight(world: World, client: Any) -> None:
    before = timezone.localdate() - timedelta(days=2)
    sent = row(
        day=str(before), start="2200", end="0700", end_day=str(before + timedelta(days=1)), place_name="旅馆"
    )
    assert client.post(url(world, "add_visit"), sent).status_code == 302
    sent = row(day=str(before), start="12:00", end="24:00", place_name="旅馆")
    assert client.post(url(world, "add_visit"), sent).status_code == 302
    for visit in visits(world):
        again = pages.drawn(client, url(world, "visit", visit.pk))
        assert client.post(url(world, "visit", visit.pk), again).status_code == 302


def test_a_row_is_corrected(world: World, client: Any, events: Any) -> None:
    client.post(url(world, "add_visit"), row())
    visit = visits(world)[0]
    words = pages.drawn(client, url(world, "visit", visit.pk))
    assert events("reveal")[0]["object"]["id"] == str(visit.pk)
    assert words["place_name"] == "示例药店"
    before = len(events("visit.change"))
    assert client.post(url(world, "visit", visit.pk), words).status_code == 302
    assert len(events("visit.change")) == before
    answer = client.post(url(world, "visit", visit.pk), {**words, "place_name": "另一药店"})
    assert answer.status_code == 302
    assert events("visit.change")[0]["fields"] == ["place_name"]
    bad = client.post(url(world, "visit", visit.pk), {**words, "end": "07:00"})
    assert bad.status_code == 422


def test_two_people_correcting_one_row(world: World, client: Any) -> None:
    client.post(url(world, "add_visit"), row())
    visit = visits(world)[0]
    words = pages.drawn(client, url(world, "visit", visit.pk))
    with factories.as_person(world.supervisor):
        other = Visit.objects.select_related("case").get(pk=visit.pk)
        actions.correct_visit(other, {"place_name": "他人药店"}, by=world.supervisor)
    answer = client.post(url(world, "visit", visit.pk), {**words, "place_name": "我的药店"})
    assert answer.status_code == 422
    assert "他人药店" in answer.content.decode()
    assert answer.context["form"]["place_name"].value() == "我的药店"


def test_a_row_is_taken_back(world: World, client: Any, events: Any) -> None:
    client.post(url(world, "add_visit"), row())
    visit = visits(world)[0]
    assert client.post(url(world, "withdraw_visit", visit.pk)).status_code == 302
    assert visits(world) == []
    assert events("visit.change")[0]["fields"] == ["withdrawn_at"]
    assert client.post(url(world, "withdraw_visit", visit.pk)).status_code == 404
    assert client.get(url(world, "visit", visit.pk)).status_code == 404


def test_who_may_not(world: World, client: Any, signed_in: Any) -> None:
    client.post(url(world, "add_visit"), row())
    visit = visits(world)[0]
    addresses = [
        url(world, "add_visit"),
        url(world, "visit", visit.pk),
        url(world, "withdraw_visit", visit.pk),
    ]
    addresses.append(url(world, "show_movements"))
    for person, status in ((world.outsider, 404), (world.other_supervisor, 404), (world.auditor, 403)):
        browser = signed_in(person)
        assert browser.get(url(world)).status_code == status
        assert [browser.post(address, row()).status_code for address in addresses] == [status] * 4
    factories.grant(
        world.case, world.colleague, world.supervisor, CasePermission.CHANGE, CasePermission.REACH
    )
    browser = signed_in(world.colleague)
    assert browser.get(url(world)).status_code == 403
    assert [browser.post(address, row()).status_code for address in addresses] == [403] * 4
    assert len(visits(world)) == 1
