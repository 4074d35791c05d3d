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
_HALF, _FACTOR = "half", "second_factor"
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


def begin(request: HttpRequest, user: User, where: str) -> bool:
    """The password was right: sign in, or note who has to show a second factor. Whether the person is in already."""
    if not settings.EPICASE_REQUIRE_SECOND_FACTOR and not factors.has_any(user):
        login(request, user, backend=BACKEND)
        request.session[CONFIRMED_AT] = time.time()
        return True
    language = request.session.get("language")
    request.session.flush()
    request.session["language"] = language
    request.session[_HALF] = {
        "user": str(user.pk),
        "at": time.time(),
        "stamp": user.get_session_auth_hash(),
        "next": where,
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
    login(request, user, backend=BACKEND)
    request.session[_FACTOR] = factor
    request.session[CONFIRMED_AT] = time.time()
    return str(half.get("next") or "/")


def factor_shown(request: HttpRequest) -> str:
    """With which factor this session began: "totp", "recovery_code", "passkey" or "" for none."""
    return str(request.session.get(_FACTOR, ""))


def has_shown(request: HttpRequest, factor: str) -> None:
    """A factor was enrolled in a session that began without one."""
    request.session[_FACTOR] = factor
