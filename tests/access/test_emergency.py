"""Breaking the glass: it opens at once, tells others at once, ends by itself, and cannot be had any other way."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError
from django.urls import reverse
from django.utils import timezone

from access import actions
from access.actions import emergency
from access.actor import acting_as, acting_as_owner, acting_as_role
from access.half_signed_in import CONFIRMED_AT
from access.models import AccessDecision, CaseGrant, EmergencyAccess, Notice
from access.visibility import CasePermission, permission_id
from cases.models import Case
from tests import factories
from tests.factories import as_person, grant
from tests.security import raw
from vault import keyring

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Reason = EmergencyAccess.Reason
CALL = "select * from sec.break_glass(%s, 'life_threat', '', 4)"


def given(case: Case, **values: Any) -> dict[str, Any]:
    return {
        "case_no": case.case_no,
        "reason": "life_threat",
        "hours": "4",
        "words": "",
        "password": factories.PASSWORD,
        "is_understood": "on",
        **values,
    }


def ask(browser: Any, case: Case, **values: Any) -> Any:
    return browser.post(reverse("access:emergency"), given(case, **values))


def broken(world: Any, *, by: Any = None, case: Any = None, hours: int = 4) -> EmergencyAccess:
    person = by or world.outsider
    with as_person(person):
        return emergency.break_glass(
            (case or world.case).case_no, Reason.LIFE, words="", hours=hours, by=person
        )


def code_of(world: Any, case_no: str, *, by: Any = None) -> str:
    person = by or world.outsider
    with as_person(person), pytest.raises(emergency.EmergencyRefused) as refusal:
        emergency.break_glass(case_no, Reason.LIFE, words="", hours=4, by=person)
    return refusal.value.code


def granted(world: Any, person: Any = None) -> set[str]:
    with transaction.atomic(), acting_as_owner():
        rows = CaseGrant.objects.filter(user=person or world.outsider, content_object=world.case)
        return set(rows.filter(expires_at__gt=timezone.now()).values_list("permission__codename", flat=True))


def backdate(*statements: str) -> None:
    """Move what may not be changed into the past, as nobody in the product can."""
    with transaction.atomic():
        raw.as_owner("set constraints all immediate")
        raw.as_owner("alter table access_emergencyaccess disable trigger emergency_stays", *statements)
        raw.as_owner("alter table access_emergencyaccess enable trigger emergency_stays")


def more_cases(world: Any, number: int) -> list[Case]:
    return [factories.case(world.investigator, world.outbreak) for _ in range(number)]


def test_it_opens_the_case_its_identity_and_contact_details_and_nothing_else(
    world: Any, signed_in: Any
) -> None:
    answer = ask(signed_in(world.outsider), world.case)
    assert answer.status_code == 302
    assert answer.headers["Location"] == world.case.get_absolute_url()
    assert granted(world) == {"view_case", "reveal_identity", "reveal_reach"}
    with as_person(world.outsider), keyring.session():
        case = Case.objects.visible_to(world.outsider).get()
        assert case.full_name.is_open_to_me
        assert case.phone.is_open_to_me
        assert not case.symptoms.is_open_to_me if case.symptoms is not None else True
        assert not Case.objects.visible_to(world.outsider, CasePermission.CHANGE).exists()


def test_it_ends_after_the_hours_asked_for_and_its_kind_says_what_it_is(world: Any) -> None:
    opened = broken(world, hours=24)
    with transaction.atomic(), acting_as_owner():
        rows = list(CaseGrant.objects.filter(decision_id=opened.pk))
        decision = AccessDecision.objects.get(pk=opened.pk)
    assert {row.kind for row in rows} == {decision.kind} == {"emergency"}
    assert {row.expires_at - row.starts_at for row in rows} == {timedelta(hours=24)}
    assert decision.granted_by_id == world.outsider.pk


def test_it_is_in_the_ledger_with_its_reason(world: Any, signed_in: Any, events: Any) -> None:
    ask(signed_in(world.outsider), world.case, reason="tracing_night")
    (event,) = events("emergency.open")
    assert event["object"]["label"] == world.case.case_no
    assert (event["reason"], event["outcome"], event["classes"]) == (
        "tracing_night",
        0,
        ["identity", "reach"],
    )
    assert event["decision"]
    assert events("sign_in.step_up")


def test_supervisors_of_the_area_and_auditors_are_told_at_once(world: Any, signed_in: Any) -> None:
    with factories.as_owner():
        chief = factories.user("city_chief", "supervisor", world.city)
    ask(signed_in(world.outsider), world.case)
    with transaction.atomic(), acting_as_owner():
        told = set(Notice.objects.filter(kind="emergency_opened").values_list("person_id", flat=True))
    assert told == {world.supervisor.pk, chief.pk, world.auditor.pk}
    for person in (world.supervisor, world.auditor):
        page = signed_in(person).get(reverse("access:notices")).content.decode()
        assert f"used emergency access on {world.case.case_no}" in page


def test_values_are_shown_for_any_stated_purpose(world: Any, signed_in: Any) -> None:
    browser = signed_in(world.outsider)
    address = reverse("cases:reveal", args=[world.case.pk, "phone"])
    assert browser.post(address, {"purpose": "P3"}).status_code == 404
    ask(browser, world.case)
    assert factories.PHONE in browser.post(address, {"purpose": "P3"}).content.decode()


def test_what_was_held_for_longer_stays_as_it_is(world: Any) -> None:
    kept = grant(world.case, world.outsider, world.supervisor, CasePermission.HEALTH, days=30)
    broken(world)
    with transaction.atomic(), acting_as_owner():
        rows = dict(
            CaseGrant.objects.filter(user=world.outsider).values_list("permission__codename", "decision_id")
        )
    assert rows["view_case"] == rows["reveal_health"] == kept.pk
    assert rows["reveal_identity"] == rows["reveal_reach"] != kept.pk


def test_expired_grants_make_room(world: Any) -> None:
    grant(world.case, world.outsider, world.supervisor)
    with transaction.atomic(), acting_as_owner():
        past = timezone.now() - timedelta(days=3)
        CaseGrant.objects.filter(user=world.outsider).update(
            starts_at=past, expires_at=past + timedelta(days=1)
        )
    broken(world)
    assert granted(world) == {"view_case", "reveal_identity", "reveal_reach"}


@pytest.mark.parametrize("who", ["supervisor", "auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_no_other_role_reaches_the_page(world: Any, signed_in: Any, who: str) -> None:
    browser = signed_in(getattr(world, who))
    assert browser.get(reverse("access:emergency")).status_code == 403
    assert ask(browser, world.case).status_code == 403
    assert granted(world, getattr(world, who)) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "curious"},
        {"reason": ""},
        {"hours": "25"},
        {"hours": ""},
        {"case_no": ""},
        {"case_no": "病例"},
        {"is_understood": ""},
        {"password": ""},
        {"reason": "other"},
        {"reason": "other", "words": "urgent"},
        {"reason": "other", "words": "the number is 13800001234, call"},
    ],
)
def test_bad_input_opens_nothing_and_keeps_what_was_typed(
    world: Any, signed_in: Any, wrong: dict[str, str]
) -> None:
    answer = ask(signed_in(world.outsider), world.case, **wrong)
    assert answer.status_code == 422
    assert factories.PASSWORD not in answer.content.decode()
    assert granted(world) == set()
    with transaction.atomic(), acting_as_owner():
        assert not Notice.objects.exists()
    if "case_no" not in wrong:
        assert world.case.case_no in answer.content.decode()


def test_another_reason_in_words_is_kept_for_the_supervisor(world: Any, signed_in: Any) -> None:
    words = "the hospital lost the way to reach the family"
    assert ask(signed_in(world.outsider), world.case, reason="other", words=words).status_code == 302
    with transaction.atomic(), acting_as(world.supervisor):
        assert AccessDecision.objects.get(kind="emergency").reason == words


def test_a_wrong_password_opens_nothing_and_is_counted(world: Any, signed_in: Any, events: Any) -> None:
    browser = signed_in(world.outsider)
    for _ in range(4):
        assert ask(browser, world.case, password="not this one").status_code == 422
    assert granted(world) == set()
    assert len(events("sign_in.failed")) == 4
    assert {event["reason"] for event in events("emergency.open")} == {"wrong_password"}
    # The fifth locks the account's name at this address, and then the right one is refused too.
    assert ask(browser, world.case, password="not this one").status_code == 429
    assert ask(browser, world.case).status_code == 429
    assert granted(world) == set()


def test_an_account_without_a_password_is_refused(world: Any, signed_in: Any) -> None:
    browser = signed_in(world.outsider)
    with transaction.atomic(), acting_as_owner():
        type(world.outsider).accounts.filter(pk=world.outsider.pk).update(password="!unusable")
    assert ask(browser, world.case).status_code == 422
    assert granted(world) == set()


def test_where_grave_acts_ask_once_more_nothing_opens_before_that(
    world: Any, signed_in: Any, settings: Any
) -> None:
    """The confirming page takes the place of the form's own question; what was typed is not carried through it."""
    browser = signed_in(world.outsider)
    settings.EPICASE_STEP_UP = True
    session = browser.session
    session[CONFIRMED_AT] = 0
    session.save()
    asked = browser.get(reverse("access:emergency"))
    assert asked.status_code == 302
    assert asked.headers["Location"].startswith(reverse("access:confirm"))
    refused = ask(browser, world.case)
    assert refused.status_code == 403
    assert factories.PASSWORD not in refused.content.decode()
    assert granted(world) == set()
    session = browser.session
    session[CONFIRMED_AT] = time.time()
    session.save()
    assert 'name="password"' not in browser.get(reverse("access:emergency")).content.decode()
    assert ask(browser, world.case, password="").status_code == 302
    assert granted(world) == {"view_case", "reveal_identity", "reveal_reach"}


