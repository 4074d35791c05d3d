"""Pages of exports: the list, the request, the approval, progress, the one download, the passphrase."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from access import step_up
from access.http import SignedInRequest
from audit.acts import Act, Outcome
from audit.trail import record
from disclosure import actions, pages, profiles, tasks
from disclosure.forms import AnswerForm, RejectForm, RequestForm, first_words
from disclosure.models import Export

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAGE = 50


@require_GET
@permission_required("disclosure.list_exports", raise_exception=True)
def exports(request: SignedInRequest) -> HttpResponse:
    found = list(Export.objects.visible_to(request.user).newest_first()[:PAGE])
    record(Act.EXPORT_VIEW, subjects=found, counts={"rows": len(found)})
    waiting = [one for one in found if one.is_waiting and one.requester_id != request.user.pk]
    return render(request, "disclosure/exports.html", {"exports": found, "waiting": waiting})


@require_http_methods(["GET", "POST"])
@permission_required("disclosure.request_export", raise_exception=True)
def request_export(request: SignedInRequest) -> HttpResponse:
    if request.method == "GET":
        field_set = profiles.FIELD_SETS.get(request.GET.get("set", ""), profiles.STATISTICS)
        words = first_words(request.user, field_set, request.GET.getlist("case"))
        return _request_page(request, RequestForm(initial=words, person=request.user))
    if "use_set" in request.POST:
        return _request_page(
            request, RequestForm(initial=pages.words_with_set(request.POST), person=request.user)
        )
    form = RequestForm(request.POST, person=request.user)
    export = _requested(request, form) if form.is_valid() else None
    if export is None:
        return _request_page(request, form, status=422)
    return redirect(export)


@require_POST
@permission_required("disclosure.request_export", raise_exception=True)
def groups(request: SignedInRequest) -> HttpResponse:
    """What the form answers as the choice changes: the cards beside it, and which set it is."""
    form = RequestForm(request.POST, person=request.user)
    form.is_valid()
    return render(
        request, "disclosure/_answers.html", {"beside": pages.beside(form), "sets": pages.sets(form)}
    )


@require_GET
@permission_required("disclosure.list_exports", raise_exception=True)
def export(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    return _export_page(request, _visible(request, export_id))


@require_POST
@permission_required("disclosure.approve_export", raise_exception=True)
@step_up.required()
def approve(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    form, wanted = AnswerForm(request.POST), _visible(request, export_id)
    if form.is_valid() and _answered(
        form, partial(actions.approve, wanted, by=request.user, **form.cleaned_data)
    ):
        transaction.on_commit(partial(tasks.queue, wanted.pk))
        return redirect(wanted)
    return _export_page(request, _visible(request, export_id), approve_form=form, status=422)


@require_POST
@permission_required("disclosure.approve_export", raise_exception=True)
def reject(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    form, wanted = RejectForm(request.POST), _visible(request, export_id)
    if form.is_valid() and _answered(
        form, partial(actions.reject, wanted, by=request.user, **form.cleaned_data)
    ):
        return redirect(wanted)
    return _export_page(request, _visible(request, export_id), reject_form=form, status=422)


@require_POST
@permission_required("disclosure.request_export", raise_exception=True)
def withdraw(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    wanted = _visible(request, export_id)
    try:
        actions.withdraw(wanted, by=request.user)
    except actions.WrongMoment:
        return _export_page(request, _visible(request, export_id), status=409)
    return redirect(wanted)


@require_GET
@permission_required("disclosure.list_exports", raise_exception=True)
def progress(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    """The bar alone, asked for every second; it shows two numbers and nothing of any case."""
    wanted = _visible(request, export_id)
    if not wanted.is_under_way:
        return HttpResponseClientRefresh()
    return render(request, "disclosure/_progress.html", {"export": wanted})


@require_http_methods(["GET", "POST"])
@permission_required("disclosure.download_export", raise_exception=True)
@step_up.required()
def passphrase(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    wanted = _visible(request, export_id)
    if request.method == "GET":
        return render(request, "disclosure/passphrase.html", {"export": wanted})
    try:
        words = actions.show_passphrase(wanted, by=request.user)
    except actions.WrongMoment:
        status = 409 if wanted.is_not_built_yet else 410
        return render(
            request, "disclosure/passphrase.html", {"export": wanted, "is_gone": True}, status=status
        )
    return render(
        request, "disclosure/passphrase.html", {"export": _visible(request, export_id), "words": words}
    )


@require_POST
@permission_required("disclosure.download_export", raise_exception=True)
@step_up.required()
def download(request: SignedInRequest, export_id: UUID) -> HttpResponseBase:
    wanted = _visible(request, export_id)
    try:
        taken, file = actions.download_once(wanted, by=request.user)
    except (actions.WrongMoment, actions.FileLost) as error:
        reason = _why_refused(error)
        record(Act.EXPORT_DOWNLOAD, wanted, purpose=wanted.purpose, outcome=Outcome.REFUSED, reason=reason)
        context = {
            "export": wanted,
            "is_lost": isinstance(error, actions.FileLost),
            "is_access_ended": isinstance(error, actions.AccessEnded),
        }
        return render(request, "disclosure/gone.html", context, status=410)
    # The open file stays readable after its name is gone, so nothing is left to be taken a second time.
    transaction.on_commit(partial(actions.remove_file, taken.file_name))
    response = FileResponse(file, as_attachment=True, filename=taken.download_name, content_type=XLSX)
    response.audited_download = True  # type: ignore[attr-defined]
    return response


def _why_refused(error: actions.ExportError) -> str:
    """A refused download's reason as the ledger keeps it."""
    match error:
        case actions.AlreadyDownloaded():
            return "used_up"
        case actions.AccessEnded():
            return "access_ended"
        case _:
            return "410"


