"""Why can I, or can I not, see this case?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from access.explaining import explain
from access.forms.grants import CLASS_CHOICES
from access.forms.requests import NumberForm
from access.http import SignedInRequest
from access.views.fetching import visible_cases
from audit import trail
from audit.acts import Act

_LABELS = dict(CLASS_CHOICES)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.explain_access", raise_exception=True)
def why(request: SignedInRequest) -> HttpResponse:
    """The decisions behind one's access; for every number without any, the same answer."""
    form = NumberForm(request.POST or None)
    asked = request.method == "POST" and form.is_valid()
    found = _by_number(request, form) if asked else _by_id(request)
    if asked or found is not None:
        trail.record(Act.GRANT_EXPLAIN, found)
    context: dict[str, Any] = {"form": form, "case": found, "number": "", "asked": asked}
    if asked:
        context["number"] = form.cleaned_data["case_no"]
    if found is not None and request.user.is_investigator:
        told = explain(request.user, found)
        context |= {"reasons": told.reasons, "missing": [_LABELS[one.value] for one in told.missing]}
    return render(request, "access/why.html", context, status=422 if form.errors else 200)


def _by_number(request: SignedInRequest, form: NumberForm) -> Any:
    return visible_cases(request).filter(case_no=form.cleaned_data["case_no"]).first()


def _by_id(request: SignedInRequest) -> Any:
    """The case a page of its own leads here from; anything else is no case."""
    try:
        key = UUID(request.GET.get("case", ""))
    except ValueError:
        return None
    return visible_cases(request).filter(pk=key).first()
