"""What a forger sends to the database itself: each refusal beside a control that passes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from access import actions
from access.actor import acting_as_owner
from access.models import AccessDecision, AccessRequest, CaseGrant
from access.permissions import CasePermission
from access.visibility import permission_id
from tests import cast, factories
from tests.factories import as_person, grant
from tests.security import raw
from tests.security.raw import DENIED, REFUSED

from .test_requests import approve, ask, second  # noqa: F401  (a fixture)

VIEW, HEALTH = CasePermission.VIEW, CasePermission.HEALTH
NEW = (
    "insert into access_accessrequest (id, kind, asker_id, person_id, case_no, case_id, permissions, purpose, reason,"
    " days, status, created_at, first_approver_id, decided_by_id, decided_at, given_permissions, given_days, refusal)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now(), %s, %s, %s, %s, %s, '')"
)
READABLE = (
    *("id", "kind", "asker_id", "person_id", "case_no", "permissions", "purpose", "reason", "days"),
    *("status", "created_at", "decided_by_id", "decided_at", "given_permissions", "given_days", "refusal"),
)


def row(world: Any, **other: Any) -> list[Any]:
    """What the outsider's own request would be, column by column."""
    values = {
        "id": uuid4(),
        "kind": "ask",
        "asker": world.outsider.pk,
        "person": world.outsider.pk,
        "case_no": world.case.case_no,
        "case": None,
        "permissions": ["reveal_health", "view_case"],
        "purpose": "P3",
        "reason": "second interview about the market",
        "days": 7,
        "status": "open",
        "first": None,
        "decided": None,
        "at": None,
        "given": None,
        "given_days": None,
        **other,
    }
    return list(values.values())


@pytest.mark.django_db
@pytest.mark.database
def test_an_asker_writes_their_own_request_and_nothing_else(world: Any) -> None:
    who = raw.person(world.outsider)
    assert raw.run(who, NEW, row(world)) == 1
    wrong = [
        {"asker": world.colleague.pk, "person": world.colleague.pk},
        {"person": world.colleague.pk},
        {"kind": "proposal"},
        {"kind": "extension"},
        {"status": "waiting_second", "first": world.supervisor.pk, "given": ["view_case"], "given_days": 1},
        {"status": "approved"},
        {"first": world.supervisor.pk},
        {"decided": world.supervisor.pk},
        {"at": timezone.now()},
        {"given": ["view_case"], "given_days": 7},
        {"days": 0},
        {"days": 91},
        {"permissions": ["reveal_health"]},
        {"permissions": ["view_case", "delete_case"]},
        {"purpose": "P8", "permissions": ["view_case", "reveal_identity"]},
        {"purpose": "P8", "permissions": ["view_case", "reveal_reach"]},
        {"reason": "short"},
        {"reason": "a bell \x07 in the reason"},
        {"case_no": "王五的病例"},
        {"case_no": "13800001234"},
    ]
    for one in wrong:
        assert raw.run(who, NEW, row(world, **one)) == REFUSED, one


@pytest.mark.django_db
@pytest.mark.database
def test_the_database_counts_open_requests_too(world: Any) -> None:
    for number in range(20):
        ask(world.outsider, f"OB-9-{number:04d}")
    assert raw.run(raw.person(world.outsider), NEW, row(world)) == REFUSED
    assert (
        raw.run(
            raw.person(world.colleague), NEW, row(world, asker=world.colleague.pk, person=world.colleague.pk)
        )
        == 1
    )


@pytest.mark.django_db
@pytest.mark.database
def test_an_asker_reads_their_own_rows_without_the_case(world: Any) -> None:
    ask(world.outsider, world.case.case_no)
    mine, other = raw.person(world.outsider), raw.person(world.colleague)
    for column in READABLE:
        assert raw.run(mine, f"select {column} from access_accessrequest") == 1, column
        assert raw.run(other, f"select {column} from access_accessrequest") == 0, column
    for column in ("case_id", "first_approver_id", "*"):
        assert raw.run(mine, f"select {column} from access_accessrequest") == DENIED, column
    assert raw.run(mine, "select 1 from access_accessrequest where case_id is not null") == DENIED
    assert raw.run(raw.person(world.other_supervisor), "select * from access_accessrequest") == 0
    assert raw.run(raw.person(world.supervisor), "select * from access_accessrequest") == 1


