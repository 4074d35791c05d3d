"""Correcting one section: values are opened on the record, and only what was changed is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from access.http import SignedInRequest
from access.models import User
from access.visibility import CasePermission
from audit import trail
from audit.acts import Act
from cases import actions, merging
from cases.forms.section import SectionForm, editable, sealed
from cases.holdings import Holding, holding
from cases.models import Case
from cases.policy import is_encrypted
from cases.reveal import reveal
from cases.sections import BY_CODE, Section
from cases.views import purposes
from cases.views.fetching import visible
from cases.wording import field_label, words
from vault.errors import RecordGone


@require_http_methods(["GET", "POST"])
@permission_required("cases.correct_case", raise_exception=True)
def edit(request: SignedInRequest, case_id: UUID, code: str) -> HttpResponse:
    """The section's form, filled with values that were just recorded as opened."""
    if code not in BY_CODE:
        raise Http404
    case, section = visible(request, case_id, CasePermission.CHANGE), BY_CODE[code]
    if case.is_closed:
        messages.error(request, _("This case is closed. A supervisor can reopen it."))
        return redirect(case)
    held = holding(request.user, case)
    names = editable(section, request.user, held)
    purpose = purposes.known(request, case, held)
    if sealed(names) and not purpose:
        return redirect("cases:purpose_for", case_id=case.pk, after=code)
    if request.method == "GET":
        return _drawn(request, case, section, names, purpose)
    form = SectionForm(request.POST, case=case, names=names, by=request.user)
    if not form.is_valid():
        return _page(request, case, section, form, status=422)
    return _saved(request, case, section, form)


def _drawn(
    request: SignedInRequest, case: Case, section: Section, names: list[str], purpose: str
) -> HttpResponse:
    values = opened(case, names, purpose, holding(request.user, case))
    if not sealed(names):
        trail.record(Act.CASE_VIEW, case, fields=names)
    marks = json.dumps(merging.marks(case, values))
    form = SectionForm(initial={**values, "seen": marks}, case=case, names=names, by=request.user)
    return _page(request, case, section, form)


def _saved(request: SignedInRequest, case: Case, section: Section, form: SectionForm) -> HttpResponse:
    merged = merging.merge(case, form.values, form.seen_marks)
    if merged.conflicts:
        return _conflict(request, case, section, form, merged.conflicts)
    if not merged.changes:
        messages.info(request, _("Nothing was changed."))
        return redirect(case)
    try:
        write(case, merged.changes, by=request.user)
    except RecordGone:
        raise Http404 from None
    messages.success(request, _("Saved: %(fields)s.") % {"fields": _labels(merged.changes)})
    for remark in form.remarks:
        messages.info(request, remark.message)
    return redirect(case)


def write(case: Case, changes: dict[str, Any], *, by: User) -> None:
    """Write the changes: the classification by its own act, the rest as a correction, in one transaction."""
    rest = dict(changes)
    if "classification" in rest:
        actions.classify(case, rest.pop("classification"), by=by)
    if rest:
        actions.correct_case(case, rest, by=by)


def opened(case: Case, names: list[str], purpose: str, held: Holding) -> dict[str, Any]:
    """The present values by name; protected ones are revealed, and so recorded."""
    secret = sealed(names)
    plain = {name: getattr(case, case._meta.get_field(name).attname) for name in names if name not in secret}  # type: ignore[union-attr]
    return {**plain, **(reveal(case, secret, purpose=purpose, held=held) if secret else {})}


def _conflict(
    request: SignedInRequest, case: Case, section: Section, form: SectionForm, names: list[str]
) -> HttpResponse:
    """What was typed stays; what another person saved meanwhile stands beside it. Saving again decides."""
    held = holding(request.user, case)
    values = opened(case, names, purposes.known(request, case, held), held)
    form.drawn_again(merging.marks(case, values))
    theirs = [(field_label(Case, name), _told(case, name, values[name])) for name in names]
    for name in names:
        form.add_error(
            name, _("Another person changed this meanwhile. Compare, then save again to keep yours.")
        )
    return _page(request, case, section, form, status=422, theirs=theirs)


def _told(case: Case, name: str, value: Any) -> str:
    shown = value if is_encrypted(Case._meta.get_field(name)) else getattr(case, name)
    return words(Case, name, shown) or _("Not collected")


def _labels(names: Iterable[str]) -> str:
    return _(", ").join(field_label(Case, name) for name in names)


def _page(
    request: SignedInRequest,
    case: Case,
    section: Section,
    form: SectionForm,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    has_secrets, held = bool(sealed(form.names)), holding(request.user, case)
    context = {
        "case": case,
        "section": section,
        "form": form,
        "has_secrets": has_secrets,
        "purpose": purposes.label(purposes.known(request, case, held)) if has_secrets else "",
        **purposes.lit_for(has_secrets=has_secrets),
        **more,
    }
    return render(request, "cases/edit.html", context, status=status)
