"""Access for many at once: several cases, teams, stand-ins, a single use; and what lies unused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from access import actions, tasks
from access.actor import acting_as
from access.models import AccessDecision, CaseGrant, Notice, Team, TeamMember
from access.purposes import Purpose
from access.visibility import CasePermission, permission_id
from cases.models import Case
from tests import factories
from tests.factories import as_person, grant
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
REACH = [CasePermission.REACH]


def sees(person: Any, case: Case) -> bool:
    with transaction.atomic(), acting_as(person):
        return Case.objects.visible_to(person).filter(pk=case.pk).exists()


def in_days(days: float) -> Any:
    return timezone.now() + timedelta(days=days)


@pytest.fixture
def second(world: Any) -> Case:
    return factories.case(world.colleague, world.outbreak)


@pytest.fixture
def foreign(world: Any) -> Case:
    return factories.case(world.outsider, world.outbreak)


@pytest.fixture
def team(world: Any) -> Team:
    """A team of the district with the outsider in it."""
    with as_person(world.supervisor):
        made = actions.make_team("一组", by=world.supervisor)
        actions.join(made, world.outsider, by=world.supervisor)
    return made


def words(world: Any, **values: Any) -> dict[str, Any]:
    return {
        "cases": world.case.case_no,
        "to": [world.outsider.pk],
        "purpose": "P4",
        "classes": ["reveal_reach"],
        "lasts": "7",
        **values,
    }


def give_many(world: Any, people: list[Any], cases: list[Case], **values: Any) -> Any:
    given = {"purpose": Purpose.CONTACTS, "reason": "", "until": in_days(7), **values}
    by = given.pop("by", world.supervisor)
    with as_person(by):
        return actions.issue_bulk(people, [case.pk for case in cases], REACH, by=by, **given)


# ---------------------------------------------------------------- several cases


def test_the_page_shows_what_it_comes_to_and_gives_only_on_the_second_click(
    world: Any, second: Case, signed_in: Any
) -> None:
    browser, address = signed_in(world.supervisor), reverse("access:bulk")
    given = words(world, cases=f"{world.case.case_no.lower()}, {second.case_no}")
    answer = browser.post(address, given)
    assert answer.status_code == 200
    assert len(answer.context["found"].rows) == 4
    assert not sees(world.outsider, world.case)
    assert browser.post(address, {**given, "expected": 3}).status_code == 200
    assert not sees(world.outsider, world.case)
    assert browser.post(address, {**given, "expected": 4}).status_code == 302
    assert sees(world.outsider, world.case)
    assert sees(world.outsider, second)


def test_cases_ticked_in_the_list_stand_in_the_form(world: Any, signed_in: Any) -> None:
    browser = signed_in(world.supervisor)
    assert f'value="{world.case.case_no}"' in browser.get("/cases/").content.decode()
    page = browser.get(reverse("access:bulk"), {"case": world.case.case_no})
    assert world.case.case_no in page.content.decode()


def test_one_decision_stands_behind_all_rows_and_one_event_tells_of_it(
    world: Any, second: Case, events: Any
) -> None:
    give_many(world, [world.outsider, world.colleague], [world.case, second])
    with as_person(world.supervisor):
        grants = CaseGrant.objects.filter(kind="bulk")
        assert grants.values("decision_id").distinct().count() == 1
        # The colleague opened the second case and holds it for longer: that stays.
        assert grants.count() == 6
    [event] = events("grant.issue")
    assert event["counts"] == {"cases": 2, "people": 2, "permissions": 6}
    assert {str(world.case.pk), str(second.pk)} < {one["pk"] for one in event["others"]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cases": "NO-SUCH-1"}, "cases"),
        ({"cases": ""}, "cases"),
        ({"to": []}, "to"),
        ({"to": [str(uuid4())]}, "to"),
        ({"purpose": "P99"}, "purpose"),
        ({"lasts": "date", "until_date": "2099-01-01"}, "until_date"),
        ({"reason": "call 138 0000 1234"}, "reason"),
    ],
)
def test_bad_input_is_said_beside_its_field_and_gives_nothing(
    world: Any, signed_in: Any, wrong: dict[str, Any], field: str
) -> None:
    answer = signed_in(world.supervisor).post(reverse("access:bulk"), words(world, expected=2, **wrong))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not sees(world.outsider, world.case)


def test_more_than_thirty_days_and_statistics_take_two_supervisors(world: Any) -> None:
    for values in ({"until": in_days(31)}, {"purpose": Purpose.STATISTICS}):
        with pytest.raises(actions.GrantRefused):
            give_many(world, [world.outsider], [world.case], **values)
    assert not sees(world.outsider, world.case)


def test_too_many_rows_are_refused(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from access.actions import bulk

    monkeypatch.setattr(bulk, "MOST_ROWS", 1)
    with pytest.raises(actions.GrantRefused, match="rows"):
        give_many(world, [world.outsider], [world.case])


def test_a_case_of_another_area_is_named_like_one_that_does_not_exist(
    world: Any, foreign: Case, signed_in: Any
) -> None:
    browser = signed_in(world.supervisor)
    for number in (foreign.case_no, "OB-0-9999"):
        answer = browser.post(reverse("access:bulk"), words(world, cases=number))
        [error] = answer.context["form"].errors["cases"]
        assert error == f"1 number is no case of your area: {number}"
    found = give_many(world, [world.colleague], [world.case, foreign])
    assert found.cases == {world.case.pk}


@pytest.mark.parametrize("name", ["bulk", "teams", "stand_ins", "unused"])
def test_other_roles_have_no_such_page(world: Any, signed_in: Any, name: str) -> None:
    for who in ("investigator", "auditor", "privacy", "secadmin", "sysadmin", "partner"):
        browser = signed_in(getattr(world, who))
        assert browser.get(reverse(f"access:{name}")).status_code == 403
        assert browser.post(reverse(f"access:{name}"), words(world, expected=2)).status_code == 403
    assert signed_in(world.supervisor).get(reverse(f"access:{name}")).status_code == 200
    assert not sees(world.outsider, world.case)


# ---------------------------------------------------------------- teams


def give_team(world: Any, team: Team, *cases: Case) -> Any:
    with as_person(world.supervisor):
        return actions.issue_to_team(
            team,
            [case.pk for case in cases],
            REACH,
            purpose=Purpose.CONTACTS,
            reason="",
            until=in_days(7),
            by=world.supervisor,
        )


def test_a_team_is_given_access_and_leaving_ends_it(world: Any, team: Team, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.HEALTH)
    give_team(world, team, world.case)
    with as_person(world.supervisor):
        assert CaseGrant.objects.filter(user=world.outsider, kind="team").exists()
    address = reverse("access:leave_team", args=[team.pk, world.outsider.pk])
    assert signed_in(world.other_supervisor).post(address).status_code == 404
    assert signed_in(world.investigator).post(address).status_code == 403
    assert signed_in(world.supervisor).post(address).status_code == 302
    with as_person(world.supervisor):
        assert not CaseGrant.objects.filter(user=world.outsider, kind="team").exists()
        assert CaseGrant.objects.filter(user=world.outsider, kind="direct").exists()
        assert not TeamMember.objects.filter(team=team).exists()


@pytest.mark.parametrize("address", ["teams", "team"])
def test_more_members_take_no_more_statements(world: Any, team: Team, signed_in: Any, address: str) -> None:
    give_team(world, team, world.case)
    url = reverse(f"access:{address}", args=[team.pk] if address == "team" else [])
    browser = signed_in(world.supervisor)
    browser.get(url)
    with CaptureQueriesContext(connection) as few:
        browser.get(url)
    with factories.as_owner():
        TeamMember.objects.create(team=team, user=world.colleague)
    with CaptureQueriesContext(connection) as more:
        assert world.colleague.display_name in browser.get(url).content.decode()
    assert len(more) == len(few)


def test_the_trigger_ends_what_came_with_the_team(world: Any, team: Team) -> None:
    give_team(world, team, world.case)
    assert sees(world.outsider, world.case)
    raw.as_owner("delete from access_teammember")
    assert not sees(world.outsider, world.case)


def test_closing_a_team_ends_it_for_all(world: Any, team: Team, signed_in: Any) -> None:
    give_team(world, team, world.case)
    address = reverse("access:close_team", args=[team.pk])
    assert signed_in(world.other_supervisor).post(address).status_code == 404
    assert signed_in(world.supervisor).post(address).status_code == 302
    assert not sees(world.outsider, world.case)
    with pytest.raises(actions.GrantRefused, match="people"):
        give_team(world, team, world.case)


def test_joining_gives_nothing_until_it_is_offered_and_taken(
    world: Any, team: Team, second: Case, signed_in: Any
) -> None:
    give_team(world, team, world.case, second)
    browser, address = signed_in(world.supervisor), reverse("access:team", args=[team.pk])
    assert browser.post(address, {"person": world.colleague.pk}).status_code == 302
    assert not sees(world.colleague, world.case)
    missing = {line["person"].pk: line["missing"] for line in browser.get(address).context["people"]}
    # The colleague opened the second case.
    assert missing == {world.colleague.pk: 1, world.outsider.pk: 0}
    taken = reverse("access:catch_up", args=[team.pk, world.colleague.pk])
    assert browser.post(taken).status_code == 302
    assert sees(world.colleague, world.case)
    assert browser.post(reverse("access:catch_up", args=[team.pk, world.investigator.pk])).status_code == 404


def test_joining_twice_or_in_another_role_changes_nothing(world: Any, team: Team, signed_in: Any) -> None:
    browser, address = signed_in(world.supervisor), reverse("access:team", args=[team.pk])
    for person in (world.outsider, world.auditor, world.supervisor, world.other_supervisor):
        assert browser.post(address, {"person": person.pk}).status_code == 422
    with as_person(world.supervisor):
        assert TeamMember.objects.count() == 1
        with pytest.raises(actions.GrantRefused, match="self"):
            actions.join(team, world.supervisor, by=world.supervisor)
    assert browser.post(reverse("access:teams"), {"name": "一组"}).status_code == 422
    assert browser.post(reverse("access:teams"), {"name": ""}).status_code == 422
    assert browser.post(reverse("access:teams"), {"name": "二组"}).status_code == 302


def test_each_step_of_a_team_is_on_the_log(world: Any, team: Team, events: Any) -> None:
    give_team(world, team, world.case)
    with as_person(world.supervisor):
        actions.leave(team, world.outsider, by=world.supervisor)
    assert [event["extra"]["step"] for event in events("team.change")] == ["left", "joined", "made"]
    assert events("grant.issue")[0]["extra"]["scope"] == "team"
    assert events("grant.revoke")[0]["extra"]["scope"] == "team"


# ---------------------------------------------------------------- stand-ins


def stand_in(world: Any, days: float = 5, absent: Any = None, person: Any = None) -> Any:
    with as_person(world.supervisor):
        return actions.stand_in_for(
            absent or world.outsider, person or world.colleague, until=in_days(days), by=world.supervisor
        )


def test_a_stand_in_holds_the_same_until_the_same_end_at_most(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.REACH, days=3)
    stand_in(world, days=5)
    with as_person(world.supervisor):
        of_absent = {(g.permission_id, g.expires_at) for g in CaseGrant.objects.filter(user=world.outsider)}
        of_other = {(g.permission_id, g.expires_at) for g in CaseGrant.objects.filter(user=world.colleague)}
        [decision] = AccessDecision.objects.filter(kind="stand_in")
    assert of_other == of_absent
    assert (decision.stands_in_for_id, decision.purpose) == (world.outsider.pk, Purpose.REACH.value)


def test_the_page_previews_names_and_ends_a_stand_in(world: Any, signed_in: Any) -> None:
    browser, address = signed_in(world.supervisor), reverse("access:stand_ins")
    day = f"{timezone.localdate() + timedelta(days=3):%Y-%m-%d}"
    given = {"absent": world.investigator.pk, "stand_in": world.colleague.pk, "last_day": day}
    answer = browser.post(address, given)
    assert (answer.status_code, len(answer.context["found"].rows)) == (200, 7)
    assert not sees(world.colleague, world.case)
    assert browser.post(address, {**given, "expected": 7}).status_code == 302
    assert sees(world.colleague, world.case)
    [line] = browser.get(address).context["present"]
    assert (line["person"], line["absent"]) == (world.colleague, world.investigator)
    end = reverse("access:end_stand_in", args=[world.investigator.pk, world.colleague.pk])
    assert signed_in(world.other_supervisor).post(end).status_code == 404
    assert browser.post(end).status_code == 302
    assert not sees(world.colleague, world.case)
    assert sees(world.investigator, world.case)
    assert browser.post(end).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_day": "2020-01-01"},
        {"last_day": "2099-01-01"},
        {"last_day": "soon"},
        {"stand_in": "investigator"},
        {"stand_in": "supervisor"},
        {"stand_in": "auditor"},
        {"absent": "outsider"},
    ],
)
def test_a_stand_in_that_may_not_be_is_422(world: Any, signed_in: Any, wrong: dict[str, str]) -> None:
    people = {name: getattr(world, word).pk for name, word in wrong.items() if name != "last_day"}
    day = f"{timezone.localdate() + timedelta(days=3):%Y-%m-%d}"
    given = {"absent": world.investigator.pk, "stand_in": world.colleague.pk, "last_day": day, "expected": 7}
    answer = signed_in(world.supervisor).post(reverse("access:stand_ins"), given | wrong | people)
    assert answer.status_code == 422
    assert not sees(world.colleague, world.case)


def test_what_the_stand_in_holds_stays_when_the_standing_in_ends(world: Any) -> None:
    grant(world.case, world.colleague, world.supervisor, CasePermission.HEALTH)
    stand_in(world, absent=world.investigator)
    with as_person(world.supervisor):
        actions.end_stand_in(world.investigator, world.colleague, by=world.supervisor)
    assert sees(world.colleague, world.case)


def test_standing_in_is_never_passed_on(world: Any) -> None:
    stand_in(world, absent=world.investigator)
    with pytest.raises(actions.GrantRefused, match="nothing"):
        stand_in(world, absent=world.colleague, person=world.outsider)


# ---------------------------------------------------------------- raw SQL

GRANT = (
    "insert into access_casegrant (id, user_id, permission_id, content_object_id, decision_id, granted_by_id,"
    " kind, starts_at, expires_at) values (gen_random_uuid(), %s, %s, %s, %s, %s, %s, now(), now() + %s::interval)"
)


def decided(world: Any, kind: str, **values: Any) -> AccessDecision:
    with as_person(world.supervisor):
        decision = AccessDecision(kind=kind, purpose="P4", granted_by=world.supervisor, **values)
        decision.save(force_insert=True)
    return decision


def insert(world: Any, to: Any, decision: AccessDecision, kind: str, lasts: str = "1 day") -> Any:
    view = permission_id(CasePermission.VIEW)
    values = [to.pk, view, world.case.pk, decision.pk, world.supervisor.pk, kind, lasts]
    return raw.run(raw.person(world.supervisor), GRANT, values)


def test_the_database_gives_a_teams_grant_to_members_alone(world: Any, team: Team) -> None:
    decision = decided(world, "team", team=team)
    assert insert(world, world.outsider, decision, "team") == 1
    assert insert(world, world.colleague, decision, "team") == raw.REFUSED
    assert insert(world, world.outsider, decision, "direct") == raw.REFUSED
    assert insert(world, world.supervisor, decision, "team") == raw.REFUSED
    raw.as_owner("update access_team set is_active = false")
    assert insert(world, world.outsider, decision, "team") == raw.REFUSED


def test_the_database_lets_a_stand_in_hold_no_more_than_the_colleague(world: Any) -> None:
    decision = decided(world, "stand_in", stands_in_for=world.investigator)
    assert insert(world, world.colleague, decision, "stand_in") == 1
    assert insert(world, world.colleague, decision, "stand_in", "31 days") == raw.REFUSED
    assert insert(world, world.investigator, decision, "stand_in") == raw.REFUSED
    nothing = decided(world, "stand_in", stands_in_for=world.outsider)
    assert insert(world, world.colleague, nothing, "stand_in") == raw.REFUSED
    grant(world.case, world.outsider, world.supervisor, purpose=Purpose.CONTACTS, days=2)
    assert insert(world, world.colleague, nothing, "stand_in", "1 day") == 1
    assert insert(world, world.colleague, nothing, "stand_in", "3 days") == raw.REFUSED
    grant(world.case, world.outsider, world.supervisor, purpose=Purpose.SOURCE, days=2)
    assert insert(world, world.colleague, nothing, "stand_in", "1 day") == raw.REFUSED


def test_teams_of_another_organisation_are_out_of_reach(world: Any, team: Team) -> None:
    join = "insert into access_teammember (id, team_id, user_id, joined_at) values (gen_random_uuid(), %s, %s, now())"
    make = (
        "insert into access_team (id, name, organisation_id, is_active, created_at)"
        " values (gen_random_uuid(), 'x', %s, true, now())"
    )
    mine, other = raw.person(world.supervisor), raw.person(world.other_supervisor)
    assert raw.run(mine, join, [team.pk, world.colleague.pk]) == 1
    for who in (world.supervisor, world.auditor, world.secadmin):
        assert raw.run(mine, join, [team.pk, who.pk]) == raw.REFUSED
    assert raw.run(other, join, [team.pk, world.outsider.pk]) == raw.REFUSED
    assert raw.run(raw.person(world.outsider), join, [team.pk, world.outsider.pk]) == raw.DENIED
    assert raw.run(mine, make, [world.district.pk]) == 1
    assert raw.run(other, make, [world.district.pk]) == raw.REFUSED
    assert raw.run(other, "delete from access_teammember") == 0
    assert raw.run(other, "update access_team set is_active = false") == 0
    assert raw.run(mine, "update access_team set organisation_id = organisation_id") == raw.DENIED
    decide = (
        "insert into access_accessdecision (id, kind, purpose, reason, granted_by_id, team_id, created_at)"
        " values (gen_random_uuid(), 'team', 'P4', '', %s, %s, now())"
    )
    assert raw.run(mine, decide, [world.supervisor.pk, team.pk]) == 1
    assert raw.run(other, decide, [world.other_supervisor.pk, team.pk]) == raw.REFUSED
    assert raw.run(mine, decide, [world.supervisor.pk, None]) == raw.REFUSED


def test_nobody_moves_the_end_or_the_use_of_a_grant(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    for statement in (
        "update access_casegrant set expires_at = now() + interval '80 days'",
        "update access_casegrant set used_at = null",
        "update access_casegrant set single_use = false",
    ):
        for who in (world.outsider, world.supervisor, world.secadmin):
            assert raw.run(raw.person(who), statement) == raw.DENIED


# ---------------------------------------------------------------- a single use


@pytest.fixture
def once(world: Any) -> None:
    """The outsider may open the world's case once."""
    with as_person(world.supervisor):
        actions.issue(
            world.case,
            world.outsider,
            REACH,
            purpose=Purpose.REACH,
            reason="",
            until=in_days(7),
            by=world.supervisor,
            single_use=True,
        )


