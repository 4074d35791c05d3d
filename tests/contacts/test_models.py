"""Contacts and links in the database, under the roles of the product."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from access.actor import acting_as
from access.models import User
from access.visibility import CasePermission
from cases import actions as case_actions
from cases.models import Case
from contacts import actions, follow_up
from contacts.models import Contact, TransmissionLink
from tests import factories
from tests.cast import World

LAST = date(2026, 11, 16)
pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def at_work(world: World) -> Iterator[World]:
    """The investigator's role is on for the whole test."""
    with factories.as_person(world.investigator):
        yield world


def add(world: World, by: User | None = None, **values: Any) -> Contact:
    given = {
        "full_name": "李四",
        "phone": "10000004472",
        "level": "close",
        "relation": "friend",
        "mode": ["meal", "room"],
        "last_contact_date": LAST,
        "responsible_org": world.district,
        **values,
    }
    return actions.add_contact(world.case, given, by=by or world.investigator)


def new_case(world: World, **values: Any) -> Case:
    given = factories.case_values(district=world.district, **values)
    return case_actions.open_case(world.outbreak, given, by=world.investigator)


def test_a_contact_is_a_scope_of_its_own_guarded_by_the_case(at_work: World) -> None:
    contact = add(at_work)
    assert contact.vault_scope_id() == contact.pk
    assert contact.vault_guard_id() == at_work.case.pk
    assert contact.audit_label == contact.contact_no == "C-0001"


def test_the_creator_reads_it_again(at_work: World) -> None:
    contact = Contact.objects.visible_to(at_work.investigator).get(pk=add(at_work).pk)
    assert (contact.full_name.masked, contact.phone.masked) == ("李**", "100****4472")
    assert (contact.relation.reveal(), contact.mode.reveal()) == ("friend", ["meal", "room"])


def test_a_grant_of_a_class_on_the_case_opens_that_class_of_its_contacts(world: World) -> None:
    contact = factories.contact(world.case, world.investigator)
    factories.grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    with factories.as_person(world.outsider):
        seen = Contact.objects.visible_to(world.outsider).get(pk=contact.pk)
        assert (seen.phone.masked, seen.full_name.masked) == ("100****4472", "•••")


def test_an_outsider_sees_no_contact_at_all(at_work: World) -> None:
    contact = add(at_work)
    with acting_as(at_work.outsider):
        assert not Contact.objects.visible_to(at_work.outsider).exists()
        assert not Contact.objects.filter(pk=contact.pk).exists()


def test_no_contact_is_added_to_a_case_one_may_not_change(at_work: World) -> None:
    with (
        acting_as(at_work.outsider),
        pytest.raises(ProgrammingError, match="row-level"),
        transaction.atomic(),
    ):
        add(at_work, by=at_work.outsider)


def test_the_last_day_of_follow_up_moves_with_the_last_contact(at_work: World) -> None:
    contact = add(at_work)
    assert contact.follow_up_end_date == date(2026, 11, 23)
    actions.correct_contact(contact, {"last_contact_date": date(2026, 11, 18)}, by=at_work.investigator)
    contact.refresh_from_db()
    assert contact.follow_up_end_date == date(2026, 11, 25)
    assert list(Contact.objects.overdue(date(2026, 11, 26))) == [contact]
    assert not Contact.objects.overdue(date(2026, 11, 25)).exists()


def test_a_second_order_contact_needs_its_close_contact(at_work: World) -> None:
    close = add(at_work)
    with pytest.raises(actions.ParentMissing):
        add(at_work, level="secondary")
    assert add(at_work, level="secondary", parent_contact=close).parent_contact == close


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"level": "near"}, "contact_level_is_a_code"),
        ({"frequency": "always"}, "contact_frequency_is_a_code"),
        ({"age_value": 200}, "contact_age_is_possible"),
    ],
)
def test_the_database_refuses(at_work: World, values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        add(at_work, **values)


def test_plain_text_never_reaches_the_table(at_work: World) -> None:
    contact = add(at_work, place_name="planted teahouse")
    with connection.cursor() as cursor:
        cursor.execute("select c::text from contacts_contact c where id = %s", [contact.pk])
        row = cursor.fetchone()[0]
    assert contact.contact_no in row
    for planted in ("李四", "10000004472", "planted teahouse", "friend", "meal"):
        assert planted not in row
        assert planted.encode().hex() not in row


def test_a_contact_that_fell_ill_keeps_its_link(at_work: World) -> None:
    contact, case = add(at_work), new_case(at_work)
    actions.turn_into_case(contact, case, by=at_work.investigator)
    contact.refresh_from_db()
    assert (contact.status, contact.became_case_id, contact.has_ended) == ("case", case.pk, True)
    with pytest.raises(actions.FollowUpEnded):
        actions.set_status(contact, "released", by=at_work.investigator)


def test_links_make_no_circle_and_no_time_travel(at_work: World) -> None:
    a, b, c = (new_case(at_work) for _ in range(3))
    actions.link_cases(a, b, by=at_work.investigator, setting="meal", evidence=["named"])
    actions.link_cases(b, c, by=at_work.investigator)
    early = new_case(at_work, onset_date=a.onset_date - timedelta(days=15))
    for infector, infectee, code in ((c, a, "circle"), (a, a, "same"), (a, early, "too_early")):
        with pytest.raises(actions.ImpossibleLink) as caught:
            actions.link_cases(infector, infectee, by=at_work.investigator)
        assert caught.value.code == code
    assert TransmissionLink.objects.visible_to(at_work.investigator).count() == 2


def test_one_contact_is_one_event_without_values(world: World, events: Any) -> None:
    contact = factories.contact(world.case, world.investigator)
    found = events("contact.add")
    assert len(found) == 1
    assert contact.contact_no in str(found[0])
    for planted in ("接触者种植", "10000004472", "friend"):
        assert planted not in str(found[0])


@pytest.mark.parametrize(("days", "end"), [(7, date(2026, 11, 23)), (14, date(2026, 11, 30)), (0, LAST)])
def test_follow_up_counts_from_the_day_after(days: int, end: date) -> None:
    assert follow_up.follow_up_end_date(LAST, days) == end
    assert len(follow_up.due_dates(LAST, days)) == days
    assert follow_up.observation_day(LAST, end) == days
    assert not follow_up.is_over(LAST, days, end)
    assert follow_up.is_over(LAST, days, end + timedelta(days=1))


def test_samples_are_due_on_the_protocol_s_days() -> None:
    days = follow_up.sample_dates(LAST, [7, 1, 3])
    assert days == [date(2026, 11, 17), date(2026, 11, 19), date(2026, 11, 23)]