def test_an_unknown_number_is_answered_calmly_and_recorded(world: Any, signed_in: Any, events: Any) -> None:
    answer = ask(signed_in(world.outsider), world.case, case_no="990101-9999-9999")
    assert answer.status_code == 422
    assert "There is no case with this number" in answer.content.decode()
    (event,) = events("emergency.open")
    assert (event["reason"], event["outcome"]) == ("no_such_number", 1)
    assert "990101-9999" not in str(events())


def test_whoever_has_it_already_gets_nothing_more(world: Any) -> None:
    assert code_of(world, world.case.case_no, by=world.investigator) == "held_already"
    broken(world)
    assert code_of(world, world.case.case_no) == "held_already"


def test_two_at_once_and_no_third(world: Any) -> None:
    first, second = more_cases(world, 2)
    broken(world)
    broken(world, case=first)
    assert code_of(world, second.case_no) == "two_open"
    # At the limit an unknown number is answered alike.
    assert code_of(world, "990101-9999-9999") == "two_open"
    with as_person(world.supervisor):
        actions.revoke(world.case, world.outsider, by=world.supervisor)
    broken(world, case=second)


def test_four_in_a_day_and_no_fifth(world: Any) -> None:
    cases = [world.case, *more_cases(world, 4)]
    for case in cases[:4]:
        broken(world, case=case)
        with as_person(world.supervisor):
            actions.revoke(case, world.outsider, by=world.supervisor)
    assert code_of(world, cases[4].case_no) == "four_a_day"
    backdate("update access_emergencyaccess set opened_at = opened_at - interval '25 hours',"
             " ends_at = ends_at - interval '25 hours'")  # fmt: skip
    broken(world, case=cases[4])