def windows(world: Any) -> list[timedelta]:
    with as_person(world.supervisor):
        grants = CaseGrant.objects.filter(user=world.outsider, single_use=True)
        return [one.expires_at - one.used_at for one in grants if one.used_at]


def test_the_first_opening_starts_the_last_quarter_of_an_hour(
    world: Any, once: None, signed_in: Any, events: Any
) -> None:
    browser, address = signed_in(world.outsider), f"/cases/{world.case.pk}/"
    browser.get("/cases/")
    assert windows(world) == []
    assert browser.get(address).status_code == 200
    assert windows(world) == [timedelta(minutes=15)] * 2
    assert browser.get(address).status_code == 200
    assert windows(world) == [timedelta(minutes=15)] * 2
    assert len(events("grant.use")) == 1
    raw.as_owner(
        "update access_casegrant set starts_at = starts_at - interval '16 minutes',"
        " expires_at = expires_at - interval '16 minutes' where single_use"
    )
    assert browser.get(address).status_code == 404
    assert browser.get(f"/api/v1/cases/{world.case.pk}").status_code == 404


@pytest.mark.parametrize("way", ["detail", "reveal", "visits", "contacts"])
def test_the_api_uses_it_up_too(world: Any, once: None, signed_in: Any, way: str) -> None:
    browser, address = signed_in(world.outsider), f"/api/v1/cases/{world.case.pk}"
    if way == "reveal":
        body = {"fields": ["phone"], "purpose": "P2"}
        answer = browser.post(f"{address}/reveal", body, content_type="application/json")
    else:
        answer = browser.get(address if way == "detail" else f"{address}/{way}")
    assert answer.status_code == 200
    assert windows(world) == [timedelta(minutes=15)] * 2


