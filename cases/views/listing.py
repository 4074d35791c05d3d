"""The list of cases, and going to one by its number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.dates import day_words, moment_words
from access.http import SignedInRequest
from audit import trail
from audit.acts import Act
from cases import completeness, lists
from cases.forms.outbreaks import CaseFilter
from cases.holdings import NOTHING, Holding, holdings
from cases.models import Case
from cases.wording import plain_words

LONGEST_NUMBER: Final = 24
SOON: Final = timedelta(hours=24)


@dataclass(frozen=True)
class Row:
    """A case as a line of the list."""

    case: Case
    held: Holding

    @property
    def name(self) -> object:
        """The masked name; None where the class identity is not the person's."""
        return self.case.full_name if self.held.opens("identity") else None

    @property
    def is_name_closed(self) -> bool:
        return not self.held.opens("identity")

    @property
    def sex(self) -> str:
        return plain_words(self.case, "sex")

    @property
    def age(self) -> str:
        return plain_words(self.case, "age_value")

    @property
    def onset(self) -> str:
        return plain_words(self.case, "onset_date") or "—"

    @property
    def reported(self) -> str:
        return day_words(timezone.localdate(self.case.reported_at))

    @property
    def changed(self) -> str:
        moment = timezone.localtime(self.case.changed_at)
        return f"{moment:%H:%M}" if moment.date() == timezone.localdate() else day_words(moment.date())

    @property
    def percent(self) -> int:
        return completeness.filling(self.case, self.held.classes).percent

    @property
    def until(self) -> str:
        return moment_words(self.held.until) if self.held.until else ""

    @property
    def is_ending(self) -> bool:
        return self.held.until is not None and self.held.until <= timezone.now() + SOON


@require_safe
@permission_required("cases.list_cases", raise_exception=True)
def listing(request: SignedInRequest) -> HttpResponse:
    form = CaseFilter(request.GET)
    try:
        cursor = lists.Cursor.parse(request.GET.get("at", ""))
    except lists.NotACursor:
        return redirect("cases:list")
    page = lists.page(request.user, cursor, form.wanted)
    held = holdings(request.user, [case.pk for case in page.cases])
    trail.record(Act.CASE_LIST, subjects=page.cases, counts={"cases": len(page.cases)})
    context = {
        "form": form,
        "is_narrowed": bool(form.wanted),
        "rows": [Row(case, held.get(case.pk, NOTHING)) for case in page.cases],
        "newer": _address(form, page.newer),
        "older": _address(form, page.older),
        "range": _range(page.cases),
    }
    return render(request, "cases/list.html", context)


@require_POST
@permission_required("cases.view_cases", raise_exception=True)
def go(request: SignedInRequest) -> HttpResponse:
    """A case by its number; one that is not there and one that is not yours are answered alike."""
    number = "".join(request.POST.get("case_no", "").split()).upper()[: LONGEST_NUMBER + 1]
    is_number = 0 < len(number) <= LONGEST_NUMBER and number.isascii() and number.isprintable()
    found = Case.objects.visible_to(request.user).filter(case_no=number).first() if is_number else None
    trail.record(Act.CASE_SEARCH, found, fields=["case_no"], counts={"cases": int(found is not None)})
    if found is None:
        return render(request, "cases/go.html", status=404)
    return redirect(found)


def _address(form: CaseFilter, cursor: str) -> str:
    return f"?{urlencode({**form.query, 'at': cursor})}" if cursor else ""


def _range(cases: list[Case]) -> str:
    if not cases:
        return ""
    first, last = day_words(cases[0].sort_date), day_words(cases[-1].sort_date)
    words = {"n": len(cases), "first": first, "last": last}
    return _("%(n)d cases on this page, %(first)s to %(last)s") % words
