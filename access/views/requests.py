"""Pages of asking for access and of answering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import actions, step_up
from access.forms.requests import ApproveForm, AskForm, ExtendForm, RefuseForm
from access.http import SignedInRequest
from access.loads import Load, loads
from access.models import AccessRequest, CaseGrant
from access.permissions import CasePermission
from access.purposes import GRANTABLE, Purpose
from access.views.grants import refusal_words
from audit import trail
from audit.acts import Act

SHOWN = 100
ANSWERED_SHOWN = 20
_FIELDS = {"asked": "case_no", "research": "classes"}


@dataclass(frozen=True)
class Line:
    """A request as its supervisor sees it."""

    request: AccessRequest
    load: Load
    held: frozenset[str]

    @property
    def can_be_extended_at_once(self) -> bool:
        """One click gives what is held already for as long as was asked, when no second person is needed."""
        return (
            self.request.is_extension
            and not self.request.waits_for_second
            and set(self.request.permissions) <= self.held
        )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.request_access", raise_exception=True)
def ask(request: SignedInRequest) -> HttpResponse:
    """Ask for access to a case by its number; the answer is the same whether or not there is such a case."""
    is_filled_only = "fill" in request.POST
    given = request.POST if request.method == "POST" and not is_filled_only else None
    form = AskForm(given, initial={"case_no": request.POST.get("case_no", "")[:40]})
    if given is not None and form.is_valid():
        try:
            actions.ask(
                form.cleaned_data["case_no"],
                form.permissions,
                purpose=Purpose(form.cleaned_data["purpose"]),
                reason=form.cleaned_data["reason"],
                days=form.cleaned_data["days"],
                by=request.user,
            )
        except actions.GrantRefused as refusal:
            form.add_error(_FIELDS.get(refusal.code), refusal_words(refusal.code))
        else:
            messages.success(request, _sent())
            return redirect("access:requests")
    return render(request, "access/ask.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.request_access", raise_exception=True)
def extend(request: SignedInRequest, grant_id: UUID) -> HttpResponse:
    """Ask for longer before the own access ends: filled in with what is held."""
    mine = CaseGrant.objects.visible_to(request.user).live()
    grant = get_object_or_404(mine.select_related("content_object", "decision"), pk=grant_id)
    held = set(
        mine.filter(content_object_id=grant.content_object_id).values_list("permission__codename", flat=True)
    )
    purpose = grant.decision.purpose
    initial = {
        "classes": sorted(held),
        "more": sorted(held),
        "purpose": purpose if purpose in GRANTABLE else Purpose.SOURCE.value,
    }
    form = ExtendForm(request.POST or None, held=held, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.extend(
                grant,
                form.permissions,
                purpose=Purpose(form.cleaned_data["purpose"]),
                reason=form.cleaned_data["reason"],
                days=form.cleaned_data["days"],
                by=request.user,
            )
        except actions.GrantRefused as refusal:
            form.add_error(None, refusal_words(refusal.code))
        else:
            messages.success(request, _sent())
            return redirect("access:requests")
    return render(
        request, "access/extend.html", {"form": form, "grant": grant}, status=422 if form.errors else 200
    )


@require_safe
@permission_required("access.view_requests", raise_exception=True)
def requests(request: SignedInRequest) -> HttpResponse:
    """One's own requests; for supervisors those that wait for their answer."""
    return _inbox(request) if request.user.is_supervisor else _mine(request)


@require_safe
@permission_required("access.decide_request", raise_exception=True)
def request_(request: SignedInRequest, request_id: UUID) -> HttpResponse:
    """One request with all that the answer needs."""
    wish = _wish(request, request_id)
    trail.record(Act.GRANT_VIEW, wish)
    return _page(request, wish)


@require_POST
@permission_required("access.decide_request", raise_exception=True)
@step_up.required()
def approve(request: SignedInRequest, request_id: UUID) -> HttpResponse:
    """Agree to a request or to less of it; who comes second to the same request is told so."""
    wish = _wish(request, request_id)
    form = ApproveForm(request.POST, request=wish)
    permissions, days = [CasePermission(one) for one in wish.permissions], wish.days
    if wish.waits_for_second:
        permissions = [CasePermission(one) for one in wish.given_permissions or ()]
        days = wish.given_days or 0
    elif "as_asked" not in request.POST:
        if not form.is_valid():
            return _page(request, wish, form=form, status=422)
        permissions, days = form.permissions, form.cleaned_data["days"]
    try:
        decision = actions.approve(wish, permissions=permissions, days=days, by=request.user)
    except actions.RequestAnswered:
        return _page(request, _wish(request, request_id), status=409)
    except actions.GrantRefused as refusal:
        return _page(request, wish, error=refusal_words(refusal.code), status=422)
    name = {"person": wish.person.display_name}
    if decision is None:
        messages.success(
            request, _("Agreed. It now waits for a second supervisor; %(person)s sees nothing yet.") % name
        )
    else:
        messages.success(request, _("%(person)s has access now.") % name)
    return redirect("access:requests")


