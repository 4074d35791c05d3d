"""Pages of the tree of organisations."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from access.actions import organisations as act
from access.forms.organisations import TargetForm
from access.http import SignedInRequest
from access.models import Organisation
from access.step_up import required as step_up
from audit import trail
from audit.acts import Act

_DEPTH = {"province": 0, "city": 1, "district": 2}


@require_safe
@permission_required("access.view_organisations", raise_exception=True)
def organisations(request: SignedInRequest) -> HttpResponse:
    """The tree, with the people of each organisation."""
    rows = list(act.tree())
    trail.record(Act.ORGANISATION_VIEW, counts={"organisations": len(rows)})
    return render(request, "access/organisations.html", {"rows": _in_tree_order(rows)})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.change_organisations", raise_exception=True)
@step_up
def move(request: SignedInRequest, place_id: int) -> HttpResponse:
    """Put the organisation under another one: first what it takes along, then the move."""
    place = _place(place_id)
    form = TargetForm(request.POST or None, targets=act.possible_parents(place), label=_("Move to"))
    return _answer(request, place, form, "move")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.change_organisations", raise_exception=True)
@step_up
def merge(request: SignedInRequest, place_id: int) -> HttpResponse:
    """Merge the district into another one: first what it takes along, then the merger."""
    place = _place(place_id)
    form = TargetForm(request.POST or None, targets=act.possible_survivors(place), label=_("Merge into"))
    return _answer(request, place, form, "merge")


def _answer(request: SignedInRequest, place: Organisation, form: TargetForm, kind: str) -> HttpResponse:
    is_checked = request.method == "POST" and form.is_valid()
    if is_checked and form.cleaned_data["confirmed"]:
        try:
            done = (act.move if kind == "move" else act.merge)(
                place, form.cleaned_data["target"], by=request.user
            )
        except act.OrganisationRefused as refusal:
            form.add_error(None, _refusal_words(refusal.code))
        else:
            messages.success(
                request,
                _("Done: %(people)s people and %(cases)s cases came along.")
                % {"people": done.people, "cases": done.cases},
            )
            return redirect("access:organisations")
    words: dict[str, Any] = {"place": place, "form": form, "is_merger": kind == "merge"}
    if is_checked and not form.errors:
        words |= {"weight": act.weight(place), "target": form.cleaned_data["target"]}
    trail.record(Act.ORGANISATION_VIEW, place)
    return render(request, "access/organisation.html", words, status=422 if form.errors else 200)


def _place(place_id: int) -> Organisation:
    return get_object_or_404(Organisation.objects.select_related("parent"), pk=place_id, closed_at=None)


def _refusal_words(code: str) -> str:
    return {
        "closed": _("This organisation is closed already."),
        "level": _("A district lies in a city, a city in a province, and only districts are merged."),
    }[code]


def _in_tree_order(rows: list[Organisation]) -> list[dict[str, Any]]:
    below: dict[int | None, list[Organisation]] = {}
    for place in rows:
        below.setdefault(place.parent_id, []).append(place)

    def walk(parent: int | None) -> list[dict[str, Any]]:
        lines = []
        for place in below.get(parent, []):
            lines.append(
                {"place": place, "depth": _DEPTH[place.level], "is_merged": place.closed_at is not None}
            )
            lines += walk(place.pk)
        return lines

    return walk(None)
