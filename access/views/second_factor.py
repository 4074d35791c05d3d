"""The second question of signing in, the forced enrolment, and confirming once more."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access import actions, factors, half_signed_in, step_up
from access.actions import ledger_actor
from access.forms import CodeForm, FirstCodeForm, PasskeyForm
from access.http import SignedInRequest
from access.middleware import stays_nobody
from access.models import User
from access.sign_in import count_failure, forgive, locked_out, may_try
from audit import trail
from audit.acts import Act, Outcome

PENDING_SECRET = "totp_pending"  # noqa: S105 (the name of a key in the session)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code", "passkey")
@stays_nobody
def second_factor(request: HttpRequest) -> HttpResponse:
    """After the password: a code or a passkey. A wrong one changes nothing but the counter."""
    person = half_signed_in.person(request)
    if person is None:
        return redirect("access:sign_in")
    if not factors.has_any(person):
        return redirect("access:set_up")
    if not may_try(request, person, "code"):
        return locked_out(request)
    if request.method != "POST":
        return _question(request, person, CodeForm())
    return _answer(request, person)


def _answer(request: HttpRequest, person: User) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid() and not request.POST.get("passkey"):
        return _question(request, person, form, status=422)
    used = _used(person, request.POST, form)
    if used:
        forgive(person, "code")
        return redirect(half_signed_in.finish(request, person, used))
    return _wrong(request, person, form)


def _used(person: User, given: Any, form: CodeForm) -> str:
    if answer := given.get("passkey"):
        return "passkey" if factors.use_passkey(person, answer) else ""
    return factors.use_code(person, form.cleaned_data["code"])


def _wrong(request: HttpRequest, person: User, form: CodeForm) -> HttpResponse:
    count_failure(request, person, "code")
    if not may_try(request, person, "code"):
        return locked_out(request)
    form.add_error("code", _("This code is not right, or it was used before. Take the next one."))
    return _question(request, person, form, status=422)


def _question(request: HttpRequest, person: User, form: CodeForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "person": person, "passkey": factors.passkey_question(person)}
    return render(request, "access/second_factor.html", context, status=status)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code", "passkey")
@stays_nobody
def set_up(request: HttpRequest) -> HttpResponse:
    """Enrol a first or further factor: forced after the password where one is mandatory, else from one's own page."""
    person = _who_sets_up(request)
    if isinstance(person, HttpResponse):
        return person
    if request.method != "POST":
        return _set_up_page(request, person)
    if "passkey" in request.POST:
        form: Any = PasskeyForm(request.POST)
        if form.is_valid() and actions.enrol_passkey(
            person, form.cleaned_data["passkey"], form.cleaned_data["name"]
        ):
            return _enrolled(request, person, "passkey")
        if form.is_valid():
            form.add_error(None, _("The passkey could not be added. Try again, or take the app."))
        return _set_up_page(request, person, passkey_form=form, status=422)
    form = FirstCodeForm(request.POST)
    secret = request.session.get(PENDING_SECRET, "")
    if form.is_valid() and secret and actions.enrol_totp(person, secret, form.cleaned_data["code"]):
        del request.session[PENDING_SECRET]
        return _enrolled(request, person, "totp")
    if form.is_valid():
        form.add_error("code", _("This code is not the app's. Check the clock of the telephone."))
    return _set_up_page(request, person, code_form=form, status=422)


def _who_sets_up(request: HttpRequest) -> User | HttpResponse:
    """Half signed in and without a factor yet, or signed in and confirmed lately; else where to go first."""
    if request.user.is_authenticated:
        user = User.accounts.select_related("organisation").get(pk=request.user.pk)
        return user if step_up.is_fresh(request) else step_up.ask(request)
    person = half_signed_in.person(request)
    if person is None:
        return redirect("access:sign_in")
    # Who has a factor must show it: setting another one up would go around it.
    return redirect("access:second_factor") if factors.has_any(person) else person


def _set_up_page(request: HttpRequest, person: User, status: int = 200, **forms: Any) -> HttpResponse:
    secret = request.session.get(PENDING_SECRET) or factors.new_totp_secret(person)
    request.session[PENDING_SECRET] = secret
    context = {
        "person": person,
        "picture": factors.picture(person, secret),
        "code_form": FirstCodeForm(),
        "passkey_form": PasskeyForm(),
        "passkey": factors.passkey_offer(person),
        "is_forced": not request.user.is_authenticated,
        **forms,
    }
    return render(request, "access/set_up.html", context, status=status)


def _enrolled(request: HttpRequest, person: User, factor: str) -> HttpResponse:
    """Sign in who was half signed in; who has no recovery codes yet is shown them, this once."""
    where = "/access/me/"
    if not request.user.is_authenticated:
        where = half_signed_in.finish(request, person, factor)
    elif not half_signed_in.factor_shown(request):
        half_signed_in.has_shown(request, factor)
    if factors.kept(person).codes_left:
        return redirect(where)
    codes = actions.renew_recovery_codes(person)
    return render(request, "access/recovery_codes.html", {"codes": codes, "next": where})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "code", "passkey")
@stays_nobody
def confirm(request: SignedInRequest) -> HttpResponse:
    """Say once more who one is; then back to what one did."""
    given = request.POST if request.method == "POST" else request.GET
    where = step_up.safe_next(request, given.get("next", "/"))
    carried = given.get("carried", "")
    if not may_try(request, request.user, "confirm"):
        return _thrown_out(request)
    with_what = step_up.ways(request.user)
    if request.method != "POST" or with_what.none:
        return step_up.page(request, where=where, carried=carried)
    form = step_up.form_for(with_what, request.POST)
    used = ""
    if request.POST.get("passkey") or form.is_valid():
        used = step_up.is_confirmed_by(request.user, request.POST)
        if not used:
            _count(request)
            if not may_try(request, request.user, "confirm"):
                return _thrown_out(request)
            form.add_error(None, _("That was not right. Nothing was done."))
    if not used:
        return step_up.page(request, where=where, carried=carried, form=form, status=422)
    forgive(request.user, "confirm")
    step_up.confirmed(request)
    trail.record(Act.STEP_UP, request.user, extra={"with": used}, by=ledger_actor(request.user))
    return step_up.go_on(request, where, carried)


def _count(request: SignedInRequest) -> None:
    by = ledger_actor(request.user)
    trail.record(Act.STEP_UP, request.user, outcome=Outcome.REFUSED, reason="wrong_confirmation", by=by)
    count_failure(request, request.user, "confirm")


def _thrown_out(request: HttpRequest) -> HttpResponse:
    """Too many wrong confirmations: somebody else may sit at this browser, so its session ends."""
    answer = locked_out(request)
    logout(request)
    return answer