@pytest.mark.django_db
@pytest.mark.database
def test_an_asker_changes_nothing_but_to_withdraw(world: Any) -> None:
    ask(world.outsider, world.case.case_no)
    mine = raw.person(world.outsider)
    assert raw.run(mine, "update access_accessrequest set status = 'withdrawn'") == 1
    assert raw.run(raw.person(world.colleague), "update access_accessrequest set status = 'withdrawn'") == 0
    for status in ("approved", "refused", "waiting_second", "expired", "open"):
        assert raw.run(mine, f"update access_accessrequest set status = '{status}'") == REFUSED, status
    for column in (*READABLE, "case_id", "first_approver_id"):
        if column != "status":
            statement = f"update access_accessrequest set {column} = default"
            assert raw.run(mine, statement) == DENIED, column
    assert raw.run(mine, "delete from access_accessrequest") == DENIED


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.parametrize(
    "change",
    [
        *("kind = 'extension'", "days = 90", "permissions = '{view_case,reveal_identity}'", "purpose = 'P8'"),
        *("reason = 'another reason altogether'", "case_no = 'OB-1-0001'", "created_at = now()"),
        "person_id = asker_id, asker_id = person_id",
    ],
)
def test_nobody_rewrites_what_was_asked(world: Any, change: str) -> None:
    ask(world.outsider, world.case.case_no)
    statement = f"update access_accessrequest set {change}"
    assert raw.run(raw.person(world.supervisor), statement) == DENIED
    if "person_id" not in change:
        with pytest.raises(Exception, match="never changes"), transaction.atomic():
            raw.as_owner(statement)


DECIDE = (
    "update access_accessrequest set status = %s, first_approver_id = %s, decided_by_id = %s,"
    " given_permissions = %s, given_days = %s, refusal = %s"
)


def decision(world: Any, wish: AccessRequest, **other: Any) -> tuple[str, list[Any]]:
    values = {
        "id": uuid4(),
        "kind": "request",
        "purpose": "P3",
        "by": world.supervisor.pk,
        "second": None,
        "request": wish.pk,
        **other,
    }
    return (
        "insert into access_accessdecision (id, kind, purpose, reason, granted_by_id, second_approver_id, request_id,"
        " created_at) values (%s, %s, %s, '', %s, %s, %s, now())"
    ), list(values.values())


@pytest.mark.django_db
@pytest.mark.database
def test_a_supervisors_steps_are_checked_by_the_database(world: Any, second: Any) -> None:  # noqa: F811
    ask(world.outsider, world.case.case_no, HEALTH, days=45)
    boss, me, other = raw.person(world.supervisor), world.supervisor.pk, second.pk
    given = ["reveal_health", "view_case"]
    assert raw.run(boss, DECIDE, ["refused", None, me, None, None, "too_wide"]) == 1
    assert raw.run(boss, DECIDE, ["waiting_second", me, None, given, 45, ""]) == 1
    wrong: list[list[Any]] = [
        ["refused", None, other, None, None, "too_wide"],
        ["refused", None, me, None, None, ""],
        ["waiting_second", other, None, given, 45, ""],
        ["waiting_second", me, None, [*given, "reveal_identity"], 45, ""],
        ["waiting_second", me, None, given, 46, ""],
        ["waiting_second", None, None, given, 45, ""],
        # Without a decision, without the second name, with a second name made up.
        ["approved", None, me, given, 7, ""],
        ["approved", None, me, given, 45, ""],
        ["approved", other, me, given, 45, ""],
        ["withdrawn", None, None, None, None, ""],
        ["expired", None, None, None, None, ""],
    ]
    for one in wrong:
        assert raw.run(boss, DECIDE, one) == REFUSED, one
    assert (
        raw.run(raw.person(world.other_supervisor), DECIDE, ["refused", None, me, None, None, "too_wide"])
        == 0
    )


@pytest.mark.django_db
@pytest.mark.database
def test_a_decision_agrees_with_its_request(world: Any, second: Any) -> None:  # noqa: F811
    request = ask(world.outsider, world.case.case_no, HEALTH, days=45)
    boss = raw.person(world.supervisor)
    assert raw.run(boss, *decision(world, request)) == 1
    for other in (
        {"by": second.pk},
        {"second": second.pk},
        {"by": second.pk, "second": world.supervisor.pk},
        {"purpose": "P4"},
        {"kind": "direct"},
        {"request": None},
    ):
        assert raw.run(boss, *decision(world, request, **other)) == REFUSED, other
    assert approve(request, world.supervisor) is None
    # The first one can neither finish it alone nor name somebody as the second.
    for other in ({}, {"second": second.pk}, {"second": world.supervisor.pk}):
        assert raw.run(boss, *decision(world, request, **other)) == REFUSED, other
    two = raw.person(second)
    assert raw.run(two, *decision(world, request, second=second.pk)) == 1
    assert raw.run(two, *decision(world, request, by=second.pk)) == REFUSED
    assert raw.run(two, *decision(world, request, by=second.pk, second=world.supervisor.pk)) == REFUSED
    far = raw.person(world.other_supervisor)
    assert raw.run(far, *decision(world, request, second=second.pk)) == REFUSED