def _visible(request: SignedInRequest, export_id: UUID) -> Export:
    found: Export = get_object_or_404(Export.objects.visible_to(request.user).newest_first(), pk=export_id)
    return found


def _requested(request: SignedInRequest, form: RequestForm) -> Export | None:
    words = form.cleaned_data
    try:
        return actions.request_export(
            form.cases(),
            words["fields_taken"],
            purpose=words["purpose"],
            recipient=words["recipient"],
            use_until=words["use_until"],
            reason=words["reason"],
            by=request.user,
        )
    except actions.NothingToExport:
        form.add_error(
            "outbreak", _("You may not export any case of this choice. Widen it, or ask for access.")
        )
    except actions.TooManyCases:
        form.add_error(
            "outbreak",
            _("One file holds at most %(most)d cases. Narrow the choice.") % {"most": actions.MOST_CASES},
        )
    except actions.ClassesNotGranted as error:
        for data_class, n_cases in error.missing.items():
            form.add_error("fields_taken", _not_granted(str(profiles.CLASS_WORDS[data_class]), n_cases))
    return None


def _not_granted(data_class: str, n_cases: int) -> str:
    words = ngettext(
        "%(class)s: your access does not open it in %(n)d case. Leave these fields out, or ask for access.",
        "%(class)s: your access does not open it in %(n)d cases. Leave these fields out, or ask for access.",
        n_cases,
    )
    return words % {"class": data_class, "n": n_cases}


def _answered(form: AnswerForm, answer: Any) -> bool:
    """Give the answer; a refusal becomes words on the form."""
    try:
        answer()
    except actions.OwnRequest:
        form.add_error(None, _("This is your own request. Another supervisor has to answer it."))
    except actions.OutsideJurisdiction:
        form.add_error(
            None, _("It holds cases outside your area. A supervisor of all of them has to answer it.")
        )
    except actions.WrongMoment:
        form.add_error(None, _("Somebody has answered it already, or it was withdrawn."))
    return form.is_valid()


def _request_page(request: SignedInRequest, form: RequestForm, status: int = 200) -> HttpResponse:
    record(Act.PAGE_VIEW)
    context = {
        "form": form,
        "beside": pages.beside(form),
        "rows": pages.field_rows(form),
        "sets": pages.sets(form),
        "labels": pages.STEP_LABELS,
    }
    return render(request, "disclosure/request.html", context, status=status)


def _export_page(request: SignedInRequest, wanted: Export, status: int = 200, **forms: Any) -> HttpResponse:
    person = request.user
    record(Act.EXPORT_VIEW, wanted, purpose=wanted.purpose)
    if wanted.is_waiting and person.may("disclosure.approve_export"):
        context = {"export": wanted, "labels": pages.STEP_LABELS, **pages.approval(wanted, person)}
        context |= {"approve_form": AnswerForm(), "reject_form": RejectForm(), **forms}
        return render(request, "disclosure/approval.html", context, status=status)
    context = {
        "export": wanted,
        "labels": pages.STEP_LABELS,
        "is_mine": wanted.requester_id == person.pk,
        "history": pages.history(wanted),
        "fields": pages.fields_of(wanted),
    }
    return render(request, "disclosure/export.html", context, status=status)