@require_POST
@permission_required("access.decide_request", raise_exception=True)
def refuse(request: SignedInRequest, request_id: UUID) -> HttpResponse:
    """Decline a request for a reason from the list."""
    wish = _wish(request, request_id)
    form = RefuseForm(request.POST)
    if not form.is_valid():
        return _page(request, wish, refuse_form=form, status=422)
    try:
        actions.refuse(wish, refusal=AccessRequest.Refusal(form.cleaned_data["refusal"]), by=request.user)
    except actions.RequestAnswered:
        return _page(request, _wish(request, request_id), status=409)
    except actions.GrantRefused as refusal:
        return _page(request, wish, error=refusal_words(refusal.code), status=422)
    messages.success(request, _("Declined. %(person)s is told why.") % {"person": wish.asker.display_name})
    return redirect("access:requests")


@require_POST
@permission_required("access.withdraw_request", raise_exception=True)
def withdraw(request: SignedInRequest, request_id: UUID) -> HttpResponse:
    """Take back the own request."""
    wish = get_object_or_404(AccessRequest.objects.filter(asker=request.user), pk=request_id)
    try:
        actions.withdraw(wish, by=request.user)
    except actions.RequestAnswered:
        messages.info(request, _("It was answered before you withdrew it."))
    else:
        messages.success(request, _("Withdrawn."))
    return redirect("access:requests")


def _sent() -> str:
    return _("Sent. If the case lies in a supervisor's area, the answer appears here within 7 days.")


def _wish(request: SignedInRequest, request_id: UUID) -> AccessRequest:
    rows = AccessRequest.objects.visible_to(request.user).for_supervisor()
    found: AccessRequest = get_object_or_404(rows, pk=request_id)
    return found


def _mine(request: SignedInRequest) -> HttpResponse:
    rows = AccessRequest.objects.filter(asker=request.user).for_asker().order_by("-created_at", "-pk")[:SHOWN]
    trail.record(Act.GRANT_VIEW, counts={"requests": len(rows)})
    return render(request, "access/requests.html", {"requests": rows})


def _inbox(request: SignedInRequest) -> HttpResponse:
    visible = AccessRequest.objects.visible_to(request.user).for_supervisor()
    waiting = visible.waiting_for(request.user).order_by("created_at")[:SHOWN]
    others = visible.undecided().exclude(pk__in=[one.pk for one in waiting]).order_by("created_at")[:SHOWN]
    answered = visible.exclude(decided_at=None).order_by("-decided_at")[:ANSWERED_SHOWN]
    lines = _lines(waiting)
    trail.record(Act.GRANT_VIEW, counts={"requests": len(lines)})
    context = {"lines": lines, "others": others, "answered": answered, "user_id": request.user.pk}
    return render(request, "access/inbox.html", context)


def _lines(wishes: Iterable[AccessRequest]) -> list[Line]:
    wishes = list(wishes)
    people = {wish.person_id for wish in wishes}
    load = loads(people)
    held: dict[tuple[UUID, UUID], set[str]] = {}
    rows = CaseGrant.objects.filter(
        user__in=people, content_object__in={wish.case_id for wish in wishes}, expires_at__gt=Now()
    )
    for person, case, codename in rows.values_list("user_id", "content_object_id", "permission__codename"):
        held.setdefault((person, case), set()).add(codename)
    return [_line(wish, load, held) for wish in wishes]


def _line(wish: AccessRequest, load: Mapping[UUID, Load], held: Mapping[Any, set[str]]) -> Line:
    return Line(
        wish, load.get(wish.person_id, Load()), frozenset(held.get((wish.person_id, wish.case_id), ()))
    )


def _page(
    request: SignedInRequest,
    wish: AccessRequest,
    *,
    form: ApproveForm | None = None,
    refuse_form: RefuseForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    can_answer = (
        wish.is_undecided
        and request.user.pk not in (wish.asker_id, wish.person_id)
        and not (wish.waits_for_second and wish.first_approver_id == request.user.pk)
    )
    context = {
        "wish": wish,
        "line": _lines([wish])[0],
        "form": form or ApproveForm(request=wish),
        "refuse_form": refuse_form or RefuseForm(),
        "can_answer": can_answer,
        "is_mine": wish.asker_id == request.user.pk,
        "is_late": status == 409,
        "error": error,
    }
    return render(request, "access/request.html", context, status=status)
