"""The page of an invited person, who is nobody yet."""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access.actions import invitations as act
from access.forms.accounts import InvitedByCodeForm, InvitedForm
from access.middleware import stays_nobody
from access.models import User
from access.sign_in import COUNTED_CODES, locked_out


@login_not_required
@sensitive_post_parameters("code", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
@stays_nobody
def invited(request: HttpRequest) -> HttpResponse:
    """Set the password of a new account, or a new one, with a code; signing in comes after, as always."""
    form = InvitedForm(request.POST or None)
    if request.method == "POST":
        if not AxesProxyHandler.is_allowed(request, COUNTED_CODES):
            return locked_out(request)
        if form.is_valid() and _is_like_no_name(form) and _accepted(request, form):
            messages.success(request, _("Your password is set. Sign in with it now."))
            return redirect("access:sign_in")
    context = {"form": form, "code_form": InvitedByCodeForm(auto_id="sso_%s")}
    return render(request, "access/invited.html", context, status=422 if form.errors else 200)


def _is_like_no_name(form: InvitedForm) -> bool:
    """Only who knows the code learns whether the password is too much like the name behind it."""
    found = act.invited(form.cleaned_data["code"])
    person = User(username=found.username, display_name=found.display_name) if found else User()
    return form.check(form.cleaned_data["password"], person)


def _accepted(request: HttpRequest, form: InvitedForm) -> bool:
    if act.accept(form.cleaned_data["code"], form.cleaned_data["password"]) is not None:
        return True
    AxesProxyHandler.user_login_failed(sender=InvitedForm, credentials=dict(COUNTED_CODES), request=request)
    form.add_error("code", _("This code is not right, was used, or is too old. Ask for a new one."))
    return False
