"""The movements of a case: the list, masked or lit, and adding, correcting and taking back a row."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.http import SignedInRequest
from access.visibility import CasePermission
from audit import trail
from audit.acts import Act
from cases import actions, merging, movements
from cases.forms.visits import MORE, QUICK, VisitForm, drawn
from cases.holdings import Holding, holding
from cases.models import Case, Visit
from cases.policy import is_encrypted
from cases.reveal import count, reveal
from cases.views import purposes
from cases.views.fetching import visible
from cases.wording import field_label, words
from vault.errors import RecordGone

VALUES: Final = ("start_at", "end_at", *QUICK, *MORE)
SEALED: Final = tuple(name for name in VALUES if is_encrypted(Visit._meta.get_field(name)))
CLASS: Final = "trajectory"


@require_safe
@permission_required("cases.view_cases", raise_exception=True)
def movements_page(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    """The rows, masked, and the form for the next one."""
    case, held = _opened_to(request, case_id)
    visits = _standing(case)
    trail.record(Act.CASE_VIEW, case, subjects=visits, data_classes=[CLASS], counts={"visits": len(visits)})
    return _page(request, case, held, movements.masked(visits))


@require_POST
@permission_required("cases.reveal_values", raise_exception=True)
def show(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    """All rows in plain text, as one act that names each of them."""
    case, held = _opened_to(request, case_id)
    purpose, error = purposes.stated(request, case, held)
    if not purpose:
        return purposes.ask(request, case, held, act=_("Show movements"), error=error)
    visits = _standing(case)
    draft = trail.record(
        Act.REVEAL, case, subjects=visits, fields=SEALED, data_classes=[CLASS], purpose=purpose,
        counts={"visits": len(visits)}, claims=[case, *visits],
    )  # fmt: skip
    count(draft, (getattr(visit, name) for visit in visits for name in movements.SHOWN))
    return _page(request, case, held, movements.lit(visits), is_lit=True)


@require_POST
@permission_required("cases.correct_case", raise_exception=True)
def add(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    case, held = _opened_to(request, case_id, CasePermission.CHANGE)
    form = VisitForm(request.POST, case=case)
    others = _standing(case)
    if form.is_valid() and _fits(request, form, others):
        try:
            actions.add_visit(case, _filled(form.values), by=request.user)
        except actions.CaseClosed:
            form.add_error(None, _("This case is closed. A supervisor can reopen it."))
        else:
            messages.success(request, _("The row was added."))
            return redirect("cases:movements", case_id=case.pk)
    return _page(request, case, held, movements.masked(others), form=form, status=422)


@require_http_methods(["GET", "POST"])
@permission_required("cases.correct_case", raise_exception=True)
def edit(request: SignedInRequest, case_id: UUID, visit_id: UUID) -> HttpResponse:
    case, held = _opened_to(request, case_id, CasePermission.CHANGE)
    visit = _visit(case, visit_id)
    purpose = purposes.known(request, case, held)
    if not purpose:
        return redirect("cases:purpose_for", case_id=case.pk, after="movements")
    if request.method == "GET":
        values = _values(visit, purpose, holding(request.user, case))
        told = {**drawn(values), "seen": json.dumps(merging.marks(visit, values))}
        return _row_page(request, case, visit, VisitForm(initial=told, case=case))
    form = VisitForm(request.POST, case=case)
    others = [one for one in _standing(case) if one.pk != visit.pk]
    if not form.is_valid() or not _fits(request, form, others):
        return _row_page(request, case, visit, form, status=422)
    return _saved(request, case, visit, form, purpose)


@require_POST
@permission_required("cases.correct_case", raise_exception=True)
def withdraw(request: SignedInRequest, case_id: UUID, visit_id: UUID) -> HttpResponse:
    """Take back a row that was entered by mistake."""
    case, _held = _opened_to(request, case_id, CasePermission.CHANGE)
    try:
        actions.withdraw_visit(_visit(case, visit_id), by=request.user)
    except actions.CaseClosed:
        messages.error(request, _("This case is closed. A supervisor can reopen it."))
    else:
        messages.success(request, _("The row was taken back."))
    return redirect("cases:movements", case_id=case.pk)


def _saved(request: SignedInRequest, case: Case, visit: Visit, form: VisitForm, purpose: str) -> HttpResponse:
    merged = merging.merge(visit, form.values, form.seen_marks)
    if merged.conflicts:
        values = _values(visit, purpose, holding(request.user, case))
        form.drawn_again({name: merging.mark(visit, name, values[name]) for name in merged.conflicts})
        theirs = [
            (field_label(Visit, name), words(Visit, name, values[name]) or _("Not collected"))
            for name in merged.conflicts
        ]
        form.add_error(
            None, _("Another person changed this meanwhile. Compare, then save again to keep yours.")
        )
        return _row_page(request, case, visit, form, status=422, theirs=theirs)
    if merged.changes:
        try:
            actions.correct_visit(visit, merged.changes, by=request.user)
        except actions.CaseClosed:
            form.add_error(None, _("This case is closed. A supervisor can reopen it."))
            return _row_page(request, case, visit, form, status=422)
        except RecordGone:
            raise Http404 from None
        messages.success(request, _("The row was saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("cases:movements", case_id=case.pk)


def _opened_to(
    request: SignedInRequest, case_id: UUID, permission: CasePermission = CasePermission.VIEW
) -> tuple[Case, Holding]:
    """The case whose movements the person may know; without a grant of that class 403, whether there are any or not."""
    case = visible(request, case_id, permission)
    held = holding(request.user, case)
    if not held.opens(CLASS):
        raise PermissionDenied
    return case, held


def _standing(case: Case) -> list[Visit]:
    return list(Visit.objects.filter(case=case).standing())


def _visit(case: Case, visit_id: UUID) -> Visit:
    visit: Visit = get_object_or_404(Visit.objects.filter(case=case, withdrawn_at__isnull=True), pk=visit_id)
    visit.case = case
    return visit


def _values(visit: Visit, purpose: str, held: Holding) -> dict[str, Any]:
    plain = {name: getattr(visit, name) for name in VALUES if name not in SEALED}
    return {**reveal(visit, SEALED, purpose=purpose, held=held), **plain}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _fits(request: SignedInRequest, form: VisitForm, others: list[Visit]) -> bool:
    """Whether the row agrees with the other rows; a short overlap is remarked on, not refused."""
    for finding in movements.clashes(form.values, others):
        if finding.is_error:
            form.add_error("start", finding.message)
        else:
            messages.info(request, finding.message)
    return not form.errors


def _page(
    request: SignedInRequest,
    case: Case,
    held: Holding,
    days: list[movements.Day],
    *,
    form: VisitForm | None = None,
    is_lit: bool = False,
    status: int = 200,
) -> HttpResponse:
    may_correct = request.user.may("cases.correct_case") and held.may_change and not case.is_closed
    context = {
        "case": case,
        "days": days,
        "rows": sum(len(day.rows) for day in days),
        "is_lit": is_lit,
        "may_correct": may_correct,
        "may_reveal": request.user.may("cases.reveal_values"),
        "form": form or VisitForm(case=case),
        "purpose": purposes.label(purposes.known(request, case, held)),
        "close_url": reverse("cases:movements", args=[case.pk]),
        **purposes.lit_for(has_secrets=is_lit),
    }
    return render(request, "cases/movements.html", context, status=status)


def _row_page(
    request: SignedInRequest, case: Case, visit: Visit, form: VisitForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"case": case, "visit": visit, "form": form, **purposes.lit_for(has_secrets=True), **more}
    return render(request, "cases/visit.html", context, status=status)
