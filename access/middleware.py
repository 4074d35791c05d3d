"""Puts the person's database role on around the view, and undoes what a refused view did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode

from access import actor, pledges, quotas
from access.models import User
from audit import context

Answer = Callable[[HttpRequest], HttpResponse]


def stays_nobody(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Mark a view of signing in or out: it keeps the role ``ep_none`` and is never undone.

    Undoing it on a 4xx would give unlimited guesses: the lock-out counter would be rolled back with the refusal.
    """
    view.stays_nobody = True  # type: ignore[attr-defined]
    return view


class PersonsLanguage:
    """The language a person chose, on every device; for visitors the browser's, else Chinese."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.session.get("language") or translation.get_language_from_request(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = translation.get_language() or "zh-hans"
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
            return response


class WearActor:
    """Innermost: a savepoint around the view, and in it the person's role; outside it, ``ep_none``."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not connection.in_atomic_block:
            return self.get_response(request)
        with actor.wearing(actor.NOBODY), quotas.request_tally() as tally:
            # Before the savepoint: what a refused page showed is counted again under the same lock.
            if request.method == "POST" and (person := _who_may_see_values(request)) is not None:
                quotas.lock(person.pk)
            savepoint = transaction.savepoint()
            response = self.get_response(request)
            if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                response.render()
            if response.status_code >= 400 and not getattr(request, "is_never_undone", False):
                transaction.set_rollback(False)
                transaction.savepoint_rollback(savepoint)
                context.forget_undone()
                quotas.settle(tally)
            elif not connection.needs_rollback:
                transaction.savepoint_commit(savepoint)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to somebody who asked for more values than an hour allows, or who has not pledged yet."""
        if isinstance(exception, pledges.PledgeMissing):
            return _pledge_first(request)
        if not isinstance(exception, quotas.QuotaExceeded):
            return None
        again = timezone.localtime() + timedelta(seconds=exception.retry_seconds)
        response = render(request, "access/quota.html", {"quota": exception, "again": again}, status=429)
        response.headers["Retry-After"] = str(exception.retry_seconds)
        response.headers["Epicase-Fault"] = "quota"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if getattr(view, "stays_nobody", False):
            request.is_never_undone = True  # type: ignore[attr-defined]
        if not context.is_open():
            return
        user = ledger_knows(request)
        if user is not None and not getattr(view, "stays_nobody", False):
            actor.put_on(actor.Actor(f"ep_{user.role}", user.pk))


def _pledge_first(request: HttpRequest) -> HttpResponse:
    came_from = urlsplit(request.headers.get("referer", ""))
    where = came_from.path if came_from.netloc == request.get_host() else "/"
    address = f"{reverse('access:pledge')}?{urlencode({'next': where})}"
    response = render(request, "access/pledge_first.html", {"address": address}, status=403)
    response.headers["HX-Redirect"] = address
    return response


def _who_may_see_values(request: HttpRequest) -> User | None:
    user = request.user
    return user if isinstance(user, User) and user.may("cases.reveal_values") else None


def ledger_knows(request: HttpRequest) -> User | None:
    """Tell the ledger who the request is from; gives the person, None for a visitor."""
    user = request.user
    if not isinstance(user, User) or not user.is_authenticated:
        return None
    tell_ledger(user, request.session.session_key)
    return user


def tell_ledger(user: User, session_key: str | None = None) -> None:
    """Tell the ledger who acts from here on."""
    context.set_actor(
        actor_id=user.pk,
        name=user.display_name,
        role=user.role,
        organisation_id=user.organisation_id,
        organisation_name=user.organisation.name_zh,
        session_key=session_key,
    )