def test_a_single_use_stands_beside_the_grant(world: Any, once: None, signed_in: Any) -> None:
    place = reverse("access:case", args=[world.case.pk])
    assert "single use, not opened yet" in signed_in(world.supervisor).get(place).content.decode()
    browser = signed_in(world.outsider)
    assert "single use, not opened yet" in browser.get(reverse("access:grants")).content.decode()
    browser.get(f"/cases/{world.case.pk}/")
    assert "single use, opened" in browser.get(reverse("access:grants")).content.decode()


def test_the_dialog_gives_it_and_refuses_it_with_an_export(world: Any, signed_in: Any) -> None:
    browser, place = signed_in(world.supervisor), reverse("access:case", args=[world.case.pk])
    given = {
        "to": world.outsider.pk,
        "purpose": "P2",
        "classes": "reveal_reach",
        "lasts": "3",
        "single_use": "on",
    }
    assert browser.post(place, {**given, "more": "export_case"}).status_code == 422
    assert not sees(world.outsider, world.case)
    assert browser.post(place, given).status_code == 302
    with as_person(world.supervisor):
        held = CaseGrant.objects.filter(user=world.outsider).values_list("single_use", flat=True)
        assert set(held) == {True}


def test_nobody_uses_up_what_another_holds(world: Any, once: None) -> None:
    use = "select sec.use_once(%s)"
    for who in (world.investigator, world.supervisor, world.colleague, world.auditor):
        raw.run(raw.person(who), use, [world.case.pk])
        with transaction.atomic(), acting_as(who):
            from access import single_use

            assert single_use.note_opening(world.case, who) is None
    assert windows(world) == []