def test_nobody_breaks_glass_again_while_a_review_is_overdue(world: Any) -> None:
    (other,) = more_cases(world, 1)
    broken(world)
    backdate("update access_emergencyaccess set opened_at = opened_at - interval '73 hours',"
             " ends_at = ends_at - interval '73 hours'")  # fmt: skip
    assert code_of(world, other.case_no) == "review_missing"


def test_it_is_offered_where_a_case_is_missing_to_investigators_only(world: Any, signed_in: Any) -> None:
    address, link = world.case.get_absolute_url(), reverse("access:emergency")
    assert link in signed_in(world.outsider).get(address).content.decode()
    assert link not in signed_in(world.other_supervisor).get(address).content.decode()
    assert link in signed_in(world.outsider).post(reverse("cases:go"), {"case_no": "X"}).content.decode()
    assert link not in signed_in(world.outsider).get(reverse("cases:list")).content.decode()


# Past the application, by raw SQL under the real roles.


def insert_emergency_grant(world: Any, person: Any, **values: Any) -> None:
    """The ORM in the hands of an attacker: a grant of the kind to oneself, without the function."""
    decision = AccessDecision(kind="emergency", purpose="P2", granted_by=person)
    decision.save(force_insert=True)
    now = timezone.now()
    CaseGrant.objects.bulk_create(
        [
            CaseGrant(
                **{
                    "user": person,
                    "permission_id": permission_id(CasePermission.VIEW),
                    "content_object": world.case,
                    "decision": decision,
                    "granted_by": person,
                    "kind": "emergency",
                    "starts_at": now,
                    "expires_at": now + timedelta(hours=4),
                    **values,
                }
            )
        ]
    )


@pytest.mark.parametrize("who", ["outsider", "supervisor", "auditor", "secadmin"])
def test_nobody_writes_an_emergency_grant_by_hand(world: Any, who: str) -> None:
    person = getattr(world, who)
    with pytest.raises(DatabaseError), transaction.atomic(), acting_as(person):
        insert_emergency_grant(world, person)
    assert granted(world, person) == set()


