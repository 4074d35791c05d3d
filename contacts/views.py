"""Pages of contacts: lists, one contact, adding, correcting, the state of follow-up, showing a value."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import single_use
from access.http import SignedInRequest
from access.visibility import CasePermission
from audit import trail
from audit.acts import Act
from cases.holdings import holding
from cases.lists import NotACursor
from cases.models import Case
from cases.reveal import reveal
from contacts import actions, editing, lists, pages
from contacts.forms import PROTECTED, ContactForm, EditForm, StatusForm
from contacts.models import Contact

EDITING_SECONDS = 3600
_ENCRYPTED = frozenset(field.name for field in Contact.encrypted_fields())


@require_safe
@permission_required("contacts.list_contacts", raise_exception=True)
def contacts(request: SignedInRequest) -> HttpResponse:
    return _list_page(request, None)


@require_safe
@permission_required("contacts.list_contacts", raise_exception=True)
def of_case(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    return _list_page(request, _case(request, case_id))


@require_http_methods(["GET", "POST"])
@permission_required("contacts.add_contact", raise_exception=True)
def add(request: SignedInRequest, case_id: UUID) -> HttpResponse:
    case = _case(request, case_id, CasePermission.CHANGE)
    form = ContactForm(request.POST or None, by=request.user, case=case)
    if request.method == "POST" and form.is_valid():
        contact = actions.add_contact(case, form.cleaned_data, by=request.user)
        _say(request, _("%(number)s is added.") % {"number": contact.contact_no}, form)
        again = "another" in request.POST
        return redirect("contacts:add" if again else "contacts:of_case", case_id=case.pk)
    trail.record(Act.PAGE_VIEW, case)
    return render(request, "contacts/add.html", {"case": case, "form": form}, status=_status(form))


@require_safe
@permission_required("contacts.list_contacts", raise_exception=True)
def detail(request: SignedInRequest, contact_id: UUID) -> HttpResponse:
    contact = _contact(request, contact_id)
    trail.record(Act.CONTACT_VIEW, contact)
    return _contact_page(request, contact)


@require_POST
@permission_required("cases.reveal_values", raise_exception=True)
def show(request: SignedInRequest, contact_id: UUID, field: str) -> HttpResponse:
    """Show one protected value; the first time in a case the person is asked why."""
    contact = _contact(request, contact_id)
    if field not in _ENCRYPTED:
        raise Http404
    error = pages.take_purpose(request, contact)
    purpose = pages.purpose_for(request, contact)
    secret = getattr(contact, field)
    if secret is None or not secret.is_open_to_me:
        trail.record(Act.CONTACT_VIEW, contact)
        return _contact_page(request, contact)
    if error or not purpose:
        trail.record(Act.CONTACT_VIEW, contact)
        return _contact_page(request, contact, **_dialog(request, contact, field, error))
    return _contact_page(request, contact, lit=_opened(request, contact, [field], purpose))


@require_POST
@permission_required("cases.reveal_values", raise_exception=True)
def ask_again(request: SignedInRequest, contact_id: UUID) -> HttpResponse:
    """Forget the purpose, so that the next value asks for it."""
    contact = _contact(request, contact_id)
    pages.forget_purpose(request, contact)
    return redirect(contact)


@require_http_methods(["GET", "POST"])
@permission_required("contacts.correct_contact", raise_exception=True)
def edit(request: SignedInRequest, contact_id: UUID) -> HttpResponse:
    contact = _contact(request, contact_id, CasePermission.CHANGE, lock=request.method == "POST")
    if request.method != "POST":
        return _edit_page(request, contact)
    if "save" in request.POST:
        return _save(request, contact)
    error = pages.take_purpose(request, contact)
    if error or not pages.purpose_for(request, contact):
        return _edit_page(request, contact, **_edit_dialog(request, contact, error))
    return redirect("contacts:edit", contact_id=contact.pk)


@require_POST
@permission_required("contacts.correct_contact", raise_exception=True)
def status(request: SignedInRequest, contact_id: UUID) -> HttpResponse:
    contact = _contact(request, contact_id, CasePermission.CHANGE, lock=True)
    form = StatusForm(request.POST, contact=contact, by=request.user)
    if not form.is_valid():
        return _contact_page(request, contact, status_form=form, status=422)
    if form.became_case is not None:
        actions.turn_into_case(contact, form.became_case, by=request.user)
    else:
        actions.set_status(contact, form.cleaned_data["status"], by=request.user)
    messages.success(request, _("The state is saved."))
    return redirect(contact)


def _save(request: SignedInRequest, contact: Contact) -> HttpResponse:
    """Write what the person changed; where somebody else changed the same field, ask first."""
    closed = editing.closed_fields(contact) if "opened" in request.POST else PROTECTED
    form = EditForm(request.POST, by=request.user, contact=contact, without=closed)
    posted = {key: str(value) for key, value in request.POST.items() if key.startswith(editing.BASE)}
    if not form.is_valid():
        return _form_page(request, contact, form, posted, status=422)
    merged = editing.merge(contact, form.cleaned_data, posted)
    if merged.conflicts:
        names = [conflict.name for conflict in merged.conflicts]
        for conflict in merged.conflicts:
            words = _("Somebody else has changed this meanwhile. Save again to put yours in its place.")
            form.add_error(conflict.name, words)
        tokens = {**posted, **editing.tokens(contact, names)}
        return _form_page(request, contact, form, tokens, status=422, conflicts=merged.conflicts)
    if merged.changes:
        actions.correct_contact(contact, merged.changes, by=request.user)
        _say(request, _("%(number)s is saved.") % {"number": contact.contact_no}, form)
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect(contact)


def _edit_page(request: SignedInRequest, contact: Contact, **more: Any) -> HttpResponse:
    """The form with its plain values, and with the protected ones once a purpose is given."""
    trail.record(Act.CONTACT_VIEW, contact)
    purpose = pages.purpose_for(request, contact)
    closed = editing.closed_fields(contact) if purpose else set(PROTECTED)
    values = editing.plain_values(contact)
    to_open = sorted(name for name in PROTECTED - closed if getattr(contact, name) is not None)
    if to_open:
        values |= _opened(request, contact, to_open, purpose)
    form = EditForm(initial=values, by=request.user, contact=contact, without=closed)
    tokens = editing.tokens(contact, form.fields)
    return _form_page(request, contact, form, tokens, **more)


def _opened(request: SignedInRequest, contact: Contact, names: list[str], purpose: str) -> dict[str, Any]:
    return reveal(contact, names, purpose=purpose, held=holding(request.user, contact.source_case))


def _form_page(
    request: SignedInRequest, contact: Contact, form: EditForm, tokens: Any, status: int = 200, **more: Any
) -> HttpResponse:
    context = pages.edit_context(contact, form, tokens) | pages.purpose_context(request, contact)
    context |= {
        "is_opened": bool(PROTECTED & form.fields.keys()),
        "lit_until": int(time.time()) + EDITING_SECONDS,
    }
    return render(request, "contacts/edit.html", {**context, **more}, status=status)


def _list_page(request: SignedInRequest, case: Case | None) -> HttpResponse:
    try:
        context = pages.list_context(request, case)
    except NotACursor:
        raise Http404 from None
    shown = context["page"].contacts
    trail.record(Act.CONTACT_LIST, case, subjects=shown, counts={"contacts": len(shown)})
    return render(request, "contacts/list.html", context)


def _contact_page(
    request: SignedInRequest, contact: Contact, *, lit: Any = None, status: int = 200, **more: Any
) -> HttpResponse:
    row = lists.Row(contact, pages.today())
    may_change = request.user.may("contacts.correct_contact") and _may_change(request, contact)
    context = {
        "contact": contact,
        "case": contact.source_case,
        "row": row,
        "sections": pages.facts(contact, lit),
        "shown": [contact._meta.get_field(name).verbose_name for name in lit or {}],  # type: ignore[union-attr]
        "may_change": may_change,
        "status_form": StatusForm(initial={"status": contact.status}, contact=contact, by=request.user),
        **pages.purpose_context(request, contact),
    }
    return render(request, "contacts/detail.html", {**context, **more}, status=status)


def _dialog(request: SignedInRequest, contact: Contact, field: str, error: str) -> dict[str, Any]:
    label = contact._meta.get_field(field).verbose_name  # type: ignore[union-attr]
    return pages.purpose_dialog(
        request,
        contact,
        action=request.path,
        target=f"value-{field}",
        title=_("Show: %(field)s") % {"field": label},
        error=error,
    )


def _edit_dialog(request: SignedInRequest, contact: Contact, error: str) -> dict[str, Any]:
    return pages.purpose_dialog(
        request,
        contact,
        action=reverse("contacts:edit", args=[contact.pk]),
        target="edit",
        title=_("Open the protected fields"),
        error=error,
    )


def _say(request: SignedInRequest, words: str, form: ContactForm) -> None:
    messages.success(request, words)
    for warning in form.warnings:
        messages.warning(request, warning)


def _status(form: ContactForm) -> int:
    return 422 if form.errors else 200


def _case(request: SignedInRequest, case_id: UUID, permission: CasePermission = CasePermission.VIEW) -> Case:
    cases = Case.objects.visible_to(request.user, permission).select_related("outbreak__disease")
    found: Case = get_object_or_404(cases, pk=case_id)
    single_use.note_opening(found, request.user)
    return found


def _contact(
    request: SignedInRequest,
    contact_id: UUID,
    permission: CasePermission = CasePermission.VIEW,
    *,
    lock: bool = False,
) -> Contact:
    found = Contact.objects.visible_to(request.user, permission).select_related(
        "source_case__outbreak__disease", "responsible_org", "parent_contact", "became_case"
    )
    if lock:
        found = found.select_for_update(of=("self",))
    contact: Contact = get_object_or_404(found, pk=contact_id)
    single_use.note_opening(contact.source_case, request.user)
    return contact


def _may_change(request: SignedInRequest, contact: Contact) -> bool:
    mine = Contact.objects.visible_to(request.user, CasePermission.CHANGE)
    return bool(mine.filter(pk=contact.pk).exists())
