"""Showing a value: why, once per case; every showing an event; nothing told about classes outside the grant."""

from typing import Any

import pytest
from django.urls import reverse

from access.purposes import Purpose
from access.visibility import CasePermission
from cases.models import Case
from tests import factories
from tests.cases import pages
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def url(case: Case, name: str = "phone") -> str:
    return reverse("cases:reveal", args=[case.pk, name])


def test_the_first_showing_asks_why_and_later_ones_act(world: World, signed_in: Any, events: Any) -> None:
    client = signed_in(world.investigator)
    first = client.post(url(world.case))
    assert first.status_code == 200
    assert "<dialog" in first.content.decode()
    assert factories.PHONE not in first.content.decode()
    assert not events("reveal")
    shown = client.post(url(world.case), {"purpose": "P2"})
    assert factories.PHONE in shown.content.decode()
    again = client.post(url(world.case, "full_name"))
    assert factories.NAME in again.content.decode()
    found = events("reveal")
    assert [one["purpose"] for one in found] == ["P2", "P2"]
    assert [one["fields"] for one in found] == [["full_name"], ["phone"]]
    assert factories.PHONE not in str(found)
    client.post(url(world.case))
    assert len(events("reveal")) == 3


def test_the_purpose_holds_for_one_case(world: World, signed_in: Any) -> None:
    other = factories.case(world.investigator, world.outbreak, phone="10000004499")
    client = signed_in(world.investigator)
    client.post(url(world.case), {"purpose": "P2"})
    answer = client.post(url(other))
    assert "10000004499" not in answer.content.decode()
    assert "<dialog" in answer.content.decode()


@pytest.mark.parametrize("purpose", ["", "P8", "P11", "nonsense", "P5 "])
def test_a_purpose_outside_the_list_shows_nothing(
    world: World, signed_in: Any, events: Any, purpose: str
) -> None:
    answer = signed_in(world.investigator).post(url(world.case), {"purpose": purpose})
    assert answer.status_code == 422
    assert factories.PHONE not in answer.content.decode()
    assert not events("reveal")


def test_classifying_needs_the_class_health(world: World, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.REACH)
    answer = signed_in(world.colleague).post(url(world.case), {"purpose": "P5"})
    assert answer.status_code == 422


def test_outside_the_grant_nobody_learns_whether_there_is_a_value(
    world: World, signed_in: Any, events: Any
) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.REACH)
    client = signed_in(world.colleague)
    pages.state_purpose(client, world.case)
    filled, empty = client.post(url(world.case, "full_name")), client.post(url(world.case, "birth_date"))
    for answer in (filled, empty):
        assert answer.status_code == 200
        assert "Not in your grant" in pages.text(answer)
        assert "Not collected" not in pages.text(answer)
        assert "欧阳" not in answer.content.decode()
    refused = events("reveal")
    assert [one["outcome"] for one in refused] == [1, 1]
    page = pages.text(client.get(world.case.get_absolute_url()))
    closed = page.split("Not in your grant")
    assert any("Name" in part.split("\n")[0] and "Date of birth" in part.split("\n")[0] for part in closed)
    assert "欧阳" not in page


def test_the_page_of_a_case_tells_no_plain_value(world: World, signed_in: Any) -> None:
    for person in (world.investigator, world.supervisor):
        page = signed_in(person).get(world.case.get_absolute_url()).content.decode()
        assert factories.NAME not in page
        assert factories.PHONE not in page
        assert factories.ID_NUMBER not in page
        assert "欧阳**" in page


def test_an_empty_value_is_said_to_be_empty(world: World, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    answer = client.post(url(world.case, "street"), {"purpose": "P4"})
    assert "Not collected" in pages.text(answer)


def test_who_may_not(world: World, signed_in: Any) -> None:
    assert signed_in(world.outsider).post(url(world.case)).status_code == 404
    assert signed_in(world.auditor).post(url(world.case)).status_code == 403
    client = signed_in(world.investigator)
    assert client.get(url(world.case)).status_code == 405
    assert client.post(url(world.case, "case_no")).status_code == 404
    assert client.post(url(world.case, "nonsense")).status_code == 404


def test_only_the_purposes_of_the_grant_are_offered_and_taken(
    world: World, signed_in: Any, events: Any
) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, purpose=Purpose.REACH)
    client = signed_in(world.colleague)
    dialog = client.post(url(world.case)).content.decode()
    assert 'value="P2"' in dialog
    assert 'value="P4"' not in dialog
    assert "your access was given for another purpose" in dialog
    refused = client.post(url(world.case), {"purpose": "P4"})
    assert refused.status_code == 422
    assert factories.PHONE not in refused.content.decode()
    assert events("input.refused")
    assert factories.PHONE in client.post(url(world.case), {"purpose": "P2"}).content.decode()


def test_a_purpose_stated_under_an_earlier_grant_opens_nothing(world: World, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, purpose=Purpose.REACH)
    client = signed_in(world.colleague)
    client.post(url(world.case), {"purpose": "P2"})
    factories.grant(world.case, world.colleague, world.supervisor, purpose=Purpose.SOURCE)
    answer = client.post(url(world.case)).content.decode()
    assert factories.PHONE not in answer
    assert "<dialog" in answer


def test_supervisors_and_whoever_opened_the_case_may_give_every_purpose(world: World, signed_in: Any) -> None:
    for person in (world.investigator, world.supervisor):
        for purpose in ("P2", "P4", "P9"):
            answer = signed_in(person).post(url(world.case), {"purpose": purpose})
            assert factories.PHONE in answer.content.decode()
