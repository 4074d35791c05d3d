"""The purpose that a person states once for each case; every showing after it is still an event of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from access.http import SignedInRequest
from access.purposes import REVEAL, Purpose
from cases.holdings import Holding, holding
from cases.models import Case
from cases.policy import Words
from cases.reveal import is_allowed
from cases.sections import BY_CODE
from cases.views.fetching import visible

KEPT = 300
LIT_SECONDS = 60 * 60


@dataclass(frozen=True)
class Choice:
    """A purpose as offered: one that the person's grants do not serve is off."""

    code: str
    label: Words
    note: Words = ""
    is_off: bool = False


def choices(held: Holding) -> list[Choice]:
    """All purposes for which values are shown, those outside the person's grants off."""
    notes = [(purpose, _note(purpose, held)) for purpose in REVEAL]
    return [Choice(purpose.value, purpose.label, note, bool(note)) for purpose, note in notes]


def _note(purpose: Purpose, held: Holding) -> str:
    """Why the purpose cannot be chosen; "" when it can. Classifying needs the class health."""
    if not is_allowed(purpose.value, held):
        return _("your access was given for another purpose")
    if purpose is Purpose.CLASSIFY and not held.opens("health"):
        return _("health is not in your grant")
    return ""


def known(request: SignedInRequest, case: Case, held: Holding) -> str:
    """The purpose stated for this case in this session, or "": also when the grants are for others now."""
    code = str(request.session.get("purposes", {}).get(str(case.pk), ""))
    return code if is_allowed(code, held) else ""


def label(code: str) -> str:
    return str(Purpose(code).label) if code in Purpose.values else ""


def stated(request: SignedInRequest, case: Case, held: Holding) -> tuple[str, str]:
    """The purpose to act under and, when the one posted is not offered, the words for that."""
    posted = request.POST.get("purpose")
    if posted is None:
        return known(request, case, held), ""
    if posted not in {one.code for one in choices(held) if not one.is_off}:
        return "", _("Choose one of the purposes.")
    keep(request, case, posted)
    return posted, ""


def keep(request: SignedInRequest, case: Case, code: str) -> None:
    """Remember the purpose for this case until the session ends; the oldest ones go first."""
    purposes = {key: one for key, one in request.session.get("purposes", {}).items() if key != str(case.pk)}
    newest = [*purposes.items()][-(KEPT - 1) :]
    request.session["purposes"] = {**dict(newest), str(case.pk): code}


def lit_for(*, has_secrets: bool) -> dict[str, int]:
    """Until when a section stays open for editing, in seconds since 1970; nothing when nothing is open."""
    return {"lit_until": int(time.time()) + LIT_SECONDS} if has_secrets else {}


def ask(request: SignedInRequest, case: Case, held: Holding, *, act: str, error: str = "") -> HttpResponse:
    """The page that asks why, before anything is opened; what it posts to the same address goes on from there."""
    context = {
        "case": case,
        "choices": choices(held),
        "chosen": known(request, case, held) or held.purpose,
        "action": request.path,
        "act": act,
        "error": error,
    }
    return render(request, "cases/purpose.html", context, status=422 if error else 200)


@require_http_methods(["GET", "POST"])
@permission_required("cases.reveal_values", raise_exception=True)
def purpose(request: SignedInRequest, case_id: UUID, after: str = "") -> HttpResponse:
    """State or change the purpose, then go on to the section to be edited, or back to the case."""
    case = visible(request, case_id)
    held = holding(request.user, case)
    code, error = stated(request, case, held) if request.method == "POST" else ("", "")
    if not code:
        return ask(request, case, held, act=_("Continue"), error=error)
    if after == "movements":
        return redirect("cases:movements", case_id=case.pk)
    return redirect(
        reverse("cases:edit", args=[case.pk, after]) if after in BY_CODE else case.get_absolute_url()
    )
