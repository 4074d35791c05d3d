"""Breaking the glass, and reviewing that somebody did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.actions.people import ledger_actor
from access.models import DecisionReview, EmergencyAccess, QuotaBreach, User, Verdict
from access.visibility import CasePermission
from audit import trail
from audit.acts import Act, Outcome

PERMITTED: Final = (CasePermission.VIEW, CasePermission.IDENTITY, CasePermission.REACH)
CLASSES: Final = ("identity", "reach")


# Why emergency access may not be had, as the ledger says it.
REFUSALS: Final = {
    "no_such_number": _("no case has this number"),
    "held_already": _("the person has this access already"),
    "two_open": _("two emergency accesses are open"),
    "four_a_day": _("four emergency accesses in 24 hours"),
    "review_missing": _("an earlier emergency access is not reviewed"),
}


class EmergencyRefused(Exception):
    """Nothing was opened; ``code`` is one of `REFUSALS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ReviewRefused(Exception):
    """The review was not kept; ``code``: "self", "reviewed"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Seen:
    """How often a field was opened while an emergency access ran; the field's name, never its value."""

    model: str
    field: str
    data_class: str
    times: int
    first_at: datetime
    last_at: datetime


def break_glass(
    case_no: str, reason: EmergencyAccess.Reason, *, words: str, hours: int, by: User
) -> EmergencyAccess:
    """Open a case for its investigator's hands at once, for at most 24 hours; supervisors and auditors are told.

    PostgreSQL decides and writes (access/sql/emergency.py). Raises EmergencyRefused, which is recorded.
    """
    with connection.cursor() as cursor:
        cursor.execute("select * from sec.break_glass(%s, %s, %s, %s)", [case_no, reason.value, words, hours])
        outcome, decision_id, case_id, *_end = cursor.fetchone()
    case = _case(case_id, by) if case_id is not None else None
    if outcome != "opened":
        trail.record(Act.EMERGENCY_OPEN, case, outcome=Outcome.REFUSED, reason=outcome)
        raise EmergencyRefused(outcome)
    opened = EmergencyAccess.objects.get(pk=decision_id)
    trail.record(
        Act.EMERGENCY_OPEN,
        case,
        decision_id=decision_id,
        reason=reason.value,
        data_classes=CLASSES,
        extra={"permissions": sorted(PERMITTED), "until": opened.ends_at},
    )
    return opened


def refuse_unproven() -> None:
    """Record that emergency access was asked for by somebody who did not prove who they are."""
    trail.record(Act.EMERGENCY_OPEN, outcome=Outcome.REFUSED, reason="wrong_password")


def review(opened: EmergencyAccess, verdict: Verdict, *, words: str, by: User) -> DecisionReview:
    """Say whether a use of emergency access was justified; "not justified" ends it at once, by a trigger.

    Raises ReviewRefused: of one's own ("self"), of one that was reviewed before ("reviewed").
    """
    if opened.person_id == by.pk:
        raise ReviewRefused("self")
    if DecisionReview.objects.filter(decision_id=opened.pk).exists():
        raise ReviewRefused("reviewed")
    made = DecisionReview(decision_id=opened.pk, verdict=verdict.value, words=words, reviewed_by=by)
    made.save(force_insert=True)
    person = User.objects.select_related("organisation").get(pk=opened.person_id)
    trail.record(
        Act.EMERGENCY_REVIEW,
        _case(opened.case_id, by),
        decision_id=opened.pk,
        reason=verdict.value,
        toward=ledger_actor(person),
    )
    return made


def review_breach(breach: QuotaBreach, verdict: Verdict, *, by: User) -> None:
    """Say whether a person who asked for more values than allowed had a reason. Raises ReviewRefused."""
    if breach.person_id == by.pk:
        raise ReviewRefused("self")
    waiting = QuotaBreach.objects.filter(pk=breach.pk, reviewed_at__isnull=True)
    if not waiting.update(verdict=verdict.value, reviewed_by=by, reviewed_at=timezone.now()):
        raise ReviewRefused("reviewed")
    person = User.objects.select_related("organisation").get(pk=breach.person_id)
    trail.record(Act.QUOTA_REVIEW, breach, reason=verdict.value, toward=ledger_actor(person))


def seen(opened: EmergencyAccess) -> list[Seen]:
    """What was opened of the case while the emergency access ran, from the ledger."""
    with connection.cursor() as cursor:
        cursor.execute("select * from sec.seen_in_emergency(%s)", [opened.pk])
        return [Seen(*row) for row in cursor.fetchall()]


def remind() -> int:
    """Remind of reviews that are due within a day, and tell of those that are overdue; each is told once."""
    with connection.cursor() as cursor:
        cursor.execute("select decision_id, kind from sec.remind_reviews()")
        told = cursor.fetchall()
    if told:
        overdue = sum(kind == "review_overdue" for _decision, kind in told)
        trail.record(
            Act.JOB, reason="remind_reviews", counts={"due": len(told) - overdue, "overdue": overdue}
        )
    return len(told)


def _case(case_id: UUID, by: User) -> Any:
    return apps.get_model("cases.Case").objects.visible_to(by).filter(pk=case_id).first()
