"""Accounts: what a security administrator changes alone, what needs two, and what a change ends at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access import actions
from access.models import AccountChange, CaseGrant, User
from tests import factories
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def second(world: Any) -> User:
    """Another security administrator."""
    with factories.as_owner():
        return factories.user("secadmin_two", "secadmin", world.province)


def typed(person: User, **other: Any) -> dict[str, Any]:
    """The form as the page shows it, with what was changed."""
    given = {
        "role": person.role,
        "organisation": person.organisation_id,
        "is_active": "on" if person.is_active else "",
        "is_temporary": "on" if person.is_temporary else "",
        "ends_on": "",
        "reason": "task",
        **other,
    }
    return {name: value for name, value in given.items() if value != ""}


def post(client: Client, person: User, **other: Any) -> Any:
    return client.post(reverse("access:account", args=[person.pk]), typed(person, **other))


def now_of(person: User) -> User:
    with factories.as_owner():
        return User.objects.select_related("organisation").get(pk=person.pk)


def grants_of(person: User) -> int:
    with factories.as_owner():
        return CaseGrant.objects.filter(user=person).count()


def test_the_list_is_searched_without_a_name_in_the_address(world: Any, signed_in: Any, events: Any) -> None:
    client = signed_in(world.secadmin)
    answer = client.post(reverse("access:accounts"), {"q": "OUTSI", "organisation": world.city.pk})
    text = answer.content.decode()
    assert ">outsider<" in text
    assert ">colleague<" not in text
    assert events("account.view")[0]["counts"] == {"accounts": 1}
    assert client.post(reverse("access:accounts"), {"role": "king"}).status_code == 422


@pytest.mark.parametrize(
    ("state", "shown"), [("present", "colleague"), ("inactive", "outsider"), ("ended", "partner")]
)
def test_the_list_is_narrowed_by_state(world: Any, signed_in: Any, state: str, shown: str) -> None:
    with factories.as_owner():
        User.objects.filter(pk=world.outsider.pk).update(is_active=False)
        User.objects.filter(pk=world.partner.pk).update(ends_at=timezone.now() - timedelta(hours=1))
    text = signed_in(world.secadmin).post(reverse("access:accounts"), {"state": state}).content.decode()
    found = {name for name in ("colleague", "outsider", "partner") if f">{name}<" in text}
    assert found == {shown}


def test_another_organisation_ends_sessions_and_grants_at_once(
    world: Any, signed_in: Any, events: Any
) -> None:
    theirs = signed_in(world.investigator)
    assert theirs.get(reverse("cases:list")).status_code == 200
    assert grants_of(world.investigator) > 0
    answer = post(
        signed_in(world.secadmin),
        world.investigator,
        organisation=world.other_district.pk,
        reason="moved",
    )
    assert answer.status_code == 302
    assert now_of(world.investigator).organisation == world.other_district
    assert grants_of(world.investigator) == 0
    assert theirs.get(reverse("cases:list")).status_code == 302
    (event,) = events("account.change")
    assert event["fields"] == ["organisation"]
    assert event["extra"] == {
        "old_organisation": world.district.pk,
        "new_organisation": world.other_district.pk,
    }
    assert event["reason"] == "account.moved"


@pytest.mark.parametrize("change", [{"organisation": "other_district"}, {"is_active": ""}])
def test_whoever_leaves_is_in_no_team_any_more(world: Any, signed_in: Any, change: dict[str, Any]) -> None:
    with factories.as_person(world.supervisor):
        team = actions.make_team("一组", by=world.supervisor)
        for person in (world.colleague, world.investigator):
            actions.join(team, person, by=world.supervisor)
    change = {name: getattr(world, value).pk if value else value for name, value in change.items()}
    assert post(signed_in(world.secadmin), world.colleague, **change).status_code == 302
    rows = raw.owner_rows("select user_id from access_teammember where team_id = %s", [team.pk])
    assert rows == [(world.investigator.pk,)]


def test_a_new_role_is_logged_with_both_codes(world: Any, signed_in: Any, events: Any) -> None:
    assert post(signed_in(world.secadmin), world.colleague, role="supervisor").status_code == 302
    assert now_of(world.colleague).role == "supervisor"
    (event,) = events("role.change")
    assert (event["extra"]["old_role"], event["extra"]["new_role"]) == ("investigator", "supervisor")


def test_a_switched_off_person_is_refused_on_the_next_request(world: Any, signed_in: Any) -> None:
    theirs = signed_in(world.supervisor)
    assert theirs.get(reverse("cases:list")).status_code == 200
    assert post(signed_in(world.secadmin), world.supervisor, is_active="").status_code == 302
    assert theirs.get(reverse("cases:list")).status_code == 302
    assert raw.count(raw.person(world.supervisor), "cases_case") == 0
    answer = Client().post(
        reverse("access:sign_in"), {"username": "supervisor", "password": factories.PASSWORD}
    )
    assert answer.status_code == 422


def test_switching_on_again_does_not_revive_a_session(world: Any, signed_in: Any) -> None:
    theirs, admin = signed_in(world.colleague), signed_in(world.secadmin)
    post(admin, world.colleague, is_active="")
    post(admin, now_of(world.colleague), is_active="on", reason="returned")
    assert now_of(world.colleague).is_active
    assert theirs.get(reverse("cases:list")).status_code == 302


def test_past_its_end_an_account_is_nobodys(world: Any, signed_in: Any) -> None:
    theirs = signed_in(world.investigator)
    assert raw.count(raw.person(world.investigator), "cases_case") == 1
    with factories.as_owner():
        User.objects.filter(pk=world.investigator.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    assert raw.count(raw.person(world.investigator), "cases_case") == 0
    assert theirs.get(reverse("cases:list")).status_code == 302
    wrong = Client().post(reverse("access:sign_in"), {"username": "investigator", "password": "x"})
    right = Client().post(
        reverse("access:sign_in"), {"username": "investigator", "password": factories.PASSWORD}
    )
    assert right.status_code == wrong.status_code == 422
    words = [line for line in wrong.content.decode().splitlines() if "notice-error" in line]
    assert words == [line for line in right.content.decode().splitlines() if "notice-error" in line]


@pytest.mark.parametrize(
    "given",
    [
        {"role": "king"},
        {"organisation": 0},
        {"reason": "because"},
        {"ends_on": "2020-01-01"},
        {"is_temporary": "on"},
        {"is_temporary": "on", "ends_on": "2199-01-01"},
        {"is_temporary": "on", "ends_on": f"{timezone.localdate()}", "role": "supervisor"},
        {},
    ],
)
def test_bad_input_changes_nothing(world: Any, signed_in: Any, given: dict[str, Any]) -> None:
    before = now_of(world.colleague)
    assert post(signed_in(world.secadmin), world.colleague, **given).status_code == 422
    after = now_of(world.colleague)
    for name in ("role", "organisation_id", "is_active", "is_temporary", "ends_at", "session_stamp"):
        assert getattr(before, name) == getattr(after, name)


@pytest.mark.parametrize("role", ["investigator", "supervisor", "auditor", "privacy", "sysadmin", "partner"])
def test_no_other_role_sees_or_changes_accounts(world: Any, signed_in: Any, role: str) -> None:
    client = signed_in(world.people[role])
    assert client.get(reverse("access:accounts")).status_code == 403
    assert client.get(reverse("access:invite")).status_code == 403
    assert post(client, world.colleague, role="supervisor").status_code == 403
    assert now_of(world.colleague).role == "investigator"


# Two persons


def test_a_security_administrator_is_made_by_two(
    world: Any, signed_in: Any, events: Any, second: User
) -> None:
    assert post(signed_in(world.secadmin), world.auditor, role="secadmin").status_code == 302
    assert now_of(world.auditor).role == "auditor"
    with factories.as_owner():
        waiting = AccountChange.objects.get()
    address = reverse("access:decide_change", args=[waiting.pk])
    signed_in(world.secadmin).post(address, {"answer": "confirm"})
    assert now_of(world.auditor).role == "auditor"
    signed_in(second).post(address, {"answer": "confirm"})
    assert now_of(world.auditor).role == "secadmin"
    assert events("role.change")[0]["extra"]["asked_by"] == str(world.secadmin.pk)
    assert events("account.ask")[0]["extra"]["new_role"] == "secadmin"


def test_a_declined_change_stays_declined(world: Any, signed_in: Any, events: Any, second: User) -> None:
    post(signed_in(world.secadmin), world.auditor, role="secadmin")
    with factories.as_owner():
        waiting = AccountChange.objects.get()
    address = reverse("access:decide_change", args=[waiting.pk])
    signed_in(second).post(address, {"answer": "refuse"})
    signed_in(second).post(address, {"answer": "confirm"})
    assert now_of(world.auditor).role == "auditor"
    assert events("account.reject")
    assert not events("role.change")


def test_ones_own_account_changes_only_with_a_second(world: Any, signed_in: Any, second: User) -> None:
    post(signed_in(world.secadmin), world.secadmin, role="auditor")
    assert now_of(world.secadmin).role == "secadmin"
    with factories.as_owner():
        waiting = AccountChange.objects.get()
    signed_in(second).post(reverse("access:decide_change", args=[waiting.pk]), {"answer": "confirm"})
    assert now_of(world.secadmin).role == "auditor"


def test_a_colleague_is_stopped_alone_but_not_started(world: Any, signed_in: Any, second: User) -> None:
    post(signed_in(world.secadmin), second, is_active="")
    assert not now_of(second).is_active
    post(signed_in(world.secadmin), now_of(second), is_active="on")
    assert not now_of(second).is_active


SELF = "update access_user set {} where username = 'secadmin'"
THEM = "update access_user set {} where username = 'colleague'"
TWO = "update access_user set {} where username = 'secadmin_two'"


@pytest.mark.parametrize(
    "statement",
    [
        SELF.format("role = 'supervisor'"),
        SELF.format("is_active = false"),
        SELF.format("ends_at = null"),
        THEM.format("role = 'secadmin'"),
        TWO.format("role = 'auditor'"),
        TWO.format("is_active = false, role = 'auditor'"),
        TWO.format("ends_at = now() + interval '1 day'"),
        "update access_accountchange set verdict = 'confirmed', decided_by_id = asked_by_id, decided_at = now()",
    ],
)
def test_sql_of_a_security_administrator_gains_nothing_alone(
    world: Any, second: User, statement: str
) -> None:
    ask(world.secadmin, world.auditor)
    assert raw.run(raw.person(world.secadmin), statement) in (raw.REFUSED, 0)
    assert raw.run(raw.person(world.secadmin), THEM.format("role = 'supervisor'")) == 1
    assert raw.run(raw.person(world.secadmin), TWO.format("is_active = false")) == 1
    assert raw.run(raw.role("ep_secadmin"), THEM.format("role = 'supervisor'")) == raw.REFUSED


ASK = (
    "insert into access_accountchange (id, person_id, role, organisation_id, is_active, is_temporary, reason,"
    " asked_by_id, asked_at, verdict) values (gen_random_uuid(), %s, 'secadmin', %s, true, false, 'task', %s,"
    " now() + %s::interval, '')"
)
DECIDE = (
    "update access_accountchange set verdict = 'confirmed', decided_by_id = %s, decided_at = now()"
    " where verdict = ''"
)


def ask(by: User, person: User) -> None:
    with factories.as_person(by):
        from access.actions import accounts

        wanted = accounts.State(accounts.Role.SECADMIN, person.organisation)
        assert accounts.change(person, wanted, reason=accounts.Reason.TASK, by=by)


def test_sql_confirms_only_what_another_asked_for(world: Any, second: User) -> None:
    ask(world.secadmin, world.auditor)
    me, other = raw.person(world.secadmin), raw.person(second)
    assert raw.run(me, DECIDE, [second.pk]) == 0
    assert raw.run(other, DECIDE, [world.secadmin.pk]) == raw.REFUSED
    assert raw.run(other, DECIDE, [second.pk]) == 1


def test_sql_asks_in_ones_own_name_and_now(world: Any, second: User) -> None:
    me = raw.person(world.secadmin)
    place = world.province.pk
    assert raw.run(me, ASK, [world.auditor.pk, place, second.pk, "0"]) == raw.REFUSED
    assert raw.run(me, ASK, [world.auditor.pk, place, world.secadmin.pk, "30 days"]) == raw.REFUSED
    assert raw.run(me, ASK, [world.auditor.pk, place, world.secadmin.pk, "0"]) == 1


def test_an_old_request_is_confirmed_by_nobody(world: Any, second: User) -> None:
    ask(world.secadmin, world.auditor)
    raw.as_owner("update access_accountchange set asked_at = now() - interval '8 days'")
    assert raw.run(raw.person(second), DECIDE, [second.pk]) == raw.REFUSED


@pytest.mark.parametrize(
    "statement",
    [
        "select 1 from cases_case",
        "select 1 from access_casegrant",
        "select reason from access_accessdecision",
        "select password from access_user",
        "update access_user set is_superuser = true",
        "update access_user set password = 'x'",
        "update access_user set username = 'x'",
        "update access_user set session_stamp = gen_random_uuid()",
        "insert into access_user (id, username) values (gen_random_uuid(), 'x')",
        "delete from access_user",
        "select code_hash from access_invitation",
        "update access_invitation set used_at = null",
        "delete from access_invitation",
        "select wrapped from vault_keyring",
    ],
)
def test_sql_of_a_security_administrator_is_denied_the_rest(world: Any, statement: str) -> None:
    assert raw.run(raw.person(world.secadmin), statement) == raw.DENIED


# Temporary staff


def temporary(world: Any, days: int = 30) -> User:
    """The colleague as a contractor."""
    with factories.as_owner():
        User.objects.filter(pk=world.colleague.pk).update(
            is_temporary=True, ends_at=timezone.now() + timedelta(days=days)
        )
        return User.objects.select_related("organisation").get(pk=world.colleague.pk)


def give(client: Client, world: Any, person: User, **other: Any) -> Any:
    given = {"to": person.pk, "purpose": "P4", "classes": ["reveal_reach"], "lasts": "7", **other}
    return client.post(reverse("access:case", args=[world.case.pk]), given)


def test_temporary_staff_get_a_week_and_no_export(world: Any, signed_in: Any) -> None:
    person, client = temporary(world), signed_in(world.supervisor)
    assert give(client, world, person, lasts="30").status_code == 422
    assert give(client, world, person, more=["export_case"]).status_code == 422
    assert grants_of(person) == 0
    assert give(client, world, person).status_code == 302
    assert grants_of(person) == 2


def test_the_database_refuses_temporary_staff_the_same(world: Any) -> None:
    from access.visibility import CasePermission, permission_id
    from tests.security.test_pinned import GRANT

    person = temporary(world)
    decision = factories.grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    now, boss = timezone.now(), raw.person(world.supervisor)

    def insert(permission: CasePermission, days: int) -> str | int:
        return raw.run(
            boss,
            GRANT,
            [
                person.pk,
                permission_id(permission),
                world.case.pk,
                decision.pk,
                world.supervisor.pk,
                now,
                now + timedelta(days=days),
            ],
        )

    assert insert(CasePermission.VIEW, 7) == 1
    assert insert(CasePermission.VIEW, 8) == raw.REFUSED
    assert insert(CasePermission.EXPORT, 1) == raw.REFUSED


def test_a_case_opened_by_temporary_staff_is_theirs_for_a_week_without_export(world: Any) -> None:
    person = temporary(world)
    factories.case(person, world.outbreak)
    with factories.as_owner():
        rows = CaseGrant.objects.filter(user=person).values_list("permission__codename", "expires_at")
        codenames = {codename for codename, _ in rows}
        latest = max(ends for _, ends in rows)
    assert "export_case" not in codenames
    assert "view_case" in codenames
    assert latest <= timezone.now() + timedelta(days=7)


def test_who_becomes_temporary_keeps_a_week_and_loses_the_export(world: Any, signed_in: Any) -> None:
    assert grants_of(world.investigator) == 7
    last_day = timezone.localdate() + timedelta(days=90)
    post(
        signed_in(world.secadmin),
        world.investigator,
        is_temporary="on",
        ends_on=f"{last_day}",
        reason="contract",
    )
    assert now_of(world.investigator).is_temporary
    with factories.as_owner():
        rows = list(CaseGrant.objects.filter(user=world.investigator))
    assert len(rows) == 6
    assert max(row.expires_at for row in rows) <= timezone.now() + timedelta(days=7)


def test_temporary_staff_are_shown_twenty_values_an_hour(world: Any, signed_in: Any) -> None:
    assert temporary(world).reveals_per_hour == 20
    post(signed_in(world.secadmin), now_of(world.colleague), is_temporary="", reason="contract")
    assert now_of(world.colleague).reveals_per_hour is None


def test_the_database_wants_an_end_for_temporary_staff(world: Any) -> None:
    me = raw.person(world.secadmin)
    assert raw.run(me, THEM.format("is_temporary = true")) == raw.REFUSED
    ends = "is_temporary = true, ends_at = now() + interval '9 days'"
    assert raw.run(me, THEM.format(ends)) == 1
    assert raw.run(me, THEM.format(f"{ends}, role = 'supervisor'")) == raw.REFUSED
