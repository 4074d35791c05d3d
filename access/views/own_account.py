"""One's own way of signing in: factors, recovery codes, signed-in browsers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import actions, factors, half_signed_in, sessions, step_up
from access.actions import single_sign_on
from access.actor import acting_as
from access.forms import PasswordForm
from access.http import SignedInRequest
from access.middleware import stays_nobody
from access.models import Pledge, User
from access.sign_in import count_failure, locked_out, may_try
from access.single_sign_on import provider
from audit import trail
from audit.acts import Act


@require_safe
@stays_nobody
def own_account(request: SignedInRequest) -> HttpResponse:
    """What signs one in, where one is signed in, and the pledge."""
    trail.record(Act.OWN_SIGN_IN_VIEW)
    kept = factors.kept(request.user)
    at = provider.present()
    has_password = User.accounts.get(pk=request.user.pk).has_usable_password()
    browsers = [_told(row, request) for row in sessions.of_person(request.user)]
    with acting_as(request.user):
        context = {
            "kept": kept,
            "may_remove": not settings.EPICASE_REQUIRE_SECOND_FACTOR or not kept.only_one,
            "browsers": browsers,
            "has_others": len(browsers) > 1,
            "has_password": has_password,
            "binding": at and single_sign_on.binding_of(request.user, at.configured.issuer),
            "shown": half_signed_in.factor_shown(request),
            "pledge": Pledge.live_of(request.user.pk),
        }
        return render(request, "access/own_account.html", context)


@require_POST
@stays_nobody
@step_up.required()
def remove_factor(request: SignedInRequest, factor_id: int) -> HttpResponse:
    """Take an authenticator app or a passkey away."""
    may_be_last = not settings.EPICASE_REQUIRE_SECOND_FACTOR
    try:
        removed = actions.remove_factor(request.user, factor_id, may_be_last=may_be_last)
    except actions.LastFactor:
        messages.error(request, _("This is your only second factor. Add another one first."))
    else:
        if removed:
            messages.success(request, _("It signs nobody in any more."))
    return redirect("access:own_account")


@require_POST
@stays_nobody
@step_up.required()
def recovery_codes(request: SignedInRequest) -> HttpResponse:
    """New recovery codes, shown once; the earlier ones are void."""
    if not factors.has_any(request.user):
        return redirect("access:own_account")
    person = User.accounts.select_related("organisation").get(pk=request.user.pk)
    codes = actions.renew_recovery_codes(person)
    return render(request, "access/recovery_codes.html", {"codes": codes, "next": "/access/me/"})


@require_POST
@stays_nobody
def end_session(request: SignedInRequest) -> HttpResponse:
    """End one of one's own signed-in browsers, or all others; it acts on their next click."""
    if "others" in request.POST:
        ended = actions.end_other_sessions(request.user, request.session)
    else:
        ended = int(actions.end_session(request.user, request.POST.get("which", "")))
    messages.success(
        request,
        ngettext("%(n)d browser was signed out.", "%(n)d browsers were signed out.", ended) % {"n": ended},
    )
    return redirect("access:own_account")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "wanted", "again")
@stays_nobody
def password(request: SignedInRequest) -> HttpResponse:
    """Change one's own password. A wrong present one is counted like a wrong confirmation."""
    if not may_try(request, request.user, "confirm"):
        return locked_out(request)
    form = PasswordForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if actions.change_password(request.user, given["password"], given["wanted"]):
            request.user.refresh_from_db(fields=["session_stamp"])
            update_session_auth_hash(request, request.user)
            messages.success(request, _("Your password is changed. Your other browsers are signed out."))
            return redirect("access:own_account")
        count_failure(request, request.user, "confirm")
        form.add_error("password", _("This is not your present password."))
    return render(request, "access/password.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def pledge(request: SignedInRequest) -> HttpResponse:
    """The words of the law and of the log, in short; accepting them holds for a year."""
    given = request.POST if request.method == "POST" else request.GET
    where = step_up.safe_next(request, given.get("next", "/"))
    live = Pledge.live_of(request.user.pk)
    if request.method == "POST" and "accepts" in request.POST:
        if live is None:
            actions.accept_pledge(request.user)
        return redirect(where)
    trail.record(Act.PAGE_VIEW)
    context = {"pledge": live, "next": where, "is_missing": request.method == "POST"}
    return render(request, "access/pledge.html", context, status=422 if request.method == "POST" else 200)


def _told(row: Any, request: SignedInRequest) -> dict[str, Any]:
    return {
        "handle": sessions.handle(row),
        "agent": row.agent,
        "address": row.address,
        "started_at": row.started_at,
        "seen_at": row.seen_at,
        "is_here": sessions.is_here(row, request.session),
    }
