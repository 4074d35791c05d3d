"""Taking access back: one, all of a person, all on a case, all of an organisation; and the report of what was seen."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.urls import reverse

from access import actions
from access.actor import acting_as
from access.models import CaseGrant, EndedAccess, User
from access.visibility import CasePermission
from cases.models import Case
from tests import factories
from tests.factories import as_person, grant
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def sees(person: Any, case: Case) -> bool:
    with transaction.atomic(), acting_as(person):
        return Case.objects.visible_to(person).filter(pk=case.pk).exists()


@pytest.fixture
def second(world: Any) -> Case:
    """Another case of the district, opened by a colleague."""
    return factories.case(world.colleague, world.outbreak)


@pytest.fixture
def foreign(world: Any) -> Case:
    """A case of the other district, opened by the outsider."""
    return factories.case(world.outsider, world.outbreak)


@pytest.fixture
def city_supervisor(world: Any) -> User:
    with factories.as_owner():
        return factories.user("city_supervisor", "supervisor", world.city)


def pages(world: Any) -> dict[str, tuple[str, list[Any]]]:
    return {
        "case": ("access:revoke_case", [world.case.pk]),
        "person": ("access:revoke_person", [world.investigator.pk]),
        "organisation": ("access:revoke_organisation", [world.district.pk]),
    }


@pytest.mark.parametrize("kind", ["case", "person", "organisation"])
def test_a_page_says_what_ends_and_one_click_ends_it(world: Any, signed_in: Any, kind: str) -> None:
    name, arguments = pages(world)[kind]
    browser, address = signed_in(world.supervisor), reverse(name, args=arguments)
    before = browser.get(address)
    assert (before.status_code, before.context["n_grants"], len(before.context["holders"])) == (200, 1, 1)
    assert sees(world.investigator, world.case)
    answer = browser.post(address, follow=True)
    assert answer.status_code == 200
    assert [line.case.pk for line in answer.context["lines"]] == [world.case.pk]
    assert not sees(world.investigator, world.case)


def test_all_of_a_person_ends_in_the_area_only(world: Any, second: Case, foreign: Case) -> None:
    grant(world.case, world.outsider, world.supervisor)
    grant(second, world.outsider, world.supervisor)
    with as_person(world.supervisor):
        act = actions.revoke_person(world.outsider, by=world.supervisor)
    assert (act.n_grants, act.n_people) == (2, 1)
    assert not sees(world.outsider, world.case)
    assert not sees(world.outsider, second)
    assert sees(world.outsider, foreign)


def test_a_city_supervisor_ends_what_stands_in_its_districts(
    world: Any, foreign: Case, city_supervisor: User
) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with as_person(city_supervisor):
        actions.revoke_person(world.outsider, by=city_supervisor)
    assert not sees(world.outsider, world.case)
    assert not sees(world.outsider, foreign)


def test_all_of_an_organisation_ends_for_its_people_alone(world: Any, second: Case) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with as_person(world.supervisor):
        act = actions.revoke_organisation(world.district, by=world.supervisor)
    assert (act.n_grants, act.n_people) == (2, 2)
    assert not sees(world.investigator, world.case)
    assert not sees(world.colleague, second)
    assert sees(world.outsider, world.case)


def test_chosen_pairs_end_and_nothing_beside_them(world: Any, second: Case) -> None:
    grant(world.case, world.outsider, world.supervisor)
    grant(second, world.outsider, world.supervisor)
    grant(second, world.investigator, world.supervisor)
    chosen = [(world.outsider.pk, world.case.pk), (world.investigator.pk, second.pk), (uuid4(), uuid4())]
    with as_person(world.supervisor):
        assert actions.revoke_chosen(chosen, by=world.supervisor).n_grants == 2
    assert sees(world.outsider, second)
    assert sees(world.investigator, world.case)
    assert not sees(world.outsider, world.case)
    assert not sees(world.investigator, second)


def test_one_act_is_one_event_with_every_case_and_person(world: Any, second: Case, events: Any) -> None:
    with as_person(world.supervisor):
        actions.revoke_organisation(world.district, by=world.supervisor)
    [event] = events("grant.revoke")
    assert event["counts"] == {"grants": 2, "people": 2}
    assert event["extra"]["scope"] == "organisation"
    touched = {one["pk"] for one in event["others"]}
    assert touched == {str(one.pk) for one in (world.case, second, world.investigator, world.colleague)}


def test_the_report_tells_what_had_been_seen(world: Any, signed_in: Any, events: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    browser, address = signed_in(world.outsider), f"/cases/{world.case.pk}/"
    assert browser.get(address).status_code == 200
    assert browser.get(address).status_code == 200
    body = {"fields": ["phone"], "purpose": "P2"}
    url = f"/api/v1/cases/{world.case.pk}/reveal"
    assert browser.post(url, body, content_type="application/json").status_code == 200
    supervisor = signed_in(world.supervisor)
    answer = supervisor.post(reverse("access:revoke", args=[world.case.pk, world.outsider.pk]), follow=True)
    [line] = answer.context["lines"]
    assert (line.seen.views, line.seen.reveals, line.seen.exports) == (2, 1, 0)
    assert "phone" in line.seen.fields
    assert "full_name" not in line.seen.fields
    assert line.seen.classes == ["reach"]
    assert line.seen.last_at is not None
    assert "Phone" in answer.content.decode()
    for planted in (factories.NAME, factories.PHONE, factories.ID_NUMBER):
        assert planted not in answer.content.decode()


def test_what_was_seen_before_a_renewal_counts_too(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    assert signed_in(world.outsider).get(f"/cases/{world.case.pk}/").status_code == 200
    grant(world.case, world.outsider, world.supervisor)
    with as_person(world.supervisor):
        act = actions.revoke(world.case, world.outsider, by=world.supervisor)
        assert [one.views for one in actions.seen(act)] == [1]


def test_the_report_is_only_for_whoever_did_it(world: Any, signed_in: Any) -> None:
    with as_person(world.supervisor):
        act = actions.revoke(world.case, world.investigator, by=world.supervisor)
    address = reverse("access:revocation", args=[act.pk])
    assert signed_in(world.supervisor).get(address).status_code == 200
    assert signed_in(world.other_supervisor).get(address).status_code == 404
    assert signed_in(world.investigator).get(address).status_code == 403
    for who in (world.other_supervisor, world.investigator, world.auditor, world.secadmin):
        assert raw.run(raw.person(who), "select * from sec.seen(%s)", [act.pk]) == 0
    assert raw.run(raw.person(world.supervisor), "select * from sec.seen(%s)", [act.pk]) == 1


def test_a_report_answers_no_more_for_a_case_that_left_the_area(world: Any) -> None:
    with as_person(world.supervisor):
        act = actions.revoke(world.case, world.investigator, by=world.supervisor)
    with factories.as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "update cases_case set district_id = %s where id = %s", [world.other_district.pk, world.case.pk]
        )
    with as_person(world.supervisor):
        assert actions.seen(act) == []
        assert not EndedAccess.objects.filter(revocation=act).exists()


def test_nothing_to_end_is_said(world: Any) -> None:
    with as_person(world.supervisor):
        for end in (
            lambda: actions.revoke(world.case, world.outsider, by=world.supervisor),
            lambda: actions.revoke_person(world.outsider, by=world.supervisor),
            lambda: actions.revoke_organisation(world.other_district, by=world.supervisor),
            lambda: actions.revoke_chosen([], by=world.supervisor),
        ):
            with pytest.raises(actions.GrantRefused, match="none"):
                end()


@pytest.mark.parametrize("kind", ["case", "person", "organisation"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_area_is_404_and_another_role_403(world: Any, signed_in: Any, kind: str, method: str) -> None:
    name, arguments = pages(world)[kind]
    address = reverse(name, args=arguments)
    assert getattr(signed_in(world.other_supervisor), method)(address).status_code == 404
    for who in (world.investigator, world.auditor, world.privacy, world.sysadmin, world.partner):
        assert getattr(signed_in(who), method)(address).status_code == 403
    assert sees(world.investigator, world.case)


def test_a_security_administrator_ends_access_without_seeing_a_case(
    world: Any, signed_in: Any, events: Any
) -> None:
    browser = signed_in(world.secadmin)
    listed = browser.get(reverse("access:holders"))
    assert world.investigator.display_name in listed.content.decode()
    answer = browser.post(reverse("access:revoke_person", args=[world.investigator.pk]), follow=True)
    assert answer.status_code == 200
    assert answer.context["act"].n_grants == 1
    assert answer.context["lines"] == []
    assert world.case.case_no not in answer.content.decode()
    assert not sees(world.investigator, world.case)
    [event] = events("grant.revoke")
    assert str(world.case.pk) in str(event["others"])
    assert browser.get(reverse("access:revoke_case", args=[world.case.pk])).status_code == 403


def test_the_doors_in_the_database_are_shut_to_other_roles(world: Any) -> None:
    end = "select * from sec.end_access(%s)"
    exports = "select * from sec.end_exports(%s, %s)"
    mine, cases = [world.investigator.pk], [world.case.pk]
    assert raw.run(raw.person(world.secadmin), end, [mine]) == 7
    for who in (world.supervisor, world.investigator, world.auditor, world.sysadmin):
        assert raw.run(raw.person(who), end, [mine]) == raw.REFUSED
    for who in (world.investigator, world.outsider, world.auditor, world.partner):
        assert raw.run(raw.person(who), exports, [mine, cases]) == raw.REFUSED
        assert raw.run(raw.person(who), "select * from sec.holders()") == 0
    assert raw.run(raw.person(world.supervisor), "select * from sec.holders()") == 1
    assert raw.run(raw.person(world.other_supervisor), "select * from sec.holders()") == 0
    assert raw.run(raw.role("ep_secadmin"), end, [mine]) == raw.REFUSED


def test_an_act_is_never_forged_changed_or_deleted(world: Any) -> None:
    with as_person(world.supervisor):
        act = actions.revoke(world.case, world.investigator, by=world.supervisor)
    line = (
        "insert into access_endedaccess (id, revocation_id, user_id, case_id, codenames)"
        " values (gen_random_uuid(), %s, %s, %s, '[]')"
    )
    words = [act.pk, world.colleague.pk, world.case.pk]
    assert raw.run(raw.person(world.supervisor), line, words) == 1
    assert raw.run(raw.person(world.other_supervisor), line, words) == raw.REFUSED
    for statement in ("update access_revocation set n_grants = 0", "delete from access_revocation"):
        assert raw.run(raw.person(world.supervisor), statement) == raw.DENIED
        with pytest.raises(DatabaseError, match="never changed"):
            raw.as_owner(statement)
    act_of_other = (
        "insert into access_revocation (id, kind, by_id, n_grants, n_people, n_exports, created_at)"
        " values (gen_random_uuid(), 'one', %s, 1, 1, 0, now())"
    )
    assert raw.run(raw.person(world.supervisor), act_of_other, [world.supervisor.pk]) == 1
    assert raw.run(raw.person(world.supervisor), act_of_other, [world.other_supervisor.pk]) == raw.REFUSED


def test_an_open_session_ends_with_the_access(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    browser, address = signed_in(world.outsider), f"/cases/{world.case.pk}/"
    assert browser.get(address).status_code == 200
    with as_person(world.supervisor):
        actions.revoke_person(world.outsider, by=world.supervisor)
    assert browser.get(address).status_code == 404
    assert browser.get(f"/api/v1/cases/{world.case.pk}").status_code == 404


def test_many_grants_end_in_one_act(world: Any) -> None:
    cases = [world.case, *(factories.case(world.investigator, world.outbreak) for _ in range(4))]
    for case in cases:
        grant(case, world.colleague, world.supervisor)
    with as_person(world.supervisor):
        act = actions.revoke_organisation(world.district, by=world.supervisor)
        assert not CaseGrant.objects.exists()
        assert EndedAccess.objects.filter(revocation=act).count() == act.n_grants == 10
