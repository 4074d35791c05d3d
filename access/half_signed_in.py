"""Between the password and the second factor: nobody is signed in, and only the next question can be answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from access import factors
from access.models import User
from audit import context

LASTS_SECONDS: Final = 5 * 60
_HALF, _FACTOR, _HOW = "half", "second_factor", "signed_in_with"
CONFIRMED_AT: Final = "confirmed_at"
BACKEND: Final = "access.backends.RoleBackend"


class OnlyWithSecondFactor:
    """Where a second factor is mandatory, a session without one is nobody's, however it came about."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_asked = settings.EPICASE_REQUIRE_SECOND_FACTOR and context.is_open()
        if is_asked and request.user.is_authenticated and not factor_shown(request):
            request.session.flush()
            request.user = AnonymousUser()
        return self.get_response(request)


def begin(
    request: HttpRequest, user: User, where: str, *, how: str = "", factor: str = "", is_fresh: bool = True
) -> bool:
    """The password was right: sign in, or note who has to show a second factor. Whether the person is in already.

    how: "sso" when the provider of single sign-on stands in for the password. factor: with which one it was shown.
    is_fresh: whether the person was asked just now, so that it counts as a confirmation, too.
    """
    if factor or (not settings.EPICASE_REQUIRE_SECOND_FACTOR and not factors.has_any(user)):
        _sign_in(request, user, how, factor, is_fresh=is_fresh)
        return True
    language = request.session.get("language")
    request.session.flush()
    request.session["language"] = language
    request.session[_HALF] = {
        "user": str(user.pk),
        "at": time.time(),
        "stamp": user.get_session_auth_hash(),
        "next": where,
        "how": how,
    }
    return False


def person(request: HttpRequest) -> User | None:
    """Who has shown the password and not yet the second factor, in this browser and within five minutes."""
    half = request.session.get(_HALF)
    if not half or request.user.is_authenticated or not 0 <= time.time() - half["at"] <= LASTS_SECONDS:
        return None
    user = User.accounts.select_related("organisation").filter(pk=UUID(half["user"])).first()
    if user is None or not user.is_present:
        return None
    return user if constant_time_compare(half["stamp"], user.get_session_auth_hash()) else None


def finish(request: HttpRequest, user: User, factor: str) -> str:
    """The second factor was right: sign in under a new session key; gives where the person wanted to go."""
    half = request.session.pop(_HALF, {})
    _sign_in(request, user, str(half.get("how", "")), factor)
    return str(half.get("next") or "/")


def how(request: HttpRequest) -> str:
    """With what this session began in place of a password: "sso", else ""."""
    return str(request.session.get(_HOW, ""))


def _sign_in(request: HttpRequest, user: User, how: str, factor: str, *, is_fresh: bool = True) -> None:
    """A new session key; the ledger is told during login()."""
    request.session[_HOW] = how
    login(request, user, backend=BACKEND)
    request.session[_FACTOR] = factor
    if is_fresh:
        request.session[CONFIRMED_AT] = time.time()


def factor_shown(request: HttpRequest) -> str:
    """With which factor this session began: "totp", "recovery_code", "passkey", "provider" or "" for none."""
    return str(request.session.get(_FACTOR, ""))


def has_shown(request: HttpRequest, factor: str) -> None:
    """A factor was enrolled in a session that began without one."""
    request.session[_FACTOR] = factor
