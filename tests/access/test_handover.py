"""Handing over the work of somebody who leaves: in one step, never more than was held, in the own area alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from access import actions
from access.actions import accounts, emergency
from access.actor import acting_as
from access.models import AccessDecision, CaseGrant, EmergencyAccess, Notice, Revocation, User
from access.purposes import Purpose
from access.visibility import CasePermission, permission_id
from audit.capture import audited_bulk
from cases.models import Case
from tests import factories
from tests.factories import as_person, grant
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
GRANT = (
    "insert into access_casegrant (id, user_id, permission_id, content_object_id, decision_id, granted_by_id,"
    " kind, starts_at, expires_at)"
    " values (gen_random_uuid(), %s, %s, %s, %s, %s, 'handover', now(), now() + %s::interval)"
)


def sees(person: Any, case: Case) -> bool:
    with transaction.atomic(), acting_as(person):
        return Case.objects.visible_to(person).filter(pk=case.pk).exists()


def held(person: Any) -> list[CaseGrant]:
    with factories.as_owner():
        rows = CaseGrant.objects.filter(user=person).select_related("permission", "decision")
        return list(rows.order_by("content_object_id", "permission__codename"))


def leave(world: Any, person: Any, **new: Any) -> None:
    """A security administrator changes or ends the account."""
    with as_person(world.secadmin):
        known = User.objects.select_related("organisation").get(pk=person.pk)
        before = accounts.State.of(known)
        wanted = accounts.replace(before, **(new or {"is_active": False}))
        accounts.change(known, wanted, reason=accounts.Reason.LEFT, by=world.secadmin)


def name(case: Case, person: Any) -> None:
    with factories.as_owner(), audited_bulk("test"):
        Case.objects.filter(pk=case.pk).update(investigator=person)


def investigator_of(case: Case) -> Any:
    return raw.owner_rows("select investigator_id from cases_case where id = %s", [case.pk])[0][0]


def hand_over(world: Any, person: Any = None, to: Any = None, by: Any = None) -> actions.Handover:
    by = by or world.supervisor
    with as_person(by):
        return actions.hand_over(person or world.investigator, to or world.colleague, by=by)


def address(person: Any) -> str:
    return reverse("access:hand_over", args=[person.pk])


@pytest.fixture
def second(world: Any) -> Case:
    """Another case of the district, of the same investigator."""
    return factories.case(world.investigator, world.outbreak)


# ---------------------------------------------------------------- the act


@pytest.mark.parametrize("change", ["stopped", "moved", "role"])
def test_the_work_of_who_has_left_is_handed_over_in_one_step(
    world: Any, second: Case, signed_in: Any, change: str
) -> None:
    name(second, world.outsider)
    before = {(g.content_object_id, g.permission.codename): g for g in held(world.investigator)}
    new = {"moved": {"organisation": world.other_district}, "role": {"role": accounts.Role.AUDITOR}}
    leave(world, world.investigator, **new.get(change, {}))
    assert not held(world.investigator)
    browser = signed_in(world.supervisor)
    assert address(world.investigator) in browser.get(reverse("access:holders")).content.decode()
    shown = browser.post(address(world.investigator), {"to": world.colleague.pk})
    rows = len(shown.context["found"].expansion.rows)
    assert (shown.status_code, len(shown.context["going"]), rows) == (200, 2, len(before))
    assert not sees(world.colleague, world.case)
    given = {"to": world.colleague.pk, "shown": world.colleague.pk, "reason": "left the district"}
    assert browser.post(address(world.investigator), {**given, "expected": rows - 1}).status_code == 200
    assert not sees(world.colleague, world.case)
    assert browser.post(address(world.investigator), {**given, "expected": rows}).status_code == 302
    after = {(g.content_object_id, g.permission.codename): g for g in held(world.colleague)}
    assert after.keys() == before.keys()
    month = timezone.now() + timedelta(days=30)
    for key, one in after.items():
        assert one.expires_at <= min(before[key].expires_at, month)
        assert one.expires_at > month - timedelta(hours=1)
        assert (one.kind, one.decision.kind) == ("handover", "handover")
        assert one.decision.purpose == before[key].decision.purpose
        assert one.decision.taken_over_from_id == world.investigator.pk
        assert one.decision.reason == "left the district"
    assert sees(world.colleague, world.case)
    assert investigator_of(world.case) == world.colleague.pk
    assert investigator_of(second) == world.outsider.pk
    # Nothing is left to hand over.
    assert address(world.investigator) not in browser.get(reverse("access:holders")).content.decode()


def test_what_still_runs_ends_with_the_same_act(world: Any, second: Case) -> None:
    found = hand_over(world)
    assert found.cases == {world.case.pk, second.pk}
    assert not held(world.investigator)
    assert not sees(world.investigator, world.case)
    with as_person(world.supervisor):
        [act] = Revocation.objects.all()
    assert (act.kind, act.person_id, act.n_grants) == ("handover", world.investigator.pk, 2)


def test_a_shorter_end_and_each_purpose_stay(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.REACH, days=3)
    other = factories.case(world.colleague, world.outbreak)
    grant(other, world.outsider, world.supervisor, CasePermission.HEALTH, days=5, purpose=Purpose.SOURCE)
    before = {
        (g.content_object_id, g.permission_id): (g.expires_at, g.decision.purpose)
        for g in held(world.outsider)
    }
    hand_over(world, world.outsider, world.investigator)
    taken = [g for g in held(world.investigator) if g.content_object_id == other.pk]
    assert {(g.content_object_id, g.permission_id): (g.expires_at, g.decision.purpose) for g in taken} == {
        key: value for key, value in before.items() if key[0] == other.pk
    }
    # The taker opened the first case and holds it for longer: that stays as it is.
    assert {g.kind for g in held(world.investigator) if g.content_object_id == world.case.pk} == {"created"}


def test_an_end_two_agreed_to_is_cut_to_thirty_days(world: Any, second: Case) -> None:
    raw.as_owner(
        "update access_casegrant set expires_at = starts_at + interval '80 days'"
        f" where user_id = '{world.investigator.pk}'"
    )
    hand_over(world)
    month = timezone.now() + timedelta(days=30)
    assert {g.expires_at <= month for g in held(world.colleague)} == {True}


def test_each_step_is_on_the_log(world: Any, second: Case, events: Any) -> None:
    name(second, world.outsider)
    hand_over(world)
    [event] = events("work.hand_over")
    assert event["object"]["pk"] == str(world.investigator.pk)
    assert event["toward"]["id"] == str(world.colleague.pk)
    assert event["counts"] == {"cases": 2, "named": 1, "staying": 0}
    assert {one["pk"] for one in event["others"]} == {str(world.case.pk), str(second.pk)}
    assert [set(change["fields"]) for change in event["changes"]] == [{"investigator", "changed_at"}]
    [issued] = events("grant.issue")
    assert issued["extra"]["scope"] == "handover"
    assert issued["decision"]
    [revoked] = events("grant.revoke")
    assert (revoked["extra"]["scope"], revoked["reason"]) == ("handover", "handed_over")


def test_the_taker_is_told_and_so_are_the_supervisors_when_somebody_leaves(
    world: Any, signed_in: Any
) -> None:
    leave(world, world.investigator)
    page = signed_in(world.supervisor).get(reverse("access:notices")).content.decode()
    assert f"The access of {world.investigator.display_name} has ended. Hand their work over." in page
    assert reverse("access:holders") in page
    page = signed_in(world.other_supervisor).get(reverse("access:notices")).content.decode()
    assert "Hand their work over" not in page
    hand_over(world)
    page = signed_in(world.colleague).get(reverse("access:notices")).content.decode()
    assert "handed a colleague&#x27;s work over to you." in page


def test_only_the_area_is_handed_over(world: Any, second: Case) -> None:
    foreign = factories.case(world.outsider, world.outbreak)
    grant(foreign, world.investigator, world.other_supervisor)
    leave(world, world.investigator)
    found = hand_over(world)
    assert found.cases == {world.case.pk, second.pk}
    assert not sees(world.colleague, foreign)
    with pytest.raises(actions.GrantRefused, match="taker"):
        hand_over(world, to=world.colleague, by=world.other_supervisor)
    assert hand_over(world, to=world.outsider, by=world.other_supervisor).cases == {foreign.pk}


def test_a_city_supervisor_hands_over_across_districts(world: Any, second: Case) -> None:
    with factories.as_owner():
        city = factories.user("city_supervisor", "supervisor", world.city)
    leave(world, world.investigator)
    assert hand_over(world, to=world.outsider, by=city).cases == {world.case.pk, second.pk}


def test_whoever_is_chosen_after_the_preview_gets_a_preview_of_their_own(world: Any, signed_in: Any) -> None:
    with factories.as_owner():
        peer = factories.user("peer", "investigator", world.district)
    given = {"to": peer.pk, "shown": world.colleague.pk, "expected": 7}
    answer = signed_in(world.supervisor).post(address(world.investigator), given)
    assert (answer.status_code, len(answer.context["going"])) == (200, 1)
    assert not held(peer)
    given["shown"] = peer.pk
    assert signed_in(world.supervisor).post(address(world.investigator), given).status_code == 302
    assert sees(peer, world.case)


# ---------------------------------------------------------------- what stays


def staying(world: Any, person: Any, to: Any, signed_in: Any) -> list[tuple[str, str]]:
    answer = signed_in(world.supervisor).post(address(person), {"to": to.pk})
    assert answer.status_code == 200
    return [(line["case"].case_no, line["why"]) for line in answer.context["staying"]]


def test_the_preview_says_what_cannot_go_and_why(world: Any, signed_in: Any) -> None:
    cases = [factories.case(world.colleague, world.outbreak) for _ in range(4)]
    grant(cases[0], world.outsider, world.supervisor)
    with as_person(world.supervisor):
        actions.issue(
            cases[1],
            world.outsider,
            [CasePermission.REACH],
            purpose=Purpose.REACH,
            reason="",
            until=timezone.now() + timedelta(days=3),
            by=world.supervisor,
            single_use=True,
        )
    with as_person(world.outsider):
        emergency.break_glass(
            cases[2].case_no, EmergencyAccess.Reason.LIFE, words="", hours=4, by=world.outsider
        )
    name(cases[3], world.outsider)
    found = dict(staying(world, world.outsider, world.investigator, signed_in))
    assert found == {
        cases[1].case_no: "For a single use by this person.",
        cases[2].case_no: "Emergency access is for one person alone.",
        cases[3].case_no: "The person holds nothing there any more. Give access to the case itself.",
    }
    hand_over(world, world.outsider, world.investigator)
    assert sees(world.investigator, cases[0])
    assert not any(sees(world.investigator, case) for case in cases[1:])
    # What stays is not touched: still theirs, still under their name.
    assert sees(world.outsider, cases[1])
    assert investigator_of(cases[3]) == world.outsider.pk


def test_a_single_use_that_ended_with_the_account_stays_single(world: Any) -> None:
    with as_person(world.supervisor):
        actions.issue(
            world.case,
            world.outsider,
            [CasePermission.REACH],
            purpose=Purpose.REACH,
            reason="",
            until=timezone.now() + timedelta(days=3),
            by=world.supervisor,
            single_use=True,
        )
    leave(world, world.outsider)
    with pytest.raises(actions.GrantRefused, match="nothing"):
        hand_over(world, world.outsider, world.colleague)


def test_whoever_can_open_the_case_already_is_named_without_new_access(world: Any) -> None:
    mine = factories.case(world.colleague, world.outbreak)
    name(mine, world.outsider)
    before = held(world.colleague)
    found = hand_over(world, world.outsider)
    assert (found.cases, found.named, found.expansion.rows) == ({mine.pk}, {mine.pk}, set())
    assert investigator_of(mine) == world.colleague.pk
    assert held(world.colleague) == before


def test_a_single_use_of_the_taker_keeps_no_work_from_them(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, days=20)
    with as_person(world.supervisor):
        actions.issue(
            world.case,
            world.colleague,
            [CasePermission.REACH],
            purpose=Purpose.REACH,
            reason="",
            until=timezone.now() + timedelta(days=25),
            by=world.supervisor,
            single_use=True,
        )
    hand_over(world, world.outsider)
    now = {row.permission.codename: row for row in held(world.colleague)}
    assert not now["reveal_reach"].single_use
    assert {row.kind for row in now.values()} == {"handover"}
    assert sees(world.colleague, world.case)


def test_what_was_given_again_and_taken_back_by_a_supervisor_has_not_left(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    leave(world, world.outsider)
    leave(world, world.outsider, is_active=True)
    grant(world.case, world.outsider, world.supervisor)
    with as_person(world.supervisor):
        actions.revoke_person(world.outsider, by=world.supervisor)
    assert signed_in(world.supervisor).get(address(world.outsider)).status_code == 404


def test_the_work_of_an_account_past_its_end_is_handed_over(world: Any, signed_in: Any) -> None:
    with factories.as_owner():
        User.objects.filter(pk=world.investigator.pk).update(ends_at=timezone.now() - timedelta(hours=1))
    page = signed_in(world.supervisor).get(reverse("access:holders")).content.decode()
    assert address(world.investigator) in page
    assert hand_over(world).cases == {world.case.pk}
    assert sees(world.colleague, world.case)


def test_what_a_stand_in_holds_in_the_leavers_place_is_not_passed_on(world: Any) -> None:
    with as_person(world.supervisor):
        actions.stand_in_for(
            world.investigator,
            world.outsider,
            until=timezone.now() + timedelta(days=5),
            by=world.supervisor,
        )
    with pytest.raises(actions.GrantRefused, match="nothing"):
        hand_over(world, world.outsider, world.colleague)
    assert insert(world, decided(world, world.outsider)) == raw.REFUSED


def test_work_taken_over_can_be_handed_on_within_its_end(world: Any) -> None:
    with factories.as_owner():
        peer = factories.user("peer", "investigator", world.district)
    hand_over(world)
    before = {g.permission_id: g.expires_at for g in held(world.colleague)}
    leave(world, world.colleague)
    hand_over(world, world.colleague, peer)
    after = {g.permission_id: g.expires_at for g in held(peer)}
    assert after.keys() == before.keys()
    assert all(after[key] <= before[key] for key in before)


def test_a_hand_over_that_was_taken_back_can_be_done_again(world: Any) -> None:
    with factories.as_owner():
        peer = factories.user("peer", "investigator", world.district)
    leave(world, world.investigator)
    hand_over(world)
    with as_person(world.supervisor):
        assert actions.left_lately() == []
        actions.revoke_person(world.colleague, by=world.supervisor)
        assert [one.user for one in actions.left_lately()] == [world.investigator]
    hand_over(world, to=peer)
    assert sees(peer, world.case)
    assert not sees(world.colleague, world.case)


def test_what_a_supervisor_took_back_is_not_handed_over(world: Any, signed_in: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with as_person(world.supervisor):
        actions.revoke_person(world.outsider, by=world.supervisor)
    leave(world, world.outsider)
    assert signed_in(world.supervisor).get(address(world.outsider)).status_code == 404


def test_temporary_staff_take_over_for_seven_days_and_without_export(world: Any) -> None:
    with factories.as_owner():
        helper = factories.user(
            "helper",
            "investigator",
            world.district,
            is_temporary=True,
            ends_at=timezone.now() + timedelta(days=60),
        )
    hand_over(world, to=helper)
    taken = held(helper)
    assert {g.expires_at <= timezone.now() + timedelta(days=7) for g in taken} == {True}
    assert {g.permission.codename for g in taken} == {g.value for g in CasePermission} - {"export_case"}


def test_whoever_came_back_to_the_case_has_left_no_work_there(
    world: Any, second: Case, signed_in: Any
) -> None:
    leave(world, world.investigator)
    leave(world, world.investigator, is_active=True)
    grant(world.case, world.investigator, world.supervisor, CasePermission.REACH)
    found = hand_over(world)
    assert found.cases == {world.case.pk, second.pk}
    codes = {g.permission.codename for g in held(world.colleague) if g.content_object_id == world.case.pk}
    assert codes == {"view_case", "reveal_reach"}


# ---------------------------------------------------------------- who may not


def test_other_roles_and_other_areas_are_kept_out(world: Any, signed_in: Any) -> None:
    leave(world, world.investigator)
    for who in ("colleague", "auditor", "privacy", "secadmin", "sysadmin", "partner"):
        browser = signed_in(getattr(world, who))
        assert browser.get(address(world.investigator)).status_code == 403
        answer = browser.post(
            address(world.investigator),
            {"to": world.colleague.pk, "shown": world.colleague.pk, "expected": 7},
        )
        assert answer.status_code == 403
    other = signed_in(world.other_supervisor)
    assert other.get(address(world.investigator)).status_code == 404
    answer = other.post(
        address(world.investigator), {"to": world.outsider.pk, "shown": world.outsider.pk, "expected": 7}
    )
    assert answer.status_code == 404
    assert signed_in(world.supervisor).get(f"/access/holders/people/{uuid4()}/hand-over/").status_code == 404
    assert not held(world.colleague)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": "investigator"}, "to"),
        ({"to": "outsider"}, "to"),
        ({"to": "supervisor"}, "to"),
        ({"to": "auditor"}, "to"),
        ({"to": str(uuid4())}, "to"),
        ({"reason": "call 138 0000 1234"}, "reason"),
        ({"expected": "all"}, "expected"),
    ],
)
def test_bad_input_is_said_beside_its_field_and_changes_nothing(
    world: Any, signed_in: Any, wrong: dict[str, str], field: str
) -> None:
    if person := getattr(world, wrong.get("to", ""), None):
        wrong = {"to": person.pk}
    answer = signed_in(world.supervisor).post(
        address(world.investigator),
        {"to": world.colleague.pk, "shown": world.colleague.pk, "expected": "7", **wrong},
    )
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert len(held(world.investigator)) == 7
    assert not held(world.colleague)


def test_the_action_itself_refuses_a_wrong_taker(world: Any) -> None:
    for to, code in (
        (world.investigator, "same"),
        (world.supervisor, "self"),
        (world.outsider, "taker"),
        (world.auditor, "taker"),
    ):
        with pytest.raises(actions.GrantRefused, match=code):
            hand_over(world, to=to)
    with factories.as_owner():
        User.objects.filter(pk=world.colleague.pk).update(is_active=False)
    with pytest.raises(actions.GrantRefused, match="taker"):
        hand_over(world)


def test_the_page_speaks_chinese(world: Any, signed_in: Any) -> None:
    browser = signed_in(world.supervisor)
    browser.post(reverse("access:language"), {"language": "zh-hans"})
    answer = browser.post(address(world.investigator), {"to": world.colleague.pk})
    page = answer.content.decode()
    assert f"移交{world.investigator.display_name}的工作" in page
    assert "移交 1 个病例" in page
    answer = browser.post(address(world.investigator), {"to": ""})
    assert answer.status_code == 422


# ---------------------------------------------------------------- raw SQL


def decided(world: Any, person: Any, purpose: str = "P4", by: Any = None) -> AccessDecision:
    by = by or world.supervisor
    with as_person(by):
        made = AccessDecision(kind="handover", purpose=purpose, granted_by=by, taken_over_from=person)
        made.save(force_insert=True)
    return made


def insert(  # noqa: PLR0917 (the columns of one grant)
    world: Any,
    decision: AccessDecision,
    to: Any = None,
    lasts: str = "1 day",
    permission: CasePermission = CasePermission.VIEW,
    case: Case | None = None,
    by: Any = None,
) -> Any:
    by = by or world.supervisor
    record = case or world.case
    values = [(to or world.colleague).pk, permission_id(permission), record.pk, decision.pk, by.pk, lasts]
    return raw.run(raw.person(by), GRANT, values)


@pytest.mark.parametrize("has_left", [False, True])
def test_the_database_gives_no_more_and_no_longer_than_was_held(world: Any, has_left: bool) -> None:
    grant(
        world.case, world.outsider, world.supervisor, CasePermission.REACH, days=5, purpose=Purpose.CONTACTS
    )
    other = factories.case(world.colleague, world.outbreak)
    if has_left:
        leave(world, world.outsider)
    decision = decided(world, world.outsider)
    assert insert(world, decision) == 1
    assert insert(world, decision, permission=CasePermission.REACH) == 1
    assert insert(world, decision, lasts="6 days") == raw.REFUSED
    assert insert(world, decision, permission=CasePermission.HEALTH) == raw.REFUSED
    assert insert(world, decision, case=other, to=world.investigator) == raw.REFUSED
    assert insert(world, decided(world, world.outsider, "P2")) == raw.REFUSED
    assert insert(world, decided(world, world.colleague), to=world.investigator) == raw.REFUSED


def test_the_database_refuses_a_wrong_taker_and_another_giver(world: Any) -> None:
    with factories.as_owner():
        peer = factories.user("peer", "investigator", world.district)
        second_boss = factories.user("second_boss", "supervisor", world.district)
    leave(world, world.investigator)
    decision = decided(world, world.investigator)
    assert insert(world, decision) == 1
    assert insert(world, decision, to=peer) == 1
    for to in (world.supervisor, world.investigator, world.outsider, world.auditor, second_boss):
        assert insert(world, decision, to=to) == raw.REFUSED
    assert insert(world, decision, by=second_boss) == raw.REFUSED
    assert insert(world, decision, by=world.other_supervisor) == raw.REFUSED
    foreign = decided(world, world.investigator, by=world.other_supervisor)
    assert insert(world, foreign, to=world.outsider, by=world.other_supervisor) == raw.REFUSED
    assert insert(world, decision, lasts="31 days") == raw.REFUSED


def test_the_database_knows_leaving_from_being_stopped_by_a_supervisor(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, purpose=Purpose.CONTACTS)
    decision = decided(world, world.outsider)
    assert insert(world, decision) == 1
    with as_person(world.supervisor):
        actions.revoke_person(world.outsider, by=world.supervisor)
    assert insert(world, decision) == raw.REFUSED


def test_what_ended_more_than_thirty_days_ago_is_nobodys(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, purpose=Purpose.CONTACTS)
    leave(world, world.outsider)
    decision = decided(world, world.outsider)
    assert insert(world, decision) == 1
    raw.as_owner(
        "alter table access_granthistory disable trigger history_stays",
        "update access_granthistory set happened_at = happened_at - interval '31 days',"
        " expires_at = now() + interval '9 days'",
        "alter table access_granthistory enable trigger history_stays",
    )
    assert insert(world, decision) == raw.REFUSED


def test_statistics_that_two_agreed_to_are_not_handed_over_by_one(world: Any) -> None:
    with factories.as_owner():
        made = AccessDecision(kind="direct", purpose="P8", granted_by=world.supervisor)
        made.save(force_insert=True)
        actions.grants.write_grants(
            made, world.case, world.outsider, [CasePermission.VIEW], timezone.now() + timedelta(days=9)
        )
    assert insert(world, decided(world, world.outsider, "P8")) == raw.REFUSED
    with pytest.raises(actions.GrantRefused, match="nothing"):
        hand_over(world, world.outsider, world.colleague)


def test_a_hand_over_names_whose_work_it_is_and_nothing_else_does(world: Any) -> None:
    decide = (
        "insert into access_accessdecision (id, kind, purpose, reason, granted_by_id, taken_over_from_id, created_at)"
        " values (gen_random_uuid(), %s, 'P4', '', %s, %s, now())"
    )
    mine = raw.person(world.supervisor)
    assert raw.run(mine, decide, ["handover", world.supervisor.pk, world.investigator.pk]) == 1
    assert raw.run(mine, decide, ["handover", world.supervisor.pk, None]) == raw.REFUSED
    assert raw.run(mine, decide, ["direct", world.supervisor.pk, world.investigator.pk]) == raw.REFUSED
    assert (
        raw.run(mine, decide, ["handover", world.other_supervisor.pk, world.investigator.pk]) == raw.REFUSED
    )
    for who in (world.investigator, world.secadmin):
        assert raw.run(raw.person(who), decide, ["handover", who.pk, world.colleague.pk]) == raw.DENIED


def test_the_list_of_what_was_left_is_the_areas_supervisors_alone(world: Any) -> None:
    leave(world, world.investigator)
    ask = "select * from sec.left_work(null)"
    assert raw.run(raw.person(world.supervisor), ask) == 7
    for who in (world.other_supervisor, world.colleague, world.secadmin, world.auditor):
        assert raw.run(raw.person(who), ask) == 0


def test_nothing_is_done_by_halves(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from access.actions import handover

    def broken(*_: Any, **__: Any) -> int:
        raise RuntimeError("the last step fails")

    name(world.case, world.investigator)
    monkeypatch.setattr(handover, "notify", broken)
    with pytest.raises(RuntimeError):
        hand_over(world)
    assert len(held(world.investigator)) == 7
    assert not held(world.colleague)
    assert investigator_of(world.case) == world.investigator.pk
    with factories.as_owner():
        assert not Notice.objects.filter(kind="work_handed_over").exists()
