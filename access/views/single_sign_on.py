"""Signing in at the provider, and coming back from there: to sign in, to confirm, to bind, to accept an invitation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from access import factors, half_signed_in, step_up
from access.actions import invitations, ledger_actor, single_sign_on
from access.forms.accounts import InvitedByCodeForm, InvitedForm
from access.http import SignedInRequest
from access.middleware import stays_nobody
from access.models import User
from access.sign_in import COUNTED_CODES, SignInForm, locked_out, may_try
from access.single_sign_on import flow, id_token, provider
from access.single_sign_on.fetching import ProviderFailed
from access.single_sign_on.flow import Pending
from access.single_sign_on.id_token import Claims, TokenRefused
from access.single_sign_on.provider import Provider
from audit import trail
from audit.acts import Act, Outcome

# Whoever comes back as nobody we know has no account to be counted under.
_COUNTED: Final = {"username": "/access/sso/"}
Ends = Callable[[HttpRequest, Provider, Pending, Claims], HttpResponse]
Page = Callable[..., HttpResponse]


@login_not_required
@require_GET
@stays_nobody
def sso(request: HttpRequest) -> HttpResponse:
    """To the provider, to sign in there."""
    at = _provider()
    where = step_up.safe_next(request, request.GET.get("next", "/"))
    if request.user.is_authenticated:
        return redirect(where)
    if not AxesProxyHandler.is_allowed(request, _COUNTED):
        return locked_out(request)
    try:
        return redirect(flow.begin(request, at, "sign_in", next=where))
    except ProviderFailed as error:
        return _sign_in_page(request, error)


@require_POST
@stays_nobody
def sso_confirm(request: SignedInRequest) -> HttpResponse:
    """To the provider, to say once more who one is; for accounts without a password."""
    at = _provider()
    where = step_up.safe_next(request, request.POST.get("next", "/"))
    if not step_up.ways(request.user).provider:
        return step_up.page(request, where=where, carried="")
    if not may_try(request, request.user, "confirm"):
        return locked_out(request)
    carried = request.POST.get("carried", "")
    return _go(request, at, "confirm", _confirm_page, next=where, carried=carried)


@require_POST
@stays_nobody
@step_up.required()
def sso_bind(request: SignedInRequest) -> HttpResponse:
    """To the provider, to bind one's own account to it."""
    return _go(request, _provider(), "bind", _own_page)


@require_POST
@stays_nobody
@step_up.required()
def sso_unbind(request: SignedInRequest) -> HttpResponse:
    """Let the provider sign one in no more."""
    try:
        if single_sign_on.unbind(request.user, _provider().configured.issuer):
            messages.success(request, _("It signs nobody in any more."))
    except single_sign_on.OnlyWayIn:
        messages.error(request, _("You have no password here: this is your only way in."))
    return redirect("access:own_account")


@login_not_required
@sensitive_post_parameters("code")
@require_POST
@stays_nobody
def sso_invited(request: HttpRequest) -> HttpResponse:
    """To the provider with an invitation code, in place of choosing a password."""
    at = _provider()
    form = InvitedByCodeForm(request.POST, auto_id="sso_%s")
    if not AxesProxyHandler.is_allowed(request, COUNTED_CODES):
        return locked_out(request)
    if form.is_valid():
        digest = invitations.digest(form.cleaned_data["code"])
        found = invitations.invited_by(digest)
        if found is not None and not found.is_reset:
            return _go(request, at, "invited", _invited_page, invitation=digest.hex())
        _count(request, COUNTED_CODES)
        invitations.refuse_code()
        form.add_error("code", _("This code is not right, was used, or is too old. Ask for a new one."))
    return render(request, "access/invited.html", {"form": InvitedForm(), "code_form": form}, status=422)


@login_not_required
@require_GET
@stays_nobody
def sso_return(request: HttpRequest) -> HttpResponse:
    """Back from the provider. Whatever is wrong is answered alike; the ledger knows what it was."""
    at = _provider()
    if not AxesProxyHandler.is_allowed(request, _COUNTED):
        return locked_out(request)
    pending = flow.take(request)
    if pending is None:
        _record_refusal(request, "sso.state")
        return _own_page(request) if request.user.is_authenticated else _sign_in_page(request)
    try:
        return _ENDS[pending.kind](request, at, pending, flow.claims(request, at, pending))
    except TokenRefused as error:
        if error.code != "denied":
            # Whoever changed their mind at the provider guessed nothing.
            _count(request, _COUNTED)
        _record_refusal(request, "sso.token", check=error.code)
        return _PAGES[pending.kind](request, None, pending)
    except ProviderFailed as error:
        return _PAGES[pending.kind](request, error, pending)


def _signed_in(request: HttpRequest, at: Provider, pending: Pending, claims: Claims) -> HttpResponse:
    person = single_sign_on.person_of(claims)
    if person is None or not person.is_present:
        _count(request, _COUNTED)
        _record_refusal(request, "sso.ended" if person else "sso.stranger", of=person)
        return _sign_in_page(request)
    factor = "provider" if id_token.shows_second_factor(claims, at) else ""
    is_anew = id_token.is_asked_anew(claims, pending.started_at)
    if _enrols(person, factor) and not is_anew:
        return _ask_anew(request, at, pending)
    if half_signed_in.begin(request, person, pending.next, how="sso", factor=factor, is_fresh=is_anew):
        return redirect(pending.next)
    return redirect("access:second_factor")


def _enrols(person: User, factor: str) -> bool:
    """Whether the person is to enrol a first factor: not on the word of a session left open at the provider."""
    return settings.EPICASE_REQUIRE_SECOND_FACTOR and not factor and not factors.has_any(person)


