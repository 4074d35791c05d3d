"""The page on which a supervisor hands the work of somebody who leaves over to a colleague."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from access import actions, step_up
from access.actions import Handover
from access.actions.expansion import Row
from access.forms.bulk import HandOverForm
from access.http import SignedInRequest
from access.models import User
from access.purposes import Purpose
from access.views.fetching import visible_cases
from access.views.grants import refusal_words
from audit import trail
from audit.acts import Act

LINES_SHOWN: Final = 300


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.hand_over", raise_exception=True)
@step_up.required()
def hand_over(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Hand all of a person's work in the area over: first what it comes to, then the click."""
    person = get_object_or_404(User.objects.select_related("organisation"), pk=user_id)
    work = actions.work_of(person, by=request.user)
    if not work.cases:
        raise Http404
    form = HandOverForm(request.POST or None, person=person, by=request.user)
    found: Handover | None = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            found = actions.plan_hand_over(person, given["to"], by=request.user)
            if form.confirms(len(found.expansion.rows)):
                actions.hand_over(person, given["to"], by=request.user, reason=given["reason"])
                messages.success(request, _done(found, given["to"]))
                return redirect("access:holders")
        except actions.GrantRefused as refusal:
            form.add_error("to", _words(refusal.code))
    trail.record(Act.GRANT_VIEW, person, counts={"cases": len(work.cases)})
    context = {"person": person, "work": work, "form": form, "found": found, **_lines(request, found)}
    return render(request, "access/hand_over.html", context, status=422 if form.errors else 200)


def _done(found: Handover, to: User) -> str:
    words = ngettext(
        "%(n)d case is handed over to %(person)s.",
        "%(n)d cases are handed over to %(person)s.",
        len(found.cases),
    )
    return words % {"n": len(found.cases), "person": to.display_name}


def _lines(request: SignedInRequest, found: Handover | None) -> dict[str, Any]:
    """The cases that go and those that stay, the first 300 of each."""
    if found is None:
        return {}
    going, staying = sorted(found.cases)[:LINES_SHOWN], sorted(found.staying)[:LINES_SHOWN]
    cases = visible_cases(request).in_bulk([*going, *staying])
    rows: dict[UUID, list[Row]] = defaultdict(list)
    for row in found.expansion.rows:
        rows[row.case_id].append(row)
    return {
        "going": [_line(cases[pk], rows[pk], is_named=pk in found.named) for pk in going if pk in cases],
        "staying": [{"case": cases[pk], "why": _why(found.staying[pk])} for pk in staying if pk in cases],
        "most": LINES_SHOWN,
        "is_cut": max(len(found.cases), len(found.staying)) > LINES_SHOWN,
    }


def _line(case: Any, rows: Iterable[Row], *, is_named: bool) -> dict[str, Any]:
    """One case that goes: for what, what is permitted, and when it ends at the latest."""
    written = list(rows)
    purposes = {row.purpose for row in written}
    return {
        "case": case,
        "is_named": is_named,
        "purposes": [Purpose(code).label for code in sorted(purposes)],
        "codenames": sorted({row.permission for row in written}),
        "until": max((row.expires_at for row in written), default=None),
    }


def _why(code: str) -> str:
    return {
        "nothing": _("The person holds nothing there any more. Give access to the case itself."),
        "statistics": _("For statistics: two supervisors have to agree."),
        "emergency": _("Emergency access is for one person alone."),
        "stand_in": _("Held as somebody's stand-in."),
        "once": _("For a single use by this person."),
    }[code]


def _words(code: str) -> str:
    own = {
        "same": _("Somebody else has to take the work over."),
        "taker": _("Only an active investigator of your area can take the work over."),
        "nothing": _("Nothing of this work can be handed over. Give access to the cases themselves."),
        "rows": _(
            "This comes to more than 10,000 rows (cases × permissions). Give access to the cases in parts."
        ),
    }
    return own[code] if code in own else refusal_words(code)
