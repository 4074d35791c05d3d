"""Notices: told by the one door, read by one person, and never in anybody else's name."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.db.utils import DatabaseError, ProgrammingError
from django.urls import reverse

from access import actions
from access.actions.notices import notify, supervisors_of
from access.actor import acting_as, acting_as_owner, acting_as_role
from access.models import Notice
from tests import factories
from tests.factories import as_person, grant
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Kind = Notice.Kind


def tell(world: Any, kind: str = Kind.REQUEST_ANSWERED, **given: Any) -> int:
    """The supervisor tells the investigator something about the case."""
    given = {"case": world.case, "about": world.supervisor, **given}
    with as_person(world.supervisor):
        return notify(Kind(kind), [world.investigator], **given)


def unread(person: Any) -> int:
    with transaction.atomic(), acting_as(person):
        return Notice.objects.filter(read_at__isnull=True).count()


def test_a_notice_reaches_the_person_and_nobody_else(world: Any, signed_in: Any) -> None:
    assert tell(world) == 1
    page = signed_in(world.investigator).get(reverse("access:notices")).content.decode()
    assert (
        f"{world.supervisor.display_name} answered your request for access to {world.case.case_no}." in page
    )
    for other in (world.colleague, world.outsider, world.supervisor, world.auditor):
        page = signed_in(other).get(reverse("access:notices")).content.decode()
        assert "No notices" in page
        assert world.case.case_no not in page


def test_the_page_speaks_chinese(world: Any, signed_in: Any) -> None:
    tell(world)
    browser = signed_in(world.investigator)
    browser.post(reverse("access:language"), {"language": "zh-hans"})
    page = browser.get(reverse("access:notices")).content.decode()
    assert f"答复了您对 {world.case.case_no} 的授权申请" in page


def test_every_page_shows_how_many_wait(world: Any, signed_in: Any) -> None:
    browser = signed_in(world.investigator)
    assert "unread notice" not in browser.get(reverse("cases:list")).content.decode()
    tell(world)
    tell(world, Kind.GRANT_REVOKED)
    assert 'aria-label="2 unread notices"' in browser.get(reverse("cases:list")).content.decode()


def test_marking_as_read_is_recorded_and_touches_only_the_own(
    world: Any, signed_in: Any, events: Any
) -> None:
    tell(world)
    with as_person(world.supervisor):
        notify(Kind.REQUEST_ANSWERED, [world.colleague], about=world.supervisor)
    answer = signed_in(world.investigator).post(reverse("access:notices_read"))
    assert answer.status_code == 302
    assert (unread(world.investigator), unread(world.colleague)) == (0, 1)
    assert events("notice.read")[0]["counts"] == {"notices": 1}


def test_reading_the_notices_is_an_event(world: Any, signed_in: Any, events: Any) -> None:
    signed_in(world.investigator).get(reverse("access:notices"))
    assert events("notice.view")


def test_a_visitor_is_sent_to_sign_in_and_marking_is_no_link(world: Any, signed_in: Any) -> None:
    assert signed_in(None).get(reverse("access:notices")).status_code == 302
    assert signed_in(world.investigator).get(reverse("access:notices_read")).status_code == 405


def test_the_number_is_told_only_to_those_who_may_see_it(world: Any, signed_in: Any) -> None:
    """A person who never had the case learns that there is a notice, and not which case it is about."""
    with as_person(world.supervisor):
        notify(Kind.REQUEST_ANSWERED, [world.outsider], case=world.case, about=world.supervisor)
        notify(Kind.GRANT_REVOKED, [world.secadmin, world.auditor], case=world.case, about=world.supervisor)
    for person in (world.outsider, world.secadmin):
        page = signed_in(person).get(reverse("access:notices")).content.decode()
        assert "a case." in page
        assert world.case.case_no not in page
    assert world.case.case_no in signed_in(world.auditor).get(reverse("access:notices")).content.decode()


def test_who_had_the_case_is_told_its_number_when_the_access_is_gone(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with as_person(world.supervisor):
        actions.revoke(world.case, world.outsider, by=world.supervisor)
        notify(Kind.GRANT_REVOKED, [world.outsider], case=world.case, about=world.supervisor)
    page = signed_in(world.outsider).get(reverse("access:notices")).content.decode()
    assert f"revoked your access to {world.case.case_no}." in page


def test_inactive_people_and_the_sender_are_left_out(world: Any) -> None:
    with transaction.atomic(), acting_as_owner():
        type(world.colleague).objects.filter(pk=world.colleague.pk).update(is_active=False)
    with as_person(world.supervisor):
        people = [world.investigator, world.investigator, world.colleague, world.supervisor]
        assert notify(Kind.GRANT_REVOKED, people, about=world.supervisor) == 1
        assert notify(Kind.GRANT_REVOKED, [], about=world.supervisor) == 0


def test_jobs_send_reminders_in_nobodys_name(world: Any) -> None:
    with acting_as_role("ep_job"), transaction.atomic():
        assert notify(Kind.GRANT_ENDING, [world.investigator], case=world.case) == 1
    assert unread(world.investigator) == 1


def test_supervisors_of_a_place_are_those_of_the_area_above_it(world: Any) -> None:
    with factories.as_owner():
        city = factories.user("city_chief", "supervisor", world.city)
    with as_person(world.investigator):
        assert set(supervisors_of(world.district)) == {world.supervisor.pk, city.pk}
        assert supervisors_of(world.city) == [city.pk]


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("investigator", Kind.GRANT_REVOKED),
        ("investigator", Kind.EMERGENCY_OPENED),
        ("supervisor", Kind.GRANT_ENDING),
        ("supervisor", Kind.QUOTA_EXCEEDED),
        ("supervisor", Kind.EMERGENCY_REVIEWED),
        ("auditor", Kind.REVIEW_OVERDUE),
        ("sysadmin", Kind.GRANT_REVOKED),
        ("partner", Kind.REQUEST_WAITING),
    ],
)
def test_no_role_sends_what_is_not_its_to_send(world: Any, who: str, kind: str) -> None:
    sender = getattr(world, who)
    with pytest.raises(ProgrammingError, match="not yours"), transaction.atomic(), acting_as(sender):
        notify(Kind(kind), [world.colleague], about=sender)


def test_nobody_sends_in_another_persons_name(world: Any) -> None:
    with pytest.raises(DatabaseError, match="own name"), transaction.atomic(), acting_as(world.supervisor):
        notify(Kind.GRANT_REVOKED, [world.investigator], about=world.other_supervisor)


def test_an_asker_writes_to_supervisors_only(world: Any) -> None:
    with as_person(world.investigator):
        assert notify(Kind.REQUEST_WAITING, [world.supervisor], about=world.investigator) == 1
    with (
        pytest.raises(DatabaseError, match="supervisors"),
        transaction.atomic(),
        acting_as(world.investigator),
    ):
        notify(Kind.REQUEST_WAITING, [world.auditor], about=world.investigator)


INSERT = (
    "insert into access_notice (id, person_id, kind, created_at)"
    " values (gen_random_uuid(), %s, 'grant_revoked', now())"
)
PUT = "select sec.put_notices('emergency_opened', array[%s]::uuid[], null, null, null)"


@pytest.mark.parametrize("who", ["investigator", "supervisor", "auditor", "secadmin"])
def test_nobody_writes_or_removes_a_notice_by_hand(world: Any, who: str) -> None:
    tell(world)
    person, mine = raw.person(getattr(world, who)), world.investigator.pk
    assert raw.run(person, INSERT, [mine]) == raw.DENIED
    assert raw.run(person, PUT, [mine]) == raw.DENIED
    assert raw.run(person, "delete from access_notice") == raw.DENIED
    assert raw.run(person, "update access_notice set kind = 'grant_ending'") == raw.DENIED
    with transaction.atomic(), acting_as_owner():
        assert notify(Kind.GRANT_ENDING, [world.investigator]) == 1


def test_another_persons_notice_is_neither_seen_nor_marked(world: Any) -> None:
    tell(world)
    mark = "update access_notice set read_at = now()"
    assert raw.run(raw.person(world.supervisor), mark) == 0
    assert raw.count(raw.person(world.supervisor), "access_notice") == 0
    assert raw.run(raw.person(world.investigator), mark) == 1


def test_not_even_the_owner_rewrites_a_notice(world: Any) -> None:
    tell(world)
    for column, value in (("kind", "'grant_ending'"), ("person_id", f"'{world.colleague.pk}'")):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            raw.as_owner(f"update access_notice set {column} = {value}")
