"""Who works on which cases of the demo, and a few acts, so that the ledger is not empty at first sight."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from django.utils import timezone

from access import actions
from access.models import AccessDecision, CaseGrant, User
from access.purposes import Purpose
from access.visibility import CasePermission, permission_id
from audit import trail
from audit.acts import Act
from cases.models import Case

WORK = (
    CasePermission.VIEW,
    CasePermission.CHANGE,
    CasePermission.IDENTITY,
    CasePermission.REACH,
    CasePermission.HEALTH,
    CasePermission.TRAJECTORY,
)
LOOK = (CasePermission.VIEW, CasePermission.REACH)
MINE, TWO, BOTH, EXPIRED, IDLE = 23, 12, 4, 5, 3


def issue_grants(cases: Sequence[Case], people: dict[str, User]) -> None:
    """Give the investigators the newest cases of their districts: one decision of the supervisor for each."""
    by = people["supervisor"]
    newest = sorted(cases, key=lambda case: case.reported_at, reverse=True)
    for username, count, purpose in (
        ("investigator", MINE, Purpose.CONTACTS),
        ("investigator2", TWO, Purpose.SOURCE),
    ):
        person = people[username]
        here = [case for case in newest if case.district_id == person.organisation_id]
        opened = [case for case in here if case.created_by_id == person.pk]
        own = [case for case in here if case not in opened][: count - len(opened)]
        for position, case in enumerate(own):
            export = (CasePermission.EXPORT,) if position % 2 == 0 else ()
            until = evening(3 + position % 9)
            actions.issue(case, person, [*WORK, *export], purpose=purpose, reason="", until=until, by=by)
    first = people["investigator"].organisation_id
    for case in [case for case in newest if case.district_id == first][:BOTH]:
        person = people["investigator2"]
        actions.issue(
            case, person, LOOK, purpose=Purpose.ISOLATION, reason="协查密接", until=evening(4), by=by
        )
    here = [case for case in newest if case.district_id == first][40:]
    _older(here[:EXPIRED], people["investigator"], by, days_ago=20, days_left=-6)
    _older(here[EXPIRED : EXPIRED + IDLE], people["investigator2"], by, days_ago=17, days_left=6)


def evening(days: int) -> datetime:
    """18:00 so many days from today."""
    return timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days=days), time(18)))


def _older(cases: Sequence[Case], person: User, by: User, *, days_ago: int, days_left: int) -> None:
    """Grants given some days ago, as only time makes them in a real installation; below zero they have run out."""
    for case in cases:
        decision = AccessDecision(
            kind=AccessDecision.Kind.DIRECT.value, purpose=Purpose.SOURCE.value, granted_by=by
        )
        decision.save(force_insert=True)
        now = timezone.now()
        CaseGrant.objects.bulk_create(
            CaseGrant(
                user=person,
                permission_id=permission_id(permission),
                content_object=case,
                decision=decision,
                granted_by=by,
                kind=decision.kind,
                starts_at=now - timedelta(days=days_ago),
                expires_at=now + timedelta(days=days_left),
            )
            for permission in WORK
        )


def record_example_acts(cases: Sequence[Case], person: User) -> None:
    """A short working session of one investigator."""
    own = [case for case in cases if case.district_id == person.organisation_id][-8:]
    trail.record(Act.SIGN_IN, person)
    trail.record(Act.CASE_LIST, subjects=own, counts={"cases": len(own)})
    for case in own[-4:]:
        trail.record(Act.CASE_VIEW, case)
        trail.record(Act.REVEAL, case, fields=["phone"], data_classes=["reach"], purpose=Purpose.REACH.value)
    trail.record(Act.SIGN_OUT, person)
