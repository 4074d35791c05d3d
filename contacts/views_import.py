"""Pages that take a line list in: the file, its dry run, the bar, and what was refused."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from access.http import SignedInRequest
from audit import trail
from audit.acts import Act
from cases.linelist import filing, holding, importing, kinds
from cases.linelist.problems import REASONS, Problem, Unusable
from cases.models import ImportRun
from contacts.forms_import import ImportForm

STEPS: Final = (_("File"), _("Dry run"), _("Take in"), _("Result"))
RUNS_SHOWN: Final = 20
PROBLEMS_SHOWN: Final = 200
_FAILURES: Final = {
    **REASONS,
    "FileGone": _("The file was erased before the import had ended."),
    "PermissionDenied": _("You may not import into this district any more."),
    "not_allowed": _("You may not import into this district any more."),
}


@require_http_methods(["GET", "POST"])
@permission_required("cases.import_linelist", raise_exception=True)
def begin(request: SignedInRequest) -> HttpResponse:
    """Choose a file; its dry run is the next page."""
    form = ImportForm(request.POST or None, request.FILES or None, by=request.user)
    if request.method == "POST" and form.is_valid():
        held = _hold(request, form)
        if held is not None:
            return redirect("contacts:import_run", run_id=held.pk)
    runs = ImportRun.objects.filter(by=request.user).select_related("outbreak")[:RUNS_SHOWN]
    context = {"form": form, "runs": runs, "steps": STEPS}
    return render(request, "contacts/import.html", context, status=422 if form.errors else 200)


@require_safe
@permission_required("cases.import_linelist", raise_exception=True)
def run(request: SignedInRequest, run_id: UUID) -> HttpResponse:
    """The dry run while nothing has begun, then the bar, then the result."""
    found = _run(request, run_id)
    if found.status == ImportRun.Status.PREVIEWED:
        return _dry_run_page(request, found)
    counts = importing.counts_of(found)
    trail.record(Act.IMPORT_PREVIEW, found.outbreak, subjects=[found], counts=counts, reason=found.status)
    context = _context(found) | {
        "issues": [
            Problem(one.row_number, one.column, one.reason) for one in found.issues.all()[:PROBLEMS_SHOWN]
        ],
        "counts": counts,
        "failure": _FAILURES.get(found.failure, found.failure),
    }
    return render(request, "contacts/import_run.html", context)


@require_safe
@permission_required("cases.import_linelist", raise_exception=True)
def progress(request: SignedInRequest, run_id: UUID) -> HttpResponse:
    """The bar alone, asked for every second: two numbers, nothing of any case."""
    found = _run(request, run_id)
    if found.is_over:
        return HttpResponseClientRefresh()
    return render(request, "contacts/_import_progress.html", {"run": found})


@require_POST
@permission_required("cases.import_linelist", raise_exception=True)
def start(request: SignedInRequest, run_id: UUID) -> HttpResponse:
    """Take in what the dry run showed."""
    holding.launch(_run(request, run_id, lock=True))
    return redirect("contacts:import_run", run_id=run_id)


@require_POST
@permission_required("cases.import_linelist", raise_exception=True)
def discard(request: SignedInRequest, run_id: UUID) -> HttpResponse:
    """Forget the file; nothing is taken in."""
    holding.discard(_run(request, run_id, lock=True))
    messages.success(request, _now("The file is forgotten. Nothing was taken in."))
    return redirect("contacts:import")


def _hold(request: SignedInRequest, form: ImportForm) -> ImportRun | None:
    """Keep the file sealed; what is wrong with it as a whole becomes a mistake beside the field."""
    words = form.cleaned_data
    try:
        return holding.hold_import(
            words["file"].read(),
            words["profile"],
            words["outbreak"],
            request.user,
            district=words["district"],
        )
    except Unusable as error:
        form.add_error("file", _where(error.problem))
    except PermissionDenied:
        form.add_error("district", _now("You may not import into this district."))
    return None


def _where(problem: Problem) -> str:
    if not problem.row:
        return problem.text
    return _now("Row %(row)d, column “%(column)s”: %(reason)s") % {
        "row": problem.row,
        "column": problem.column,
        "reason": problem.text,
    }


def _dry_run_page(request: SignedInRequest, found: ImportRun) -> HttpResponse:
    try:
        plan = holding.plan_of(found)
    except (Unusable, filing.FileGone):
        return redirect("contacts:import")
    context = _context(found) | {
        "plan": plan,
        "problems": plan.problems[:PROBLEMS_SHOWN],
        "more_problems": max(0, len(plan.problems) - PROBLEMS_SHOWN),
        "taken": plan.counts["new"] + plan.counts["changed"],
    }
    return render(request, "contacts/import_dry_run.html", context)


def _context(found: ImportRun) -> dict[str, Any]:
    is_running = found.status in (ImportRun.Status.WAITING, ImportRun.Status.RUNNING)
    step = 2 if found.status == ImportRun.Status.PREVIEWED else 3 if is_running else 5
    try:
        title = _now(kinds.kind(found.profile).profile.title)
    except kinds.UnknownProfile:
        title = found.profile
    return {"run": found, "is_running": is_running, "profile": title, "steps": STEPS, "step": step}


def _run(request: SignedInRequest, run_id: UUID, *, lock: bool = False) -> ImportRun:
    runs = ImportRun.objects.filter(by=request.user)
    if lock:
        runs = runs.select_for_update()
    found = get_object_or_404(runs, pk=run_id)
    # The person of the run is the one who asks: no second reading of the account.
    found.by = request.user
    return found
