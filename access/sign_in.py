"""Signing in and out: what is recorded, what is answered, and when someone is locked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Sum
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from access import half_signed_in, sessions
from access.actions import ledger_actor
from access.models import User
from audit import context, trail
from audit.acts import Act, Outcome

MOST_FROM_EVERYWHERE = 20
# Wrong invitation codes are counted under one name and the address: whoever guesses has no account.
COUNTED_CODES = {"username": "/access/invited/"}
_REASONS = {"code": "wrong_code", "confirm": "wrong_confirmation"}


class SignInForm(AuthenticationForm):
    """Name and password; the answer is the same whether the name exists or not."""

    error_messages = {
        "invalid_login": _(
            "The user name or the password is not right. Check both; the password knows upper and lower case."
        ),
        "inactive": _(
            "The user name or the password is not right. Check both; the password knows upper and lower case."
        ),
    }

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            self.user_cache = authenticate(self.request, username=name, password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
        return self.cleaned_data


def counted_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Under which name wrong passwords are counted: a digest, because people type passwords into that box."""
    typed = (credentials or {}).get("username") or request.POST.get("username") or ""
    return _counted(str(typed), str((credentials or {}).get("step", "")))


def _counted(name: str, step: str) -> str:
    """Codes and confirmations are counted beside passwords: who knows none cannot lock these steps for anyone."""
    return salted_hmac("access.sign_in.counted_name" + step, name, algorithm="sha256").hexdigest()


def may_try(request: HttpRequest, user: User, step: str) -> bool:
    """Whether another try at this step ("code", "confirm") is permitted to the account from this address.

    Twenty wrong tries from all addresses together close the step for everybody, since each had the password.
    """
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    rows = AccessAttempt.objects.filter(username=_counted(user.username, step), attempt_time__gte=since)
    together = rows.aggregate(Sum("failures_since_start"))["failures_since_start__sum"] or 0
    return together < MOST_FROM_EVERYWHERE and AxesProxyHandler.is_allowed(request, _step_of(user, step))


def count_failure(request: HttpRequest, user: User, step: str) -> None:
    """A wrong code or confirmation: counted by axes, which locks, and recorded. What was typed goes nowhere."""
    told = HttpRequest()
    told.META, told.path, told.method = request.META, request.path, request.method
    user_login_failed.send(__name__, credentials=_step_of(user, step), request=told)


def forgive(user: User, step: str) -> None:
    """The step was passed: earlier mistakes at it count no more."""
    AxesProxyHandler.reset_attempts(username=_counted(user.username, step))


def _step_of(user: User, step: str) -> dict[str, str]:
    return {"username": user.username, "step": step}


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """The answer after too many wrong passwords: 429, and when to try again."""
    trail.record(Act.SIGN_IN_LOCKED, outcome=Outcome.REFUSED, reason="too_many_failures")
    response = render(request, "registration/locked_out.html", status=429)
    response.headers["Retry-After"] = "900"
    return response


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Sign-in happens as nobody: the person's facts go into the event by hand."""
    facts = ledger_actor(user)
    context.set_actor(
        actor_id=facts.actor_id,
        name=facts.name,
        role=facts.role,
        organisation_id=facts.organisation_id,
        organisation_name=facts.organisation_name,
        session_key=request.session.session_key,
    )
    request.session["language"] = user.language
    sessions.begins(request.session, context.client_ip(request), request.headers.get("User-Agent", ""))
    how = half_signed_in.how(request)
    trail.record(Act.SIGN_IN, user, extra={"with": how} if how else None)


@receiver(user_logged_out)
def record_sign_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    if user is not None and context.is_open():
        trail.record(Act.SIGN_OUT, user)


@receiver(user_login_failed)
def record_failed_sign_in(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any
) -> None:
    """A wrong password. The name typed is kept only when it is an account's: people type passwords there."""
    if not context.is_open():
        return
    known = (
        User.objects.select_related("organisation").filter(username=credentials.get("username") or "").first()
    )
    trail.record(
        Act.SIGN_IN_FAILED,
        known,
        outcome=Outcome.REFUSED,
        reason=_REASONS.get(credentials.get("step", ""), "wrong_password") if known else "unknown_name",
    )