def _ask_anew(request: HttpRequest, at: Provider, pending: Pending) -> HttpResponse:
    if pending.must_be_anew:
        raise TokenRefused("auth_time")
    return redirect(flow.begin(request, at, "sign_in", next=pending.next, asks_anew="yes"))


def _confirmed(request: Any, at: Provider, pending: Pending, claims: Claims) -> HttpResponse:
    person = single_sign_on.person_of(claims)
    is_anew = id_token.is_asked_anew(claims, pending.started_at)
    if person is None or person.pk != request.user.pk or not is_anew or not _is_enough(person, at, claims):
        by = ledger_actor(request.user)
        check = "other" if is_anew else "auth_time"
        trail.record(
            Act.STEP_UP,
            request.user,
            outcome=Outcome.REFUSED,
            reason="wrong_confirmation",
            extra={"with": "sso", "check": check},
            by=by,
        )
        return _confirm_page(request, None, pending)
    step_up.confirmed(request)
    trail.record(Act.STEP_UP, person, extra={"with": "sso"}, by=ledger_actor(person))
    return step_up.go_on(request, pending.next, pending.carried)


def _is_enough(person: User, at: Provider, claims: Claims) -> bool:
    """Who has no factor of their own signed in with the provider's: confirming asks for no less."""
    is_asked = settings.EPICASE_REQUIRE_SECOND_FACTOR and not factors.has_any(person)
    return not is_asked or id_token.shows_second_factor(claims, at)


def _bound(request: Any, at: Provider, pending: Pending, claims: Claims) -> HttpResponse:
    if not id_token.is_asked_anew(claims, pending.started_at):
        raise TokenRefused("auth_time")
    try:
        single_sign_on.bind(request.user, claims)
    except single_sign_on.BindingRefused:
        _record_refusal(request, "sso.taken", of=request.user)
        words = _(
            "Nothing was bound: one account here goes with one account there, and one of them is taken."
        )
        messages.error(request, words)
    else:
        messages.success(request, _("From now on it signs you in."))
    return redirect("access:own_account")


def _accepted(request: HttpRequest, at: Provider, pending: Pending, claims: Claims) -> HttpResponse:
    if not id_token.is_asked_anew(claims, pending.started_at):
        raise TokenRefused("auth_time")
    if single_sign_on.accept(bytes.fromhex(pending.invitation), claims) is None:
        _count(request, COUNTED_CODES)
        return _invited_page(request)
    messages.success(request, _("Your account is ready. Sign in with it now."))
    return redirect("access:sign_in")


_ENDS: Final[dict[str, Ends]] = {
    "sign_in": _signed_in,
    "confirm": _confirmed,
    "bind": _bound,
    "invited": _accepted,
}


def _provider() -> Provider:
    at = provider.present()
    if at is None:
        raise Http404
    return at


def _go(request: HttpRequest, at: Provider, kind: str, page: Page, **more: str) -> HttpResponse:
    """A page that goes on to the provider: our policy lets no form's answer redirect to another site."""
    try:
        address = flow.begin(request, at, kind, **more)
    except ProviderFailed as error:
        return page(request, error)
    answer = render(request, "access/sso_go.html", {"address": address})
    answer.headers["Refresh"] = f"0; url={address}"
    return answer


def _count(request: HttpRequest, under: dict[str, str]) -> None:
    # Without the query: what the provider sent stands in no table.
    told = HttpRequest()
    told.META, told.path, told.method = request.META, request.path, request.method
    AxesProxyHandler.user_login_failed(sender=_count, credentials=dict(under), request=told)


def _record_refusal(request: HttpRequest, reason: str, *, of: User | None = None, check: str = "") -> None:
    extra = {"with": "sso", **({"check": check} if check else {})}
    trail.record(Act.SIGN_IN_FAILED, of, outcome=Outcome.REFUSED, reason=reason, extra=extra)


def _sign_in_page(request: HttpRequest, failed: ProviderFailed | None = None, *_more: Any) -> HttpResponse:
    """The sign-in page with what went wrong: the password remains a way in."""
    context = {"form": SignInForm(request), "mistake": _said(request, failed)}
    return render(request, "registration/login.html", context, status=502 if failed else 403)


def _confirm_page(request: Any, failed: ProviderFailed | None = None, pending: Any = None) -> HttpResponse:
    given = request.POST
    return step_up.page(
        request,
        where=pending.next if pending else step_up.safe_next(request, given.get("next", "/")),
        carried=pending.carried if pending else given.get("carried", ""),
        mistake=_said(request, failed),
        status=502 if failed else 403,
    )


def _own_page(request: HttpRequest, failed: ProviderFailed | None = None, *_more: Any) -> HttpResponse:
    messages.error(request, _said(request, failed))
    return redirect("access:own_account")


def _invited_page(request: HttpRequest, failed: ProviderFailed | None = None, *_more: Any) -> HttpResponse:
    context = {
        "form": InvitedForm(),
        "code_form": InvitedByCodeForm(auto_id="sso_%s"),
        "mistake": _said(request, failed),
    }
    return render(request, "access/invited.html", context, status=502 if failed else 403)


def _said(request: HttpRequest, failed: ProviderFailed | None) -> str:
    """The two answers: the provider is not there, or something was not right, whatever it was."""
    if failed is None:
        return _(
            "Single sign-on did not work. Nothing was done. Try again, or ask your security administrator."
        )
    extra = {"with": "sso", "check": failed.code}
    trail.record(Act.SIGN_IN_FAILED, outcome=Outcome.FAILED, reason="sso.provider", extra=extra)
    return _("Single sign-on does not answer now. Try again in some minutes, or take another way.")


_PAGES: Final[dict[str, Page]] = {
    "sign_in": _sign_in_page,
    "confirm": _confirm_page,
    "bind": _own_page,
    "invited": _invited_page,
}