def test_the_table_takes_it_from_the_owner_for_a_day_and_no_longer(world: Any) -> None:
    now = timezone.now()
    with pytest.raises(IntegrityError, match="ends_in_a_day"), transaction.atomic(), acting_as_owner():
        insert_emergency_grant(
            world, world.outsider, starts_at=now, expires_at=now + timedelta(hours=24, seconds=1)
        )
    with transaction.atomic(), acting_as_owner():
        insert_emergency_grant(world, world.outsider, starts_at=now, expires_at=now + timedelta(hours=24))
    assert granted(world) == {"view_case"}


def test_nobody_else_is_given_a_grant_to_oneself(world: Any) -> None:
    with pytest.raises(IntegrityError, match="nobody_to_oneself"), transaction.atomic(), acting_as_owner():
        insert_emergency_grant(world, world.outsider, kind="direct")


@pytest.mark.parametrize("who", ["supervisor", "auditor", "secadmin", "sysadmin", "privacy", "partner"])
def test_the_function_serves_no_other_role(world: Any, who: str) -> None:
    assert raw.run(raw.person(getattr(world, who)), CALL, [world.case.case_no]) == raw.REFUSED
    assert raw.run(raw.person(world.outsider), CALL, [world.case.case_no]) == 1


def test_the_function_needs_a_live_ticket(world: Any) -> None:
    """Without one, with another person's, and with one that has run out."""
    assert raw.run(raw.role("ep_investigator"), CALL, [world.case.case_no]) == raw.REFUSED
    with transaction.atomic(), acting_as(world.outsider), connection.cursor() as cursor:
        cursor.execute("select current_setting('epi.ticket')")
        ticket = cursor.fetchone()[0]
        person, role, ends, pid, seal = ticket.split("|")
        forged = "|".join([str(world.colleague.pk), role, ends, pid, seal])
        late = "|".join([person, role, str(int(ends) - 10_000), pid, seal])
        for wrong in (forged, late, ""):
            savepoint = transaction.savepoint()
            cursor.execute("select set_config('epi.ticket', %s, true)", [wrong])
            with pytest.raises(DatabaseError, match="for investigators"):
                cursor.execute(CALL, [world.case.case_no])
            transaction.savepoint_rollback(savepoint)
    assert granted(world) == granted(world, world.colleague) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        "'curious', '', 4",
        "null, '', 4",
        "'other', '', 4",
        "'other', null, 4",
        "'life_threat', '', 25",
        "'life_threat', '', 0",
        "'life_threat', '', null",
    ],
)
def test_the_function_checks_reason_and_end_itself(world: Any, arguments: str) -> None:
    call = f"select * from sec.break_glass(%s, {arguments})"
    assert raw.run(raw.person(world.outsider), call, [world.case.case_no]) == raw.REFUSED


def test_the_third_is_refused_by_the_function_too(world: Any) -> None:
    first, second = more_cases(world, 2)
    broken(world)
    broken(world, case=first)
    with transaction.atomic(), acting_as(world.outsider), connection.cursor() as cursor:
        cursor.execute(CALL, [second.case_no])
        assert cursor.fetchone()[0] == "two_open"


@pytest.mark.parametrize("who", ["outsider", "supervisor", "auditor"])
def test_nobody_extends_its_end_or_erases_its_trace(world: Any, who: str) -> None:
    broken(world)
    person = raw.person(getattr(world, who))
    for statement in (
        "update access_casegrant set expires_at = expires_at + interval '1 day'",
        "update access_emergencyaccess set ends_at = ends_at + interval '1 day'",
        "insert into access_emergencyaccess select * from access_emergencyaccess",
        "delete from access_emergencyaccess",
    ):
        assert raw.run(person, statement) == raw.DENIED, statement


def test_not_even_the_owner_changes_an_emergency_access(world: Any) -> None:
    broken(world)
    for statement in (
        "update access_emergencyaccess set ends_at = ends_at",
        "delete from access_emergencyaccess",
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            raw.as_owner(statement)


def test_it_is_seen_by_the_person_the_area_and_auditors(world: Any) -> None:
    broken(world)
    table = "access_emergencyaccess"
    for person in (world.outsider, world.supervisor, world.auditor):
        assert raw.count(raw.person(person), table) == 1
    for person in (world.investigator, world.other_supervisor):
        assert raw.count(raw.person(person), table) == 0
    for person in (world.secadmin, world.sysadmin, world.privacy, world.partner):
        assert raw.count(raw.person(person), table) == raw.DENIED


def test_a_role_of_jobs_breaks_no_glass(world: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), acting_as_role("ep_job"):
        with connection.cursor() as cursor:
            cursor.execute(CALL, [world.case.case_no])
