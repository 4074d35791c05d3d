"""Pages of one's own access, and of giving and taking it."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from access import actions, step_up
from access.forms import PRESETS, GrantForm, preset
from access.http import SignedInRequest
from access.models import AccessDecision, AccessRequest, CaseGrant
from access.purposes import Purpose
from access.views.fetching import visible_case
from access.views.refusals import refused
from audit import trail
from audit.acts import Act

GRANTS_SHOWN = 500
# When a person is reminded that an access ends.
SOON = timedelta(days=3)
_HAS_ACCESS = _lazy("%(person)s has access now.")
_IS_PROPOSED = _lazy(
    "Proposed: %(person)s has access when another supervisor of the area has agreed, counted from then."
)
_FIELDS = {
    "self": "to",
    "role": "to",
    "asked": "to",
    "reason": "reason",
    "research": "classes",
    "once": "single_use",
}


@require_safe
def grants(request: SignedInRequest) -> HttpResponse:
    """One's own access and when it ends; for supervisors that of their cases."""
    if request.user.may("access.view_grants"):
        rows = _live(request).filter(user__role="investigator")
    elif request.user.may("access.view_own_grants"):
        rows = _live(request)
    else:
        return refused(request)
    entries = _entries(rows.order_by("expires_at", "content_object_id", "user_id")[:GRANTS_SHOWN])
    trail.record(Act.GRANT_VIEW, counts={"grants": len(entries)})
    asked = set()
    if request.user.is_investigator:
        undecided = AccessRequest.objects.filter(asker=request.user, kind=AccessRequest.Kind.EXTENSION)
        asked = set(undecided.undecided().values_list("case_no", flat=True))
    context = {
        "entries": entries,
        "of_others": request.user.is_supervisor,
        "asked": asked,
        "ending": sum(entry["ends_soon"] for entry in entries),
    }
    return render(request, "access/grants.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.view_grants", raise_exception=True)
@step_up.required()
def case_access(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    """Who can see this case, until when and why; giving access to another person."""
    case = visible_case(request, case_id)
    chosen = preset(request.GET.get("preset", ""))
    form = GrantForm(request.POST or None, by=request.user, initial=chosen.initial if chosen else None)
    if request.method == "POST" and request.user.may("access.issue_grant") and form.is_valid():
        try:
            given = actions.give(
                case,
                form.cleaned_data["to"],
                form.permissions,
                purpose=Purpose(form.cleaned_data["purpose"]),
                reason=form.cleaned_data["reason"],
                until=form.until,
                by=request.user,
                single_use=form.cleaned_data["single_use"],
            )
        except actions.GrantRefused as refusal:
            form.add_error(_FIELDS.get(refusal.code), refusal_words(refusal.code))
        else:
            done = _HAS_ACCESS if isinstance(given, AccessDecision) else _IS_PROPOSED
            messages.success(request, done % {"person": form.cleaned_data["to"].display_name})
            return redirect("access:case", case_id=case.pk)
    if request.method != "POST":
        trail.record(Act.GRANT_VIEW, case)
    return render(
        request,
        "access/case.html",
        {
            "case": case,
            "form": form,
            "presets": PRESETS,
            "chosen": chosen,
            "entries": _entries(_live(request).filter(content_object_id=case.pk).order_by("user_id")),
        },
        status=422 if form.errors else 200,
    )


def _live(request: SignedInRequest) -> QuerySet[CaseGrant]:
    rows = CaseGrant.objects.visible_to(request.user).live()
    return rows.select_related(
        "user__organisation",
        "permission",
        "decision__granted_by",
        "decision__second_approver",
        "granted_by",
        "content_object",
    ).defer(
        "user__password",
        "granted_by__password",
        "decision__granted_by__password",
        "decision__second_approver__password",
    )


def _entries(rows: QuerySet[CaseGrant]) -> list[dict[str, Any]]:
    """One line per person, case and end: the permissions of one decision together."""
    ordered = sorted(
        rows, key=lambda grant: (grant.expires_at, str(grant.content_object_id), str(grant.user_id))
    )
    lines = []
    for _key, group in groupby(
        ordered, key=lambda g: (g.expires_at, g.content_object_id, g.user_id, g.decision_id)
    ):
        together = list(group)
        lines.append(
            {
                "grant": together[0],
                "codenames": {grant.permission.codename for grant in together},
                "ends_soon": together[0].expires_at <= timezone.now() + SOON,
            }
        )
    return lines


def refusal_words(code: str) -> str:
    """Why access is not given or not asked for, in the reader's language."""
    return {
        "self": _("Nobody gives access to oneself. Ask another supervisor."),
        "role": _("Only an active investigator can be given access."),
        "until": _("The end must lie within the next 90 days."),
        "permissions": _("Choose what the person may do."),
        "research": _("Statistics never need identity or contact details: leave these two out."),
        "reason": _("A second supervisor has to agree, so say in ten letters or more what it is needed for."),
        "asked": _("This has been asked for and waits for an answer."),
        "open": _("You have 20 requests waiting. Withdraw one, or wait for an answer."),
        "own": _("Nobody answers a request for oneself or one's own proposal."),
        "first": _("You have agreed already; another supervisor has to confirm."),
        "wider": _("An approval gives what was asked for or less, never more."),
        "more": _("Longer is asked for of what you hold. For more, ask for access."),
        "none": _("This access has ended. Ask for it anew."),
        "temporary_export": _("Temporary staff export nothing. Leave the export out."),
        "temporary_until": _("Temporary staff have access for 7 days at most. Choose a nearer end."),
        "once": _(
            "Access for a single use allows no export, lasts 30 days at most and is not for statistics."
        ),
    }[code]
