"""What an UPDATE may not quietly change: a record's place, its maker, its case, the end of a grant, one's own role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access import rls
from access.models import AccessDecision
from access.visibility import CasePermission, permission_id
from tests import factories
from tests.security import raw
from tests.security.raw import DENIED, REFUSED
from tests.security.stage import Stage

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Values = Callable[[Stage], list[Any]]
GRANT = (
    "insert into access_casegrant (id, user_id, permission_id, content_object_id, decision_id, granted_by_id,"
    " kind, starts_at, expires_at) values (gen_random_uuid(), %s, %s, %s, %s, %s, 'direct', %s, %s)"
)


@pytest.fixture
def stage(committed: Stage, db: None) -> Stage:
    """One stage for the module; what a test does to it is rolled back."""
    return committed


def insider(stage: Stage) -> Any:
    return raw.person(stage.world.investigator)


def boss(stage: Stage) -> Any:
    return raw.person(stage.world.supervisor)


@pytest.mark.parametrize(
    "statement",
    [
        "update cases_case set id = gen_random_uuid()",
        "update cases_case set case_no = 'X-1'",
        "update cases_case set created_by_id = (select id from access_user where username = 'colleague')",
        "update cases_case set outbreak_id = (select id from cases_outbreak o where o.id <> outbreak_id limit 1)",
        "update cases_case set district_id = (select id from access_organisation where code = '990102')",
        "update cases_visit set case_id = (select id from cases_case c where c.id <> case_id limit 1)",
        "update cases_visit set created_by_id = (select id from access_user where username = 'colleague')",
        "update contacts_contact set source_case_id = (select id from cases_case c where c.id <> source_case_id)",
        "update contacts_contact set created_by_id = (select id from access_user where username = 'colleague')",
        "update contacts_transmissionlink set created_by_id = gen_random_uuid()",
    ],
)
@pytest.mark.parametrize("who", [insider, boss])
def test_neither_investigator_nor_supervisor_changes_what_is_pinned(
    stage: Stage, who: Callable[[Stage], Any], statement: str
) -> None:
    assert raw.run(who(stage), statement) == REFUSED


@pytest.mark.parametrize(
    "statement",
    [
        "update cases_case set status = status",
        "update cases_visit set withdrawn_at = now()",
        "update contacts_contact set status = status",
        "update contacts_transmissionlink set evidence = '[]'",
    ],
)
@pytest.mark.parametrize("who", [insider, boss])
def test_the_same_people_do_change_the_rest(
    stage: Stage, who: Callable[[Stage], Any], statement: str
) -> None:
    assert int(raw.run(who(stage), statement)) >= 1


def test_every_pinned_column_exists_and_has_its_trigger(stage: Stage) -> None:
    for table, (columns, once) in rls.pinned().items():
        found = {
            name
            for (name,) in raw.owner_rows(
                "select attname from pg_attribute where attrelid = %s::regclass", [f"public.{table}"]
            )
        }
        assert {*columns, *once} <= found, table
        assert raw.owner_rows(
            "select tgenabled from pg_trigger where tgname = 'pinned' and tgrelid = %s::regclass",
            [f"public.{table}"],
        ) == [("O",)]


@pytest.mark.parametrize(
    "statement",
    [
        "update access_casegrant set expires_at = expires_at + interval '1 day'",
        "update access_casegrant set user_id = gen_random_uuid()",
        "update access_accessdecision set reason = 'other'",
        "delete from access_accessdecision",
        "update access_granthistory set change = 'x'",
        "delete from access_granthistory",
        "update access_user set password = 'x'",
        "select password from access_user",
        "insert into access_user default values",
        "update access_organisation set code = '1'",
        "update access_organisation set level = 'province'",
        "insert into access_organisation default values",
        "delete from access_organisation",
        "update auth_permission set codename = 'view_case'",
        "insert into guardian_userobjectpermission default values",
        "update vault_keyring set guard_id = gen_random_uuid()",
        "select wrapped from vault_keyring",
        "update vault_epochkey set state = 2",
        "insert into vault_epochkey values (1, 7, 1, 'x', 1, now())",
        "update audit_event set act = 'x'",
        "delete from audit_event",
        "delete from audit_pending",
        "insert into audit_pending default values",
        "insert into audit_leaf default values",
        "select * from sec.ticket_key",
        "insert into sec.ticket_key values (2, '', '')",
    ],
)
def test_no_person_changes_grants_accounts_keys_or_the_ledger(stage: Stage, statement: str) -> None:
    for role, person in stage.world.people.items():
        assert raw.run(raw.person(person), statement) == DENIED, role


@pytest.mark.parametrize(
    "statement",
    [
        "update access_user set role = 'supervisor'",
        "update access_user set is_active = false",
        "update access_user set organisation_id = organisation_id",
    ],
)
def test_only_a_security_administrator_changes_accounts_and_never_the_own(
    stage: Stage, statement: str
) -> None:
    for role, person in stage.world.people.items():
        expected = REFUSED if role == "secadmin" else DENIED
        assert raw.run(raw.person(person), statement) == expected, role
    assert raw.run(raw.person(stage.world.secadmin), f"{statement} where username = 'colleague'") == 1


@pytest.mark.parametrize(
    "column", ["password", "role", "is_active", "organisation_id", "username", "is_superuser", "id"]
)
def test_nobody_signing_in_cannot_raise_an_account(stage: Stage, column: str) -> None:
    statement = f"update access_user set {column} = default where false"
    assert raw.run(raw.role("ep_none"), statement) == DENIED
    assert raw.run(raw.role("ep_none"), "update access_user set last_login = now() where false") == 0


def given(stage: Stage, **other: Any) -> list[Any]:
    """What a proper grant of the supervisor would be, past the action."""
    world = stage.world
    now = timezone.now()
    decision = factories.grant(world.case, world.colleague, world.supervisor, CasePermission.REACH)
    words = {
        "user": world.outsider.pk,
        "permission": permission_id(CasePermission.VIEW),
        "case": world.case.pk,
        "decision": decision.pk,
        "by": world.supervisor.pk,
        "starts": now,
        "ends": now + timedelta(days=20),
        **other,
    }
    return list(words.values())


def test_a_proper_grant_passes(stage: Stage) -> None:
    assert raw.run(boss(stage), GRANT, given(stage)) == 1


def test_a_long_grant_needs_a_second_name_behind_its_decision(stage: Stage) -> None:
    assert raw.run(boss(stage), GRANT, given(stage, ends=timezone.now() + timedelta(days=31))) == REFUSED


def test_a_grant_cannot_be_made_to_last_by_starting_it_late(stage: Stage) -> None:
    late = timezone.now() + timedelta(days=3650)
    assert raw.run(boss(stage), GRANT, given(stage, starts=late, ends=late + timedelta(days=20))) == REFUSED


def test_a_grant_stands_on_the_grantors_own_decision(stage: Stage) -> None:
    created = raw.owner_rows("select id from access_accessdecision where kind = 'created' limit 1")[0][0]
    assert raw.run(boss(stage), GRANT, given(stage, decision=created)) == REFUSED


def test_reasons_of_another_area_are_not_read(stage: Stage) -> None:
    world = stage.world
    decision = factories.grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    question = "select 1 from access_accessdecision where id = %s"
    assert raw.run(boss(stage), question, [decision.pk]) == 1
    assert raw.run(raw.person(world.other_supervisor), question, [decision.pk]) == 0
    assert AccessDecision._meta.get_field("reason")


@pytest.mark.parametrize(
    ("who", "statement"),
    [
        (insider, "update disclosure_export set status = 'approved'"),
        (insider, "update disclosure_export set status = 'built'"),
        (insider, "update disclosure_export set approver_id = requester_id"),
        (insider, "update disclosure_export set n_cases = 99"),
        (insider, "update disclosure_export set fields = '[]'"),
        (insider, "update disclosure_exportcase set case_id = gen_random_uuid()"),
        (boss, "update disclosure_export set status = 'built'"),
        (boss, "update disclosure_export set passphrase = 'x'"),
    ],
)
def test_an_export_does_not_approve_itself(stage: Stage, who: Any, statement: str) -> None:
    assert raw.run(who(stage), statement) in (DENIED, REFUSED)


def test_another_supervisor_does_not_take_an_approval_over(stage: Stage) -> None:
    from tests.disclosure.conftest import approve

    approve(stage.world, stage.export)
    with factories.as_owner():
        second = factories.user("supervisor_two", "supervisor", stage.world.district)
    change = "update disclosure_export set approver_id = %s, answer = 'mine'"
    assert raw.run(raw.person(second), change, [second.pk]) == REFUSED


KEY = (
    "insert into vault_keyring (scope_id, data_class, generation, guard_id, epoch, wrapped, state, created_at)"
    " values (%s, %s, %s, %s, 1, 'x', 1, now())"
)


def test_nobody_slips_a_newer_key_under_anothers_record(stage: Stage) -> None:
    """A second generation guarded by one's own case would be the key that the record's people seal with."""
    world = stage.world
    theirs = factories.case(world.colleague, world.outbreak)
    assert raw.run(insider(stage), KEY, [theirs.pk, 1, 2, world.case.pk]) == REFUSED
    assert raw.run(boss(stage), KEY, [theirs.pk, 1, 2, world.case.pk]) == REFUSED
    assert raw.run(insider(stage), KEY, [theirs.pk, 1, 2, theirs.pk]) == REFUSED
    assert raw.run(insider(stage), KEY, [world.case.pk, 9, 1, world.colleague.pk]) == REFUSED
    fresh = "00000000-0000-4000-8000-000000000001"
    assert raw.run(insider(stage), KEY, [fresh, 1, 1, world.case.pk]) == 1