# ---------------------------------------------------------------- unused


def aged(days: int) -> None:
    raw.as_owner(f"update access_casegrant set starts_at = starts_at - interval '{days} days'")


def test_what_was_not_used_for_two_weeks_is_listed_and_ends_with_a_click(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with as_person(world.supervisor):
        assert actions.unused() == []
    aged(15)
    browser, address = signed_in(world.supervisor), reverse("access:unused")
    lines = browser.get(address).context["lines"]
    # Whoever opened the case made it: that was a use.
    assert [line["person"].pk for line in lines] == [world.outsider.pk]
    answer = browser.post(address, {"grant": f"{world.outsider.pk}.{world.case.pk}"})
    assert answer.status_code == 302
    assert not sees(world.outsider, world.case)


def test_opening_a_case_is_a_use_and_listing_it_is_none(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    aged(15)
    browser = signed_in(world.outsider)
    browser.get("/cases/")
    with as_person(world.supervisor):
        assert len(actions.unused()) == 1
    browser.get(f"/cases/{world.case.pk}/")
    with as_person(world.supervisor):
        assert actions.unused() == []


def test_another_area_is_told_nothing_and_forged_choices_end_nothing(
    world: Any, foreign: Case, signed_in: Any
) -> None:
    grant(world.case, world.outsider, world.supervisor)
    aged(15)
    with as_person(world.other_supervisor):
        assert {one.case_id for one in actions.unused()} <= {foreign.pk}
    address = reverse("access:unused")
    for forged in (
        "x",
        f"{world.outsider.pk}",
        f"{world.outsider.pk}.{foreign.pk}",
        "",
        f"{uuid4()}.{uuid4()}",
    ):
        assert signed_in(world.supervisor).post(address, {"grant": forged}).status_code == 422
    other = signed_in(world.other_supervisor)
    assert other.post(address, {"grant": f"{world.outsider.pk}.{world.case.pk}"}).status_code == 422
    assert sees(world.outsider, world.case)
    assert sees(world.outsider, foreign)
    for who in (world.investigator, world.auditor, world.secadmin):
        assert raw.run(raw.person(who), "select * from sec.unused(14)") == 0


def test_supervisors_are_told_every_night_until_they_have_read_it(world: Any, events: Any) -> None:
    assert tasks.tell_of_unused_grants() == 0
    grant(world.case, world.outsider, world.supervisor)
    aged(15)
    assert tasks.tell_of_unused_grants() == 1
    assert tasks.tell_of_unused_grants() == 1
    with as_person(world.supervisor):
        assert Notice.objects.filter(kind=Notice.Kind.GRANTS_UNUSED).count() == 1
    with as_person(world.other_supervisor):
        assert not Notice.objects.exists()
    assert next(event["counts"] for event in events("job") if event["reason"] == "grants_unused") == {
        "grants": 1,
        "told": 0,
    }
    for who in (world.supervisor, world.investigator, world.auditor):
        assert raw.run(raw.person(who), "select * from sec.unused_counts(14)") == 0
