"""Giving and taking access: by the action, and again by PostgreSQL itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError, ProgrammingError
from django.urls import reverse
from django.utils import timezone

from access import actions
from access.actor import acting_as, acting_as_owner, acting_as_role
from access.models import AccessDecision, CaseGrant, GrantHistory
from access.purposes import Purpose
from access.visibility import CasePermission
from cases.models import Case
from tests import factories
from tests.factories import as_person, grant
from vault import keyring

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def sees(person: Any, case: Case) -> bool:
    with transaction.atomic(), acting_as(person):
        return Case.objects.visible_to(person).filter(pk=case.pk).exists()


def row_count(person: Any) -> int:
    """What the person's database role finds when the code forgets every filter."""
    with transaction.atomic(), acting_as(person), connection.cursor() as cursor:
        cursor.execute("select count(*) from cases_case")
        return int(cursor.fetchone()[0])


def test_opening_a_case_gives_its_investigator_access(world: Any) -> None:
    assert sees(world.investigator, world.case)
    assert row_count(world.investigator) == 1


def test_an_outsider_sees_nothing_even_when_the_filter_is_forgotten(world: Any) -> None:
    assert not sees(world.outsider, world.case)
    assert row_count(world.outsider) == 0
    assert row_count(world.other_supervisor) == 0
    assert row_count(world.supervisor) == 1


