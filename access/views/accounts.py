"""The security administrator's room: accounts, invitations, and decisions that need two."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from access.actions import accounts as act
from access.actions import invitations as invite_act
from access.forms.accounts import AccountForm, AccountSearch, InviteForm, ResetFactorsForm
from access.http import SignedInRequest
from access.models import AccountChange, Invitation, User
from access.step_up import required as step_up
from access.views import fetching
from audit import trail
from audit.acts import Act

PAGE = 50
_FACTORS_GONE = gettext_lazy(
    "The second factor is gone and all sessions have ended. The next sign-in asks for a new one."
)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.view_accounts", raise_exception=True)
def accounts(request: SignedInRequest) -> HttpResponse:
    """All accounts, narrowed by what was typed; what waits for a second person; open invitations."""
    form = AccountSearch(request.POST or None)
    start = (form.number - 1) * PAGE
    rows = list(form.found()[start : start + PAGE + 1])
    trail.record(Act.ACCOUNT_VIEW, counts={"accounts": len(rows[:PAGE])})
    return render(
        request,
        "access/accounts.html",
        {
            "form": form,
            "rows": rows[:PAGE],
            "newer": form.number - 1,
            "older": form.number + 1 if len(rows) > PAGE else 0,
            "waiting": [_with_right(change, request.user) for change in act.open_changes()],
            "invitations": [_with_right(one, request.user) for one in invite_act.open_invitations()[:PAGE]],
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.view_accounts", raise_exception=True)
@step_up
def account(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """One account, and the form that changes it."""
    person = fetching.person(user_id)
    form = AccountForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            waits = act.change(
                person, form.wanted(), reason=act.Reason(form.cleaned_data["reason"]), by=request.user
            )
        except act.AccountRefused as refusal:
            form.add_error(refusal.field, refusal_words(refusal.code))
            person = fetching.person(user_id)
        else:
            messages.success(request, _waits_or_done(waits))
            return redirect("access:account", user_id=person.pk)
    if request.method != "POST":
        trail.record(Act.ACCOUNT_VIEW, person)
    return render(
        request,
        "access/account.html",
        {"person": person, "form": form, "is_own": person.pk == request.user.pk},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.change_accounts", raise_exception=True)
@step_up(reading=True, carries=False)
@sensitive_variables("code")
def invite(request: SignedInRequest) -> HttpResponse:
    """Invite a person; the answer shows the code once."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            invitation, code = invite_act.invite(
                given["username"],
                given["display_name"],
                form.state(),
                language=given["language"],
                by=request.user,
            )
        except act.AccountRefused as refusal:
            form.add_error(refusal.field, refusal_words(refusal.code))
        else:
            return _code(request, invitation, code)
    return render(request, "access/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@permission_required("access.change_accounts", raise_exception=True)
@step_up
@sensitive_variables("code")
def reset(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Let the person set a new password with a code, shown once."""
    person = fetching.person(user_id)
    try:
        invitation, code = invite_act.reset(person, by=request.user)
    except act.AccountRefused as refusal:
        messages.error(request, refusal_words(refusal.code))
        return redirect("access:account", user_id=person.pk)
    return _code(request, invitation, code)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.change_accounts", raise_exception=True)
@step_up
def reset_factors(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Take the person's lost second factors away; of a security administrator a second person has to agree."""
    person = fetching.person(user_id)
    form = ResetFactorsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            waits = act.reset_factors(
                person, reason=act.FactorReason(form.cleaned_data["reason"]), by=request.user
            )
        except act.AccountRefused as refusal:
            form.add_error(refusal.field, refusal_words(refusal.code))
        else:
            messages.success(request, _waits_or_done(waits) if waits else _FACTORS_GONE)
            return redirect("access:account", user_id=person.pk)
    if request.method != "POST":
        trail.record(Act.ACCOUNT_VIEW, person)
    context = {"person": person, "form": form, "is_own": person.pk == request.user.pk}
    return render(request, "access/reset_factors.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("access.change_accounts", raise_exception=True)
@step_up
def decide_change(request: SignedInRequest, change_id: UUID) -> HttpResponse:
    """Agree to a waiting change, or decline it."""
    rows = AccountChange.objects.select_related("person__organisation", "organisation")
    waiting = get_object_or_404(rows.defer("person__password"), pk=change_id)
    decide = act.confirm if request.POST.get("answer") == "confirm" else act.reject
    try:
        decide(waiting, by=request.user)
    except act.AccountRefused as refusal:
        messages.error(request, refusal_words(refusal.code))
    else:
        messages.success(request, _("The decision is done and on the log."))
    return redirect("access:accounts")


@require_POST
@permission_required("access.change_accounts", raise_exception=True)
@step_up
def decide_invitation(request: SignedInRequest, invitation_id: UUID) -> HttpResponse:
    """Confirm an invitation as the second person, or withdraw it."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    try:
        if request.POST.get("answer") == "confirm":
            invite_act.confirm_invitation(invitation, by=request.user)
        else:
            invite_act.withdraw(invitation)
    except act.AccountRefused as refusal:
        messages.error(request, refusal_words(refusal.code))
    else:
        messages.success(request, _("The decision is done and on the log."))
    return redirect("access:accounts")


def refusal_words(code: str) -> str:
    return {
        "self": _("Nobody decides about the own account. Ask another security administrator."),
        "same": _("Nothing was changed."),
        "closed": _("This organisation is closed. Choose the one that took it over."),
        "temporary_end": _("A temporary account needs an end."),
        "temporary_role": _("Temporary staff are investigators or partners."),
        "username": _("This user name is taken, or invited already."),
        "ended": _("The account does not work. Switch it on first."),
        "own_factor": _("Nobody resets the own second factor. Ask another security administrator."),
        "no_factor": _("This person has no second factor. The next sign-in asks for a new one."),
        "decided": _("Somebody else was faster, or it is too late."),
    }[code]


def _code(request: SignedInRequest, invitation: Invitation, code: str) -> HttpResponse:
    return render(request, "access/invitation_code.html", {"invitation": invitation, "code": code})


def _waits_or_done(waits: AccountChange | None) -> str:
    if waits is not None:
        return _("This needs a second security administrator. It waits on the page of accounts.")
    return _("The account is changed. Sessions and access that no longer fit have ended.")


def _with_right(row: Any, by: User) -> dict[str, Any]:
    """A waiting row, and whether this person may be the second one."""
    asked_by = row.asked_by_id if isinstance(row, AccountChange) else row.made_by_id
    return {"row": row, "may_confirm": by.pk not in (asked_by, row.person_id)}
