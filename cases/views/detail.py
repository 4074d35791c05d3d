"""The page of one case, and moving its investigation on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.http import SignedInRequest
from access.models import CaseGrant, User
from access.visibility import CasePermission
from audit import search, trail
from audit.acts import Act
from audit.search import Line
from cases import actions, casefile, completeness
from cases.codes import label
from cases.holdings import Holding, holding
from cases.models import Case, Visit
from cases.views import purposes
from cases.views.fetching import visible

EVENTS_READ: Final = 60
EVENTS_SHOWN: Final = 5
# From which state to which, and who may move it there.
MOVES: Final = {
    "investigating": ({"new", "assigned", "returned"}, "cases.correct_case"),
    "review": ({"new", "assigned", "investigating", "returned"}, "cases.correct_case"),
    "returned": ({"review"}, "cases.classify_case"),
    "closed": ({"review"}, "cases.classify_case"),
    "reopened": ({"closed"}, "cases.classify_case"),
}


@dataclass
class Bearer:
    """A person with access to the case, until when, and what they may do."""

    user: User
    until: datetime
    codenames: set[str] = field(default_factory=set)


@require_safe
@permission_required("cases.view_cases", raise_exception=True)
def detail(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    case = visible(request, case_id)
    held = holding(request.user, case)
    sees_movements = held.opens("trajectory")
    visits = Visit.objects.filter(case=case, withdrawn_at__isnull=True).count() if sees_movements else None
    filling, parts = completeness.filling(case, held.classes), casefile.parts(case, held)
    trail.record(Act.CASE_VIEW, case)
    context = {
        "case": case,
        "held": held,
        "may_correct": _may_correct(request.user, held),
        "may_reveal": request.user.may("cases.reveal_values"),
        "parts": parts,
        "filling": filling,
        "first_missing": next((one.code for one in parts if not one.filling.is_complete), ""),
        "missing": [casefile.fact(case, name).label for name in filling.missing],
        "sees_movements": sees_movements,
        "visits": visits,
        "bearers": bearers(case),
        "mine": _own_events(case),
        "purpose": purposes.label(purposes.known(request, case, held)),
        "moves": moves(case, request.user, held),
    }
    return render(request, "cases/detail.html", context)


@require_POST
@permission_required("cases.correct_case", raise_exception=True)
def move(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    """Send for review, return, close or reopen; what the state does not allow is said, and changes nothing."""
    case = visible(request, case_id, CasePermission.CHANGE)
    wanted = request.POST.get("to", "")
    if wanted not in moves(case, request.user, holding(request.user, case)):
        messages.error(request, _("The case is in another state now. Look at it again."))
    else:
        status = "investigating" if wanted == "reopened" else wanted
        actions.set_status(case, status, by=request.user)
        messages.success(request, _("State: %(state)s.") % {"state": label("CASE_STATUS", status)})
    return redirect(case)


def moves(case: Case, by: User, held: Holding) -> list[str]:
    """Where this person may move the case from its present state."""
    if not held.may_change:
        return []
    return [to for to, (states, permission) in MOVES.items() if case.status in states and by.may(permission)]


def bearers(case: Case) -> list[Bearer]:
    """Who has access now, as far as this person may know: themselves, or for supervisors everyone."""
    rows = (
        CaseGrant.objects.filter(content_object_id=case.pk, expires_at__gt=Now())
        .select_related("user__organisation", "permission")
        .defer("user__password")
        .order_by("user__display_name", "expires_at")
    )
    found: dict[tuple[UUID, datetime], Bearer] = {}
    for grant in rows:
        key = (grant.user_id, grant.expires_at)
        found.setdefault(key, Bearer(grant.user, grant.expires_at)).codenames.add(grant.permission.codename)
    return list(found.values())


def _may_correct(user: User, held: Holding) -> bool:
    return user.may("cases.correct_case") and held.may_change


def _own_events(case: Case) -> list[Line]:
    """The person's own last acts on this case."""
    lines, _before = search.own_events(size=EVENTS_READ)
    return [line for line in lines if _is_about(line.body, case)][:EVENTS_SHOWN]


def _is_about(body: dict[str, Any], case: Case) -> bool:
    about = body.get("object") or {}
    return about.get("label") == case.case_no or str(about.get("id") or about.get("pk") or "") == str(case.pk)