GRANT = (
    "insert into access_casegrant (id, user_id, permission_id, content_object_id, decision_id, granted_by_id, kind,"
    " starts_at, expires_at) values (gen_random_uuid(), %s, %s, %s, %s, %s, 'request', %s, %s)"
)


@pytest.mark.django_db
@pytest.mark.database
def test_a_grant_is_no_wider_than_its_approved_request(world: Any) -> None:
    request = ask(world.outsider, world.case.case_no, HEALTH, CasePermission.REACH, days=20)
    made = approve(request, world.supervisor, HEALTH, days=5)
    beside = factories.case(world.investigator, world.outbreak)
    raw.as_owner("delete from access_casegrant where kind = 'request'")
    now = timezone.now()

    def outcome(**other: Any) -> str | int:
        values = {
            "user": world.outsider.pk,
            "permission": permission_id(HEALTH),
            "case": world.case.pk,
            "decision": made.pk,
            "by": world.supervisor.pk,
            "starts": now,
            "ends": now + timedelta(days=4),
            **other,
        }
        return raw.run(raw.person(world.supervisor), GRANT, list(values.values()))

    assert outcome() == 1
    for other in (
        {"user": world.colleague.pk},
        {"permission": permission_id(CasePermission.REACH)},
        {"permission": permission_id(CasePermission.IDENTITY)},
        {"case": beside.pk},
        {"ends": now + timedelta(days=6)},
        {"starts": now - timedelta(days=2), "ends": now + timedelta(days=5, minutes=30)},
    ):
        assert outcome(**other) == REFUSED, other


@pytest.mark.django_db
@pytest.mark.database
def test_statistics_take_two_and_never_identity(world: Any) -> None:
    bare = (
        "insert into access_accessdecision (id, kind, purpose, reason, granted_by_id, created_at)"
        " values (%s, 'direct', 'P8', '', %s, now())"
    )
    key, now = uuid4(), timezone.now()
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute(bare, [key, world.supervisor.pk])
    values = [world.outsider.pk, permission_id(VIEW), world.case.pk, key, world.supervisor.pk, now]
    direct = GRANT.replace("'request'", "'direct'")
    assert raw.run(raw.person(world.supervisor), direct, [*values, now + timedelta(days=3)]) == REFUSED
    with as_person(world.supervisor), pytest.raises(actions.GrantRefused, match="second"):
        actions.issue(
            world.case,
            world.outsider,
            [HEALTH],
            purpose="P8",
            reason="",
            until=now + timedelta(days=3),
            by=world.supervisor,
        )
    usual = grant(world.case, world.outsider, world.supervisor, HEALTH, days=3)
    assert usual.pk


@pytest.mark.django_db
@pytest.mark.database
def test_whoever_asks_as_two_people_approves_as_none(world: Any) -> None:
    """An investigator who became a supervisor of the area answers no earlier request of their own."""
    request = ask(world.colleague, world.case.case_no)
    raw.as_owner(
        f"delete from access_casegrant where user_id = '{world.colleague.pk}'",
        f"update access_user set role = 'supervisor' where id = '{world.colleague.pk}'",
    )
    world.colleague.refresh_from_db(fields=["role"])
    with pytest.raises(actions.GrantRefused, match="own"):
        approve(request, world.colleague)
    given = ["view_case"]
    mine = raw.person(world.colleague)
    assert raw.run(mine, DECIDE, ["refused", None, world.colleague.pk, None, None, "too_wide"]) == REFUSED
    assert raw.run(mine, DECIDE, ["waiting_second", world.colleague.pk, None, given, 7, ""]) == REFUSED
    assert raw.run(mine, *decision(world, request, by=world.colleague.pk)) == REFUSED


@pytest.mark.database
def test_of_two_who_approve_at_once_one_wins(private_database: str) -> None:
    world = cast.build()
    with factories.as_owner():
        other = factories.user("second", "supervisor", world.district)
    request = ask(world.outsider, world.case.case_no)
    start = Barrier(2, timeout=20)

    def try_it(person: Any) -> str:
        try:
            with as_person(person):
                found = AccessRequest.objects.visible_to(person).for_supervisor().get(pk=request.pk)
                start.wait()
                actions.approve(found, permissions=[HEALTH], days=3, by=person)
        except actions.RequestAnswered as answered:
            return f"late: {answered.status}"
        finally:
            connection.close()
        return "won"

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(try_it, [world.supervisor, other]))
    assert results == ["late: approved", "won"]
    with transaction.atomic(), acting_as_owner():
        assert AccessDecision.objects.filter(request=request).count() == 1
        assert CaseGrant.objects.filter(user=world.outsider, content_object=world.case).count() == 2
