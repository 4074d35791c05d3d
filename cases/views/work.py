"""The first page: what hurts most today, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from access.context_processors import Frame
from access.http import SignedInRequest
from audit import trail
from audit.acts import Act
from cases import completeness
from cases.holdings import NOTHING, Holding, holdings
from cases.models import Case, Visit
from cases.sections import SECTIONS
from cases.wording import field_label

# The investigation form is due within a day of the report (National guideline for epidemiological investigation).
DUE: Final = timedelta(hours=24)
LOOKED_AT: Final = 200
SHOWN: Final = 50
# What was reported longer ago is no work of today: it waits apart, so that it does not hide what is late.
OLD: Final = timedelta(days=60)
OLDER_SHOWN: Final = 10
SOON: Final = timedelta(hours=48)
NAMED: Final = 3


@dataclass(frozen=True)
class Task:
    """An unfinished case as the person finds it today."""

    case: Case
    held: Holding
    has_visits: bool
    now: datetime

    @cached_property
    def filling(self) -> completeness.Filling:
        return completeness.filling(self.case, self.held.classes)

    @property
    def lacks_movements(self) -> bool:
        """Nothing is known about where the person was; asked only of those who may know."""
        return self.held.opens("trajectory") and not self.has_visits

    @property
    def is_to_complete(self) -> bool:
        return not self.filling.is_complete or self.lacks_movements

    @property
    def due_at(self) -> datetime:
        return self.case.reported_at + DUE

    @property
    def is_old(self) -> bool:
        """Is it left over from an outbreak that ended, or from long ago?"""
        return self.case.outbreak.ended_on is not None or self.case.reported_at < self.now - OLD

    @property
    def is_late(self) -> bool:
        return self.is_to_complete and self.due_at <= self.now

    @property
    def is_soon(self) -> bool:
        return self.is_to_complete and not self.is_late

    @property
    def missing(self) -> str:
        """What is missing in words: few fields by name, many by section."""
        names = self.filling.missing
        if len(names) <= NAMED:
            parts = [field_label(Case, name) for name in names]
        else:
            counted = ((one.title, len(set(one.fields) & set(names))) for one in SECTIONS)
            parts = [f"{title} {count}" for title, count in counted if count]
        if self.lacks_movements:
            parts.append(_("no movements yet"))
        return _(", ").join(parts)

    @property
    def due(self) -> str:
        """How long there is, or has been, in the two largest units."""
        return span(abs(self.due_at - self.now))


def span(length: timedelta) -> str:
    """A length of time in days, or in hours, or in minutes."""
    minutes = int(length.total_seconds() // 60)
    if minutes >= 48 * 60:
        days = minutes // (24 * 60)
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    hours = minutes // 60
    if hours:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}


@require_safe
def work(request: SignedInRequest) -> HttpResponse:
    """Unfinished cases in the order in which they hurt; other roles go to their own first page."""
    if not request.user.may("cases.list_cases"):
        home = Frame(request).home
        if home == request.path:
            raise PermissionDenied
        return redirect(home)
    tasks = _tasks(request)
    unfinished = [task for task in tasks if task.is_to_complete]
    to_do = [task for task in unfinished if not task.is_old]
    to_do.sort(key=lambda task: (task.due_at, task.case.case_no))
    older = [task for task in unfinished if task.is_old]
    ready = [task for task in tasks if not task.is_to_complete and task.case.status != "review"]
    waiting = [task for task in tasks if task.case.status == "review"]
    ending = [task for task in tasks if task.held.until and task.held.until <= task.now + SOON]
    ending.sort(key=lambda task: task.held.until or task.now)
    drawn = [task for group in (to_do, ready, waiting, ending) for task in group[:SHOWN]]
    shown = {task.case.pk: task.case for task in (*drawn, *older[:OLDER_SHOWN])}
    trail.record(Act.CASE_LIST, subjects=shown.values(), counts={"cases": len(shown)})
    context = {
        "to_do": to_do[:SHOWN],
        "more": max(0, len(to_do) - SHOWN),
        "older": older[:OLDER_SHOWN],
        "more_older": max(0, len(older) - OLDER_SHOWN),
        "ready": ready[:SHOWN],
        "waiting": waiting[:SHOWN],
        "ending": ending[:SHOWN],
        "counts": {
            "late": sum(task.is_late for task in to_do),
            "soon": sum(task.is_soon for task in to_do),
            "older": len(older),
            "ready": len(ready),
            "waiting": len(waiting),
            "ending": len(ending),
        },
        "is_cut": len(tasks) == LOOKED_AT,
        "looked_at": LOOKED_AT,
    }
    return render(request, "cases/work.html", context)


def _tasks(request: SignedInRequest) -> list[Task]:
    cases = list(
        Case.objects.visible_to(request.user)
        .unfinished()
        .newest_first()
        .select_related("outbreak", "district")[:LOOKED_AT]
    )
    ids = [case.pk for case in cases]
    held = holdings(request.user, ids)
    moved = set(
        Visit.objects.filter(case_id__in=ids, withdrawn_at__isnull=True)
        .order_by()
        .values_list("case_id", flat=True)
        .distinct()
    )
    now = timezone.now()
    return [Task(case, held.get(case.pk, NOTHING), case.pk in moved, now) for case in cases]
