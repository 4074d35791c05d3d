"""The review queue: emergency accesses and exceeded quotas, judged by somebody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.actions import emergency as actions
from access.forms.emergency import BreachForm, ReviewForm
from access.http import SignedInRequest
from access.models import DecisionReview, EmergencyAccess, QuotaBreach, Verdict
from audit import trail, words
from audit.acts import Act

SHOWN, REVIEWED_SHOWN = 200, 30
REVIEWED = Exists(DecisionReview.objects.filter(decision_id=OuterRef("pk")))


@require_safe
@permission_required("access.view_reviews", raise_exception=True)
def reviews(request: SignedInRequest) -> HttpResponse:
    """What waits for its review, the oldest first, and what was reviewed lately."""
    return _queue(request)


@require_safe
@permission_required("access.view_reviews", raise_exception=True)
def review(request: SignedInRequest, decision_id: UUID) -> HttpResponse:
    """One use of emergency access: why, what was seen with it, and the verdict."""
    opened = get_object_or_404(_emergencies(request), pk=decision_id)
    trail.record(Act.REVIEW_VIEW, opened, decision_id=opened.pk)
    return _one(request, opened, ReviewForm())


@require_POST
@permission_required("access.review_emergency", raise_exception=True)
def judge(request: SignedInRequest, decision_id: UUID) -> HttpResponse:
    """Say whether a use of emergency access was justified."""
    opened = get_object_or_404(_emergencies(request), pk=decision_id)
    form = ReviewForm(request.POST)
    if form.is_valid() and _is_kept(request, opened, form):
        messages.success(request, _("The review is saved."))
        return redirect("access:reviews")
    return _one(request, opened, form, status=422)


@require_POST
@permission_required("access.review_emergency", raise_exception=True)
def review_breach(request: SignedInRequest, breach_id: UUID) -> HttpResponse:
    """Say whether somebody who asked for more values than allowed had a reason."""
    breach = get_object_or_404(_breaches(request), pk=breach_id)
    form = BreachForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the verdicts."))
        return _queue(request, status=422)
    try:
        actions.review_breach(breach, Verdict(form.cleaned_data["verdict"]), by=request.user)
    except actions.ReviewRefused as refusal:
        messages.error(request, _refusal_words(refusal.code))
    else:
        messages.success(request, _("The review is saved."))
    return redirect("access:reviews")


def _queue(request: SignedInRequest, *, status: int = 200) -> HttpResponse:
    waiting = list(_emergencies(request).filter(~REVIEWED).order_by("opened_at")[:SHOWN])
    done = list(_emergencies(request).filter(REVIEWED).order_by("-opened_at")[:REVIEWED_SHOWN])
    verdicts = _verdicts(done)
    breaches = list(_breaches(request).filter(reviewed_at__isnull=True).order_by("happened_at")[:SHOWN])
    judged = _breaches(request).filter(reviewed_at__isnull=False).order_by("-happened_at")
    trail.record(Act.REVIEW_VIEW, counts={"waiting": len(waiting) + len(breaches)})
    context = {
        "waiting": waiting,
        "done": [(one, verdicts[one.pk]) for one in done],
        "breaches": breaches,
        "breaches_done": list(judged[:REVIEWED_SHOWN]),
        "choices": Verdict.choices,
        "may_review": request.user.may("access.review_emergency"),
    }
    return render(request, "access/reviews.html", context, status=status)


def _one(
    request: SignedInRequest, opened: EmergencyAccess, form: ReviewForm, *, status: int = 200
) -> HttpResponse:
    is_own = opened.person_id == request.user.pk
    found = _verdicts([opened]).get(opened.pk)
    context = {
        "opened": opened,
        "form": form,
        "seen": [(_field(one), one) for one in actions.seen(opened)],
        "found": found,
        "words": _reason_words(request, opened),
        "may_review": request.user.may("access.review_emergency") and not is_own and found is None,
        "is_own": is_own,
    }
    return render(request, "access/review.html", context, status=status)


def _is_kept(request: SignedInRequest, opened: EmergencyAccess, form: ReviewForm) -> bool:
    try:
        actions.review(
            opened, Verdict(form.cleaned_data["verdict"]), words=form.cleaned_data["words"], by=request.user
        )
    except actions.ReviewRefused as refusal:
        form.add_error(None, _refusal_words(refusal.code))
        return False
    return True


def _emergencies(request: SignedInRequest) -> QuerySet[EmergencyAccess]:
    """Those of the area, or all for auditors. No column of the decision is read."""
    return (
        EmergencyAccess.objects.visible_to(request.user)
        .select_related("person__organisation")
        .defer("person__password")
    )


def _breaches(request: SignedInRequest) -> QuerySet[QuotaBreach]:
    rows = QuotaBreach.objects.visible_to(request.user)
    return rows.select_related("person", "organisation", "reviewed_by").defer(
        "person__password", "reviewed_by__password"
    )


def _verdicts(opened: list[EmergencyAccess]) -> dict[UUID, DecisionReview]:
    """The reviews by decision, without their words: an auditor may not read these."""
    rows = DecisionReview.objects.filter(decision_id__in=[one.pk for one in opened])
    rows = rows.select_related("reviewed_by").defer("words", "reviewed_by__password")
    return {row.decision_id: row for row in rows}


def _reason_words(request: SignedInRequest, opened: EmergencyAccess) -> str:
    """What the person wrote; only for supervisors, because it is free text."""
    return opened.decision.reason if request.user.is_supervisor else ""


def _field(one: Any) -> str:
    return words.field(one.model, one.field)


def _refusal_words(code: str) -> str:
    return {
        "self": _("Nobody reviews their own act. Another supervisor has to."),
        "reviewed": _("Somebody else has reviewed it meanwhile."),
    }[code]
