"""Why a person can see a case: the decisions behind it, what they open, and what they leave closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models.functions import Now

from access.models import AccessDecision, CaseGrant
from access.visibility import CLASS_PERMISSIONS

if TYPE_CHECKING:
    from django.db.models import Model

    from access.models import User
    from access.permissions import CasePermission


@dataclass(frozen=True)
class Reason:
    """One decision by which a person sees a case, and what it gives."""

    grant: CaseGrant
    codenames: frozenset[str]
    until: datetime

    @property
    def decision(self) -> AccessDecision:
        return self.grant.decision


@dataclass(frozen=True)
class Explanation:
    """All of a person's decisions on one case, and the classes that none of them opens."""

    reasons: list[Reason]
    missing: list[CasePermission]


def explain(person: User, case: Model) -> Explanation:
    """The live grants of the person on the case by decision, ending last first."""
    rows = (
        CaseGrant.objects.filter(user=person, content_object_id=case.pk, expires_at__gt=Now())
        .select_related("permission", "decision__granted_by", "decision__second_approver")
        .defer("decision__granted_by__password", "decision__second_approver__password")
        .order_by("-expires_at")
    )
    together: dict[tuple[object, datetime], list[CaseGrant]] = {}
    for grant in rows:
        together.setdefault((grant.decision_id, grant.expires_at), []).append(grant)
    reasons = [
        Reason(grants[0], frozenset(grant.permission.codename for grant in grants), until)
        for (_decision, until), grants in together.items()
    ]
    held = frozenset().union(*(reason.codenames for reason in reasons))
    return Explanation(reasons, [one for one in CLASS_PERMISSIONS.values() if one.value not in held])
