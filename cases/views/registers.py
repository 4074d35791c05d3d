"""Outbreaks, and the data dictionary."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from access.http import SignedInRequest
from audit import trail
from audit.acts import Act
from cases import actions, codes, dictionary
from cases.forms.outbreaks import OpenOutbreakForm
from cases.models import Case, Outbreak


@require_safe
@permission_required("cases.view_outbreaks", raise_exception=True)
def outbreaks(request: SignedInRequest) -> HttpResponse:
    found = list(Outbreak.objects.select_related("disease", "organisation"))
    counted = Case.objects.visible_to(request.user).order_by().values("outbreak_id")
    counted = counted.annotate(n=Count("pk"), newest=Max("sort_date"))
    counts: dict[UUID, Any] = {row["outbreak_id"]: row for row in counted}
    trail.record(Act.OUTBREAK_VIEW, subjects=found, counts={"outbreaks": len(found)})
    rows = [(outbreak, counts.get(outbreak.pk, {})) for outbreak in found]
    return render(request, "cases/outbreaks.html", {"rows": rows})


@require_safe
@permission_required("cases.view_outbreaks", raise_exception=True)
def outbreak(request: SignedInRequest, outbreak_id: UUID) -> HttpResponse:
    found = get_object_or_404(
        Outbreak.objects.select_related("disease", "organisation", "opened_by").defer("opened_by__password"),
        pk=outbreak_id,
    )
    mine = Case.objects.visible_to(request.user).filter(outbreak=found).order_by()
    by_class = dict(mine.values_list("classification").annotate(n=Count("pk")))
    by_status = dict(mine.values_list("status").annotate(n=Count("pk")))
    trail.record(Act.OUTBREAK_VIEW, found)
    context = {
        "outbreak": found,
        "total": sum(by_class.values()),
        "by_class": [
            (code, by_class[code]) for code in codes.code_list("CASE_CLASS").values if code in by_class
        ],
        "by_status": [
            (code, by_status[code]) for code in codes.code_list("CASE_STATUS").values if code in by_status
        ],
        "basis": codes.labels("LEGAL_BASIS", [str(code) for code in found.legal_basis]),
    }
    return render(request, "cases/outbreak.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("cases.open_outbreak", raise_exception=True)
def open_outbreak(request: SignedInRequest) -> HttpResponse:
    form = OpenOutbreakForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        opened = actions.open_outbreak(form.cleaned_data, by=request.user)
        messages.success(request, _("The outbreak is open. Cases can be opened in it."))
        return redirect("cases:outbreak", outbreak_id=opened.pk)
    return render(
        request, "cases/open_outbreak.html", {"form": form}, status=422 if request.method == "POST" else 200
    )


@require_safe
@permission_required("cases.view_dictionary", raise_exception=True)
def data_dictionary(request: SignedInRequest) -> HttpResponse:
    """What is collected, why, who sees it and when it goes; no personal data stands here."""
    return render(request, "cases/dictionary.html", {"sections": list(dictionary.sections())})
