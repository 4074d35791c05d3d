"""The auditor's pages, and everybody's own log. Each reading is an act; no page holds a personal value."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from audit import checking, evidence, search, sentences, trail, words
from audit.acts import Act, Outcome
from audit.forms import LogFilter
from audit.models import Checkpoint
from audit.search import BadCursor, Filters, Line, Page
from audit.verification import VerifyReport

CHECKPOINTS_SHOWN = 20
_NUMBER = re.compile(r"[A-Za-z0-9-]{1,40}")


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def log(request: HttpRequest) -> HttpResponse:
    """The log, newest first, with the integrity strip before it and one selected event beside it."""
    form = LogFilter(request.GET)
    page = _page(request, form.filters())
    number = form.filters().label
    trail.record(
        Act.AUDIT_VIEW,
        counts={"events": len(page.lines)},
        extra=form.coded() | ({"case": number} if _NUMBER.fullmatch(number) else {}),
    )
    selected = _selected(request, page)
    return render(
        request,
        "audit/log.html",
        {
            "form": form,
            "page": page,
            "selected": selected,
            "facts": _facts(selected),
            "responsibility": _responsibility(selected),
            "integrity": evidence.integrity(),
            **_links(request, page),
        },
    )


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def case(request: HttpRequest, object_id: UUID) -> HttpResponse:
    """Everything done to one case, contact or other record, as a timeline."""
    page = _page(request, Filters(object_id=object_id))
    trail.record(Act.AUDIT_VIEW, counts={"events": len(page.lines)}, extra={"object": object_id})
    if not page.lines and not request.GET:
        raise Http404
    context = {
        "page": page,
        "number": search.label_of(object_id),
        "object_id": object_id,
        **_links(request, page),
    }
    return render(request, "audit/case.html", context)


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def person(request: HttpRequest, actor_id: UUID) -> HttpResponse:
    """Everything one user did."""
    page = _page(request, Filters(actor_id=actor_id))
    trail.record(Act.AUDIT_VIEW, counts={"events": len(page.lines)}, extra={"user": actor_id})
    if not page.lines and not request.GET:
        raise Http404
    actor = page.lines[0].body["actor"] if page.lines else {}
    context = {
        "page": page,
        "actor": actor,
        "role": words.role(actor.get("role", "")),
        **_links(request, page),
    }
    return render(request, "audit/person.html", context)


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def event(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """One event with all its facts."""
    line = search.event(event_id)
    if line is None:
        raise Http404
    trail.record(Act.AUDIT_VIEW, counts={"events": 1}, extra={"event": event_id})
    return render(request, "audit/event.html", {"line": line, "facts": _facts(line)})


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def proof(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """The event's inclusion proof, for epicase-verify."""
    try:
        text = evidence.inclusion_proof(event_id)
    except evidence.NotSealedYet:
        raise Http404 from None
    trail.record(Act.AUDIT_EXPORT, counts={"events": 1}, extra={"event": event_id, "form": "tlog-proof"})
    return _file(text.encode(), f"{event_id}.tlog-proof")


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def body(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """The event as a file beside its proof: salt, sealed body, touched records."""
    content = evidence.event_file(event_id)
    if content is None:
        raise Http404
    trail.record(Act.AUDIT_EXPORT, counts={"events": 1}, extra={"event": event_id, "form": "json"})
    return _file(content, f"{event_id}.json")


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def integrity(request: HttpRequest) -> HttpResponse:
    """What proves that the log is whole, and how to check it oneself."""
    trail.record(Act.AUDIT_VIEW, extra={"page": "integrity"})
    check = checking.under_way(request.session)
    if check is not None and check.is_over:
        checking.forget(request.session)
    return render(request, "audit/integrity.html", _integrity_context(check))


@require_POST
@permission_required("audit.verify_ledger", raise_exception=True)
def verify(request: HttpRequest) -> HttpResponse:
    """Check the ledger now and say what was found; what takes longer goes on from its page, with a bar."""
    check = checking.under_way(request.session) or checking.Check.begin()
    check.go_on()
    if not check.is_over:
        check.keep(request.session)
        trail.record(Act.AUDIT_VIEW, counts={"bodies": check.reached}, extra={"page": "verify"})
        return redirect("audit:integrity")
    checking.forget(request.session)
    _record(check.report)
    if check.report.is_whole:
        said = _("The log is whole: %(n)s events checked.") % {"n": check.report.size}
        messages.success(request, said)
    return render(request, "audit/integrity.html", _integrity_context(check))


@require_safe
@permission_required("audit.verify_ledger", raise_exception=True)
def verify_progress(request: HttpRequest) -> HttpResponse:
    """The bar alone, asked for every second: each time a stretch more is read, until the page can tell the end."""
    check = checking.under_way(request.session)
    if check is None or check.is_over:
        return HttpResponseClientRefresh()
    check.go_on()
    check.keep(request.session)
    if check.is_over:
        _record(check.report)
        return HttpResponseClientRefresh()
    return render(request, "audit/_checking.html", {"check": check})


def _record(report: VerifyReport) -> None:
    outcome = Outcome.OK if report.is_whole else Outcome.FAILED
    counts = {"events": report.size, "bodies": report.bodies, "problems": sum(report.counts.values())}
    trail.record(Act.AUDIT_VERIFY, outcome=outcome, counts=counts)
    trail.flush()


@require_safe
@permission_required("audit.view_ledger", raise_exception=True)
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest signed checkpoint, as a signed note."""
    newest = evidence.newest_checkpoint()
    if newest is None:
        raise Http404
    trail.record(Act.AUDIT_EXPORT, counts={"size": newest.size}, extra={"form": "checkpoint"})
    return HttpResponse(newest.note, content_type="text/plain; charset=utf-8")


@require_safe
@permission_required("audit.view_own_events", raise_exception=True)
def mine(request: HttpRequest) -> HttpResponse:
    """One's own events, for every role."""
    lines, older = search.own_events(_moment(request.GET.get("before", "")))
    trail.record(Act.OWN_LOG_VIEW, counts={"events": len(lines)})
    context = {"page": Page(lines), "older": f"?before={older:%Y-%m-%dT%H:%M:%S.%fZ}" if older else ""}
    return render(request, "audit/mine.html", context)


def _page(request: HttpRequest, filters: Filters) -> Page:
    newer = request.GET.get("after", "")
    try:
        return search.events(filters, newer or request.GET.get("before", ""), newer=bool(newer))
    except BadCursor:
        raise Http404 from None


def _links(request: HttpRequest, page: Page) -> dict[str, str]:
    """The addresses of the pages beside this one, with the filters kept."""
    kept = request.GET.copy()
    for name in ("after", "before", "event"):
        kept.pop(name, None)
    rest = f"&{kept.urlencode()}" if kept else ""
    return {
        "newer": f"?after={page.newer}{rest}" if page.newer else "",
        "older": f"?before={page.older}{rest}" if page.older else "",
        "keep": rest,
        "here": (request.GET.get("before") and f"before={request.GET['before']}&") or "",
    }


def _selected(request: HttpRequest, page: Page) -> Line | None:
    wanted = request.GET.get("event", "")
    found = next((line for line in page.lines if str(line.id) == wanted), None)
    return found or (page.lines[0] if page.lines else None)


def _responsibility(line: Line | None) -> Page | None:
    """The last acts on the record of the selected event."""
    object_id = line.body["object"]["id"] if line else None
    return search.events(Filters(object_id=UUID(object_id)), size=8) if object_id else None


def _facts(line: Line | None) -> list[tuple[str, str]]:
    """What an event says beyond its sentence, as label and words; empty ones left out."""
    if line is None:
        return []
    said = line.body
    rows = [
        (_("Trace code"), said["trace"]),
        (_("Act"), sentences.act_label(said["act"])),
        (_("User"), said["actor"]["name"]),
        (_("Role"), words.role(said["actor"]["role"])),
        (_("Organisation"), said["actor"]["org_name"]),
        (_("About"), sentences.object_label(said["object"])),
        (_("Fields"), ", ".join(sentences.fields_of(said))),
        (_("Data class"), ", ".join(words.data_class(code) for code in said["classes"])),
        (_("Changes"), _changes(said)),
        (_("Purpose"), words.purpose(said["purpose"])),
        (_("Reason"), words.reason(said["reason"])),
        (_("Grant"), (said["grant"] or "")[:8]),
        (_("Decision"), (said["decision"] or "")[:8]),
        (_("Records touched"), str(said["touches"]) if said["touches"] else ""),
        (_("Address"), said["ip"] or ""),
        (_("Session"), said["session"][:12]),
        (_("Request number"), said["request"][:8]),
        (_("Page"), words.page(said["view"]) or said["view"]),
    ]
    return [(str(label), text) for label, text in rows if text]


def _changes(said: dict[str, Any]) -> str:
    """Coded fields with old and new value; of all others the name is enough, and stands under the fields."""
    pairs = (
        (words.field(change["type"], name), pair)
        for change in said["changes"]
        for name, pair in change["fields"].items()
        if pair is not None
    )
    return "; ".join(f"{label}: {pair[0] or '–'} → {pair[1] or '–'}" for label, pair in pairs)


def _integrity_context(check: checking.Check | None = None) -> dict[str, Any]:
    newest = list(Checkpoint.objects.order_by("-size")[:CHECKPOINTS_SHOWN])
    marks = [(mark.size, mark.at, bytes(mark.root).hex()) for mark in newest]
    return {
        "integrity": evidence.integrity(),
        "checkpoints": marks,
        "note": newest[0].note if newest else "",
        "report": check.report if check and check.is_over else None,
        "check": check if check and not check.is_over else None,
    }


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text) if text else None
    except ValueError:
        raise Http404 from None


def _file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
