"""What a person holds on cases: which classes open, until when, and for which purposes it was given."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models.functions import Now

from access.models import AccessDecision, CaseGrant, User
from access.purposes import REVEAL, Purpose
from access.visibility import CLASS_PERMISSIONS, CasePermission
from cases.models import Case
from vault.classes import DataClass

EVERY_PURPOSE = frozenset(purpose.value for purpose in REVEAL)
Line = tuple[str, datetime, str, str]


@dataclass(frozen=True)
class Holding:
    """One person's permissions on one case."""

    permissions: frozenset[str]
    until: datetime | None = None
    purpose: str = ""
    purposes: frozenset[str] = frozenset()

    def opens(self, data_class: str) -> bool:
        """May the person see plain values of the class?"""
        return CLASS_PERMISSIONS[DataClass(data_class)].value in self.permissions

    @property
    def classes(self) -> frozenset[str]:
        """The classes whose values the person may see."""
        return frozenset(one.value for one in CLASS_PERMISSIONS if self.opens(one.value))

    @property
    def may_change(self) -> bool:
        return CasePermission.CHANGE.value in self.permissions


_BY_ONESELF = (AccessDecision.Kind.CREATED, AccessDecision.Kind.EMERGENCY)
NOTHING = Holding(frozenset())


def holdings(user: User, case_ids: Collection[UUID]) -> dict[UUID, Holding]:
    """The person's holding on each of the cases, in one query; a supervisor's follows from the area."""
    if user.is_supervisor:
        everything = frozenset(one.value for one in CasePermission) - {CasePermission.EXPORT.value}
        held = Holding(everything, purpose=Purpose.ACCOUNTABILITY.value, purposes=EVERY_PURPOSE)
        return dict.fromkeys(case_ids, held)
    rows = CaseGrant.objects.filter(user=user, content_object_id__in=case_ids, expires_at__gt=Now())
    found: dict[UUID, list[Line]] = {}
    facts = ("content_object_id", "permission__codename", "expires_at", "decision__purpose", "kind")
    for case_id, *line in rows.values_list(*facts):
        found.setdefault(case_id, []).append((line[0], line[1], line[2], line[3]))
    return {case_id: _holding(lines) for case_id, lines in found.items()}


def holding(user: User, case: Case) -> Holding:
    """The person's holding on one case; looked up once for each record fetched."""
    known = case.__dict__.setdefault("_holdings", {})
    if user.pk not in known:
        known[user.pk] = holdings(user, [case.pk]).get(case.pk, NOTHING)
    found: Holding = known[user.pk]
    return found


def _holding(lines: Iterable[Line]) -> Holding:
    lines = list(lines)
    by_name = {codename: (until, purpose) for codename, until, purpose, _kind in lines}
    until, purpose = by_name.get(CasePermission.VIEW.value, (None, ""))
    # Whoever opened the case, or broke the glass, was given it by nobody, and so for no single purpose.
    is_opener = any(kind in _BY_ONESELF for *_facts, kind in lines)
    given = frozenset(purpose for _codename, _until, purpose, _kind in lines)
    return Holding(frozenset(by_name), until, purpose, EVERY_PURPOSE if is_opener else given & EVERY_PURPOSE)
