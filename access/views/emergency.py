"""Emergency access: the last way to a case, for an investigator who cannot wait."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access import actor, step_up
from access.actions import emergency as actions
from access.dates import moment_words
from access.forms.emergency import EmergencyForm
from access.http import SignedInRequest
from access.models import DecisionReview, EmergencyAccess
from audit import trail
from audit.acts import Act

OWN_SHOWN = 20


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.break_glass", raise_exception=True)
@step_up.required(carries=False, reading=True)
def emergency(request: SignedInRequest) -> HttpResponse:
    """Say which case, why, and who you are once more; the case opens at once, and others are told at once."""
    # Where grave acts ask once more by themselves, that is the proof, second factor and all.
    form = EmergencyForm(
        request.POST if request.method == "POST" else None, asks_password=not settings.EPICASE_STEP_UP
    )
    if request.method != "POST":
        trail.record(Act.PAGE_VIEW)
    elif form.is_valid() and _is_proven(request, form):
        given = form.cleaned_data
        try:
            opened = actions.break_glass(given["case_no"], form.why, words=given["words"],
                                         hours=int(given["hours"]), by=request.user)  # fmt: skip
        except actions.EmergencyRefused as refusal:
            form.add_error(_field(refusal.code), _words(refusal.code))
        else:
            until = {"number": opened.case_no, "moment": moment_words(opened.ends_at)}
            messages.warning(
                request, _("%(number)s is open to you until %(moment)s. Others have been told.") % until
            )
            return redirect("cases:detail", case_id=opened.case_id)
    return render(
        request,
        "access/emergency.html",
        {"form": form, "own": _own(request)},
        status=422 if form.errors else 200,
    )


def _is_proven(request: SignedInRequest, form: EmergencyForm) -> bool:
    """Whether the password is the person's. A wrong one counts as a failed sign-in, and stays counted."""
    if not form.asks_password:
        return True
    with actor.wearing(actor.NOBODY):
        found = authenticate(request, username=request.user.username, password=form.cleaned_data["password"])
    if found is not None and found.pk == request.user.pk:
        trail.record(Act.STEP_UP, request.user)
        return True
    # Nothing else was done yet: undoing this answer would give unlimited guesses.
    request.is_never_undone = True  # type: ignore[attr-defined]
    actions.refuse_unproven()
    form.add_error("password", _("The password is not right. Nothing was opened."))
    return False


def _own(request: SignedInRequest) -> list[tuple[EmergencyAccess, DecisionReview | None]]:
    """One's own uses of emergency access, newest first, each with its review."""
    mine = list(EmergencyAccess.objects.filter(person=request.user).order_by("-opened_at")[:OWN_SHOWN])
    rows = DecisionReview.objects.filter(decision_id__in=[one.pk for one in mine])
    found = {
        row.decision_id: row for row in rows.select_related("reviewed_by").defer("reviewed_by__password")
    }
    return [(one, found.get(one.pk)) for one in mine]


def _field(code: str) -> str | None:
    """The field that the refusal is about; None for all of it."""
    return "case_no" if code in ("no_such_number", "held_already") else None


def _words(code: str) -> str:
    return {
        "no_such_number": _("There is no case with this number. Check it; nothing was opened."),
        "held_already": _("You can see this case, its identity and contact details already. Go to it by its number."),
        "two_open": _("Two of your emergency accesses are open. Wait until one ends, or ask a supervisor."),
        "four_a_day": _("You used emergency access four times in 24 hours. Ask a supervisor."),
        "review_missing": _("An earlier emergency access of yours waits for its review for over 72 hours. "
                     "Until then there is no new one; ask a supervisor."),
    }[code]  # fmt: skip
