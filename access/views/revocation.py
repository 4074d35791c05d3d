"""Pages of taking access back: who holds it, what would end, and what had been seen with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import actions
from access.actions import Holder, Seen
from access.http import SignedInRequest
from access.models import EndedAccess, Organisation, Revocation, User
from access.views import fetching
from audit import trail, words
from audit.acts import Act

LINES_SHOWN: Final = 300


@dataclass(frozen=True)
class Line:
    """One person and one case of the report."""

    person: User
    case: Any
    codenames: list[str]
    seen: Seen

    @property
    def fields(self) -> str:
        """The fields that had been shown or exported, in the reader's language."""
        return _joined(dict.fromkeys(words.field("", name) for name in self.seen.fields))

    @property
    def classes(self) -> str:
        return _joined(words.data_class(code) for code in self.seen.classes)


@require_safe
@permission_required("access.revoke_all", raise_exception=True)
def holders(request: SignedInRequest) -> HttpResponse:
    """Everyone with access within the asker's reach, by organisation."""
    found = actions.holders()
    trail.record(Act.GRANT_VIEW, counts={"people": len(found)})
    left = actions.left_lately() if request.user.may("access.hand_over") else []
    return render(request, "access/holders.html", {"places": _by_place(found), "left": left})


@require_POST
@permission_required("access.revoke_grant", raise_exception=True)
def revoke(request: SignedInRequest, case_id: UUID, user_id: UUID) -> HttpResponse:
    """Take a person's access to a case back; it acts on their next click."""
    case = fetching.visible_case(request, case_id)
    person = fetching.person(user_id)
    try:
        act = actions.revoke(case, person, by=request.user)
    except actions.GrantRefused:
        messages.info(request, _("%(person)s had no access any more.") % {"person": person.display_name})
        return redirect("access:case", case_id=case.pk)
    return _done(request, act)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.revoke_grant", raise_exception=True)
def revoke_case(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    case = fetching.visible_case(request, case_id)
    grants = actions.live_grants(request.user).filter(content_object_id=case.pk)
    people = User.objects.filter(pk__in=grants.values("user_id")).select_related("organisation")
    if not people:
        messages.info(request, _("Nobody had access any more."))
        return redirect("access:case", case_id=case.pk)
    first_end = min(grants.values_list("expires_at", flat=True))
    found = [Holder(person, 1, first_end) for person in people.order_by("display_name")]
    heading = _("Revoke all access to %(number)s") % {"number": case.case_no}
    back = reverse("access:case", args=[case.pk])
    return _confirmed(request, found, heading, back, lambda: actions.revoke_case(case, by=request.user))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.revoke_all", raise_exception=True)
def revoke_person(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    person = fetching.person(user_id)
    heading = _("Revoke all access of %(person)s") % {"person": person.display_name}
    return _confirmed(
        request,
        actions.holders(person=person),
        heading,
        reverse("access:holders"),
        lambda: actions.revoke_person(person, by=request.user),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.revoke_all", raise_exception=True)
def revoke_organisation(request: SignedInRequest, organisation_id: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation, pk=organisation_id)
    heading = _("Revoke all access of the people of %(place)s") % {"place": organisation}
    return _confirmed(
        request,
        actions.holders(organisation=organisation),
        heading,
        reverse("access:holders"),
        lambda: actions.revoke_organisation(organisation, by=request.user),
    )


@require_safe
@permission_required("access.revoke_all", raise_exception=True)
def revocation(request: SignedInRequest, revocation_id: UUID) -> HttpResponse:
    """The report: what had been seen with the access that the act ended."""
    acts = Revocation.objects.filter(by=request.user).select_related("person", "organisation")
    act = get_object_or_404(acts.defer("person__password"), pk=revocation_id)
    lines = _lines(request, act)
    trail.record(Act.GRANT_VIEW, subjects=[line.case for line in lines], counts={"grants": act.n_grants})
    context = {"act": act, "lines": lines, "is_cut": act.n_grants > len(lines), "most": LINES_SHOWN}
    return render(request, "access/revocation.html", context)


def _confirmed(
    request: SignedInRequest,
    found: Sequence[Holder],
    heading: str,
    back: str,
    end: Callable[[], Revocation],
) -> HttpResponse:
    """Before: how many grants of how many people end. After: the report. Nobody with access is no such page."""
    if not found:
        raise Http404
    if request.method == "POST":
        return _done(request, end())
    trail.record(Act.GRANT_VIEW, counts={"people": len(found)})
    context = {
        "heading": heading,
        "back": back,
        "holders": found,
        "n_grants": sum(holder.n_cases for holder in found),
    }
    return render(request, "access/revoke.html", context)


def _done(request: SignedInRequest, act: Revocation) -> HttpResponse:
    ended = ngettext("%(n)d grant has ended.", "%(n)d grants have ended.", act.n_grants)
    messages.success(request, ended % {"n": act.n_grants})
    return redirect("access:revocation", revocation_id=act.pk)


def _lines(request: SignedInRequest, act: Revocation) -> list[Line]:
    if not request.user.is_supervisor:
        return []
    rows = EndedAccess.objects.filter(revocation=act).select_related("user__organisation")
    rows = rows.defer("user__password").order_by("user__display_name", "case_id")[:LINES_SHOWN]
    seen = {(one.user_id, one.case_id): one for one in actions.seen(act)}
    known = fetching.visible_cases(request).in_bulk([row.case_id for row in rows])
    return [
        Line(row.user, known[row.case_id], row.codenames, seen[row.user_id, row.case_id])
        for row in rows
        if row.case_id in known
    ]


def _by_place(found: Sequence[Holder]) -> list[dict[str, Any]]:
    places: dict[int, dict[str, Any]] = {}
    for holder in found:
        place = holder.user.organisation
        places.setdefault(place.pk, {"place": place, "holders": []})["holders"].append(holder)
    return list(places.values())


def _joined(names: Any) -> str:
    return _(", ").join(names)
