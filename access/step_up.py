"""Step-up: who does something grave says once more who they are; the answer holds for five minutes.

``@step_up.required`` stands before views that give access, let data leave or open much at once. It fails closed: an
account that has nothing to confirm with is refused. allauth's own decorator lets such accounts pass.

A GET is sent to the confirming page and comes back. A POST is answered with that page (403); what was typed is
carried through it, signed and bound to person and address, and offered once more after confirming. Therefore only
forms that hold no personal value may be protected with ``carries=True``; the others return to their own page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, TypeVar, cast, overload
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from access import actor, factors
from access.actions import single_sign_on
from access.forms import ConfirmForm
from access.half_signed_in import CONFIRMED_AT
from access.models import User
from access.single_sign_on import provider

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
SAFE: Final = ("GET", "HEAD", "OPTIONS")
CARRIED_SECONDS: Final = 15 * 60
NEVER_CARRIED: Final = {"csrfmiddlewaretoken", "password", "again", "passkey"}
# More values than this in one answer are many: the API asks for a fresh confirmation.
BULK_FIELDS: Final = 5
_SALT = "access.step_up.carried"


@dataclass(frozen=True)
class Ways:
    """With what a person can confirm."""

    password: bool
    totp: bool
    codes: bool
    passkey: bool
    provider: bool

    @property
    def code(self) -> bool:
        """Whether a code is asked for beside the password: of everybody who has a factor."""
        return self.totp or self.codes

    @property
    def none(self) -> bool:
        return not (self.typed or self.passkey or self.provider)

    @property
    def typed(self) -> bool:
        """Whether something is typed into the form."""
        return self.password or self.totp


@dataclass(frozen=True)
class Carried:
    """A form on its way through the confirming page."""

    path: str
    fields: list[tuple[str, str]]


class NotConfirmed(Exception):
    """The API was asked for something grave by somebody who has not confirmed lately."""


def demand(request: Any) -> None:
    """Raise NotConfirmed unless the person confirmed lately; a token, which has no session, never has."""
    if not is_fresh(request):
        raise NotConfirmed


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person confirmed, or signed in, within the last five minutes in this session."""
    if not settings.EPICASE_STEP_UP:
        return True
    session = getattr(request, "session", None)
    at = None if session is None else session.get(CONFIRMED_AT)
    return at is not None and 0 <= time.time() - at <= settings.EPICASE_STEP_UP_SECONDS


@overload
def required(view: V) -> V: ...
@overload
def required(view: None = None, *, carries: bool = True, reading: bool = False) -> Callable[[V], V]: ...
def required(view: V | None = None, *, carries: bool = True, reading: bool = False) -> V | Callable[[V], V]:
    """Let the view be reached only by somebody who confirmed lately: ``@required`` or ``@required(reading=True)``.

    reading: GET too (a download, a page that shows much). carries: a POST's fields hold no personal value and are
    kept through the confirming page.
    """

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if is_fresh(request) or (request.method in SAFE and not reading):
                return view(request, *args, **kwargs)
            return ask(request, carries=carries)

        guarded.step_up = True  # type: ignore[attr-defined]
        return cast("V", guarded)

    return decorate if view is None else decorate(view)


def ask(request: HttpRequest, *, carries: bool = False) -> HttpResponse:
    """The answer to somebody who has not confirmed lately; nothing of the view has run."""
    if request.method in SAFE:
        return redirect(f"{reverse('access:confirm')}?{urlencode({'next': request.get_full_path()})}")
    sealed = seal_form(request) if carries and not request.FILES else ""
    return page(request, where=came_from(request), carried=sealed, loses_words=not sealed, status=403)


def page(
    request: HttpRequest,
    *,
    where: str,
    carried: str,
    form: ConfirmForm | None = None,
    mistake: str = "",
    loses_words: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The confirming page; for a person who has nothing to confirm with, the refusal that says so."""
    user = cast("User", request.user)
    with actor.wearing(actor.NOBODY):
        with_what = ways(user)
        if with_what.none:
            return render(request, "access/confirm_impossible.html", status=403)
        context = {
            "form": form or form_for(with_what),
            "ways": with_what,
            "passkey": factors.passkey_question(user),
            "next": where,
            "carried": carried,
            "loses_words": loses_words,
            "mistake": mistake,
        }
        return render(request, "access/confirm.html", context, status=status)


def form_for(with_what: Ways, given: Any = None) -> ConfirmForm:
    return ConfirmForm(given, with_password=with_what.password, with_code=with_what.code)


def seal_form(request: HttpRequest) -> str:
    fields = [
        (name, value)
        for name in request.POST
        if name not in NEVER_CARRIED
        for value in request.POST.getlist(name)
    ]
    return signing.dumps([str(request.user.pk), request.path, fields], salt=_SALT, compress=True)


def open_form(request: HttpRequest, sealed: str) -> Carried | None:
    """The form that this person was sending; None when it is somebody else's, changed or too old."""
    try:
        whose, path, fields = signing.loads(sealed, salt=_SALT, max_age=CARRIED_SECONDS)
    except signing.BadSignature:
        return None
    return Carried(path, [(name, value) for name, value in fields]) if whose == str(request.user.pk) else None


def came_from(request: HttpRequest) -> str:
    """The page whose form was sent, if it is ours; else the first page."""
    here = request.headers.get("referer", "")
    parts = urlsplit(here)
    return parts.path if parts.netloc == request.get_host() else "/"


def ways(user: User) -> Ways:
    """With what this person can confirm; asked as ``ep_none``, which alone may know."""
    with actor.wearing(actor.NOBODY):
        known = User.accounts.get(pk=user.pk)
        kept = factors.kept(user)
        password = known.has_usable_password()
        # Only for who has no password: the provider's is no second way around one's own.
        by_provider = not password and _is_bound(user)
    return Ways(
        password=password,
        totp=kept.totp is not None,
        codes=kept.any and kept.codes_left > 0,
        passkey=bool(kept.passkeys),
        provider=by_provider,
    )


def is_confirmed_by(user: User, given: Any) -> str:
    """With what the person has just proved who they are ("passkey", "totp", "recovery_code", "password"), or ""."""
    with actor.wearing(actor.NOBODY):
        if answer := given.get("passkey"):
            return "passkey" if factors.use_passkey(user, answer) else ""
        with_what = ways(user)
        if with_what.none or (with_what.password and not _password_is_right(user, given.get("password", ""))):
            return ""
        if factors.has_any(user):
            return factors.use_code(user, given.get("code", ""))
        return "password" if with_what.password else ""


def confirmed(request: HttpRequest) -> None:
    """Note the moment, under a new session key."""
    request.session.cycle_key()
    request.session[CONFIRMED_AT] = time.time()


def go_on(request: HttpRequest, where: str, carried: str) -> HttpResponse:
    """After confirming: back to the page, or the typed form once more, to be sent with one click."""
    if not carried:
        return redirect(where)
    form = open_form(request, carried)
    if form is None:
        messages.info(request, _("Confirmed. Fill the form in once more."))
        return redirect(where)
    return render(request, "access/go_on.html", {"form": form, "next": where})


def safe_next(request: HttpRequest, where: str) -> str:
    """The address to go on to, if it is ours."""
    ours = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    return where if ours and where.startswith("/") else "/"


def _is_bound(user: User) -> bool:
    at = provider.present()
    return at is not None and single_sign_on.binding_of(user, at.configured.issuer) is not None


def _password_is_right(user: User, typed: str) -> bool:
    return bool(typed) and User.accounts.get(pk=user.pk).check_password(typed)