def test_a_grant_opens_the_case_and_revoking_closes_it(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    assert sees(world.outsider, world.case)
    with as_person(world.supervisor):
        actions.revoke(world.case, world.outsider, by=world.supervisor)
    assert not sees(world.outsider, world.case)
    assert row_count(world.outsider) == 0


def test_a_grant_opens_only_its_classes(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    with as_person(world.outsider), keyring.session():
        case = Case.objects.visible_to(world.outsider).get()
        assert case.phone.is_open_to_me
        assert not case.full_name.is_open_to_me
        assert case.full_name.masked == "•••"


def test_giving_and_taking_are_in_the_ledger_and_in_the_history(world: Any, events: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    with as_person(world.supervisor):
        actions.revoke(world.case, world.outsider, by=world.supervisor)
    assert events("grant.issue")
    assert events("grant.revoke")
    with transaction.atomic(), acting_as_role("ep_auditor"):
        changes = set(GrantHistory.objects.filter(user_id=world.outsider.pk).values_list("change", flat=True))
    assert changes == {"insert", "delete"}


@pytest.mark.parametrize(
    ("who", "until_days", "code"),
    [("supervisor", 7, "self"), ("auditor", 7, "role"), ("outsider", 91, "until"), ("outsider", -1, "until")],
)
def test_the_action_refuses_what_may_not_be(world: Any, who: str, until_days: int, code: str) -> None:
    with as_person(world.supervisor), pytest.raises(actions.GrantRefused, match=code):
        actions.issue(
            world.case,
            getattr(world, who),
            [CasePermission.REACH],
            purpose=Purpose.REACH,
            reason="",
            until=timezone.now() + timedelta(days=until_days),
            by=world.supervisor,
        )


def insert_grant(world: Any, **values: Any) -> None:
    """Write a grant as its supervisor by the ORM, past the action."""
    decision = AccessDecision(
        kind="direct", purpose="P4", granted_by=values.pop("decided_by", world.supervisor)
    )
    decision.save(force_insert=True)
    from access.visibility import permission_id

    given = {
        "user": world.outsider,
        "permission_id": permission_id(CasePermission.VIEW),
        "content_object": world.case,
        "decision": decision,
        "granted_by": world.supervisor,
        "kind": "direct",
        "expires_at": timezone.now() + timedelta(days=7),
        **values,
    }
    CaseGrant.objects.bulk_create([CaseGrant(**given)])


def test_the_database_accepts_a_proper_grant(world: Any) -> None:
    with transaction.atomic(), acting_as(world.supervisor):
        insert_grant(world)
    assert sees(world.outsider, world.case)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda w: {"user": w.supervisor},
        lambda w: {"user": w.auditor},
        lambda w: {"expires_at": timezone.now() + timedelta(days=91)},
        lambda w: {"expires_at": None},
        lambda w: {"granted_by": w.other_supervisor},
        lambda w: {"kind": "created"},
    ],
)
def test_the_database_refuses_what_may_not_be(world: Any, wrong: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), acting_as(world.supervisor):
        insert_grant(world, **wrong(world))


def test_a_supervisor_of_another_district_cannot_give_access(world: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), acting_as(world.other_supervisor):
        insert_grant(world, decided_by=world.other_supervisor, granted_by=world.other_supervisor)


def test_an_investigator_cannot_write_grants_or_decisions(world: Any) -> None:
    with pytest.raises(ProgrammingError, match="denied"), transaction.atomic(), acting_as(world.investigator):
        insert_grant(world)


def test_decisions_are_never_changed_not_even_by_the_owner(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), acting_as_owner():
        AccessDecision.objects.update(purpose="P1")


def test_an_expired_grant_is_none(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with transaction.atomic(), acting_as_owner():
        CaseGrant.objects.filter(user=world.outsider).update(
            starts_at=timezone.now() - timedelta(days=3), expires_at=timezone.now() - timedelta(seconds=1)
        )
    assert not sees(world.outsider, world.case)
    assert row_count(world.outsider) == 0
    with transaction.atomic(), acting_as(world.supervisor):
        assert not world.outsider.has_perm("cases.view_case", world.case)


def test_a_person_made_inactive_sees_nothing(world: Any) -> None:
    with transaction.atomic(), acting_as_owner():
        type(world.investigator).objects.filter(pk=world.investigator.pk).update(is_active=False)
    assert row_count(world.investigator) == 0


def test_a_forged_ticket_opens_nothing(world: Any) -> None:
    with transaction.atomic(), acting_as(world.outsider), connection.cursor() as cursor:
        cursor.execute("select current_setting('epi.ticket')")
        ticket = cursor.fetchone()[0]
        forged = ticket.replace(str(world.outsider.pk), str(world.investigator.pk))
        cursor.execute("select set_config('epi.ticket', %s, true)", [forged])
        cursor.execute("select count(*) from cases_case")
        assert cursor.fetchone() == (0,)


def test_an_injected_role_switch_makes_the_ticket_void(world: Any) -> None:
    with transaction.atomic(), acting_as(world.investigator), connection.cursor() as cursor:
        cursor.execute("select set_config('role', 'ep_supervisor', true)")
        cursor.execute("select count(*) from cases_case")
        assert cursor.fetchone() == (0,)


def test_nobody_is_a_superuser(world: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), acting_as_owner():
        type(world.sysadmin).objects.filter(pk=world.sysadmin.pk).update(is_superuser=True)


def test_the_keyring_is_closed_to_every_person(world: Any) -> None:
    for person in world.people.values():
        with pytest.raises(ProgrammingError, match="denied"), transaction.atomic(), acting_as(person):
            with connection.cursor() as cursor:
                cursor.execute("select * from vault_keyring")


def test_guardian_agrees(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    with transaction.atomic(), acting_as(world.outsider):
        assert world.outsider.has_perm("cases.view_case", world.case)
        assert world.outsider.has_perm("cases.reveal_reach", world.case)
        assert not world.outsider.has_perm("cases.reveal_identity", world.case)


def test_a_changed_onset_moves_the_case_in_the_list(world: Any) -> None:
    from cases import actions as case_actions

    day = timezone.localdate() - timedelta(days=9)
    with as_person(world.investigator):
        case_actions.correct_case(
            Case.objects.get(pk=world.case.pk), {"onset_date": day}, by=world.investigator
        )
    with transaction.atomic(), acting_as(world.investigator):
        assert set(CaseGrant.objects.values_list("sort_date", flat=True)) == {day}


def test_an_investigator_cannot_move_a_case_to_another_district(world: Any) -> None:
    with (
        pytest.raises(DatabaseError, match="supervisor"),
        transaction.atomic(),
        acting_as(world.investigator),
        connection.cursor() as cursor,
    ):
        cursor.execute("update cases_case set district_id = %s", [world.other_district.pk])


def test_factories_plant_values() -> None:
    assert factories.NAME in factories.case_values().values()


def test_a_reason_with_control_characters_gives_no_access(world: Any, signed_in: Any) -> None:
    given = {"to": world.colleague.pk, "purpose": "P2", "classes": "reveal_reach", "lasts": "3"}
    browser, address = signed_in(world.supervisor), reverse("access:case", args=[world.case.pk])
    assert browser.post(address, {**given, "reason": "bell \x07"}).status_code == 422
    assert not sees(world.colleague, world.case)
    assert browser.post(address, {**given, "reason": "second interview"}).status_code == 302
    assert sees(world.colleague, world.case)


def test_the_reason_of_a_grant_takes_no_long_numbers(world: Any, signed_in: Any) -> None:
    given = {"to": world.colleague.pk, "purpose": "P2", "lasts": "3", "reason": "call 138 0000 1234"}
    browser, address = signed_in(world.supervisor), reverse("access:case", args=[world.case.pk])
    assert browser.post(address, given).status_code == 422
    assert not sees(world.colleague, world.case)
