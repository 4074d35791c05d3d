"""Signing in to the API by a personal token: ``Authorization: Bearer epi_…``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from access import actor
from access.middleware import tell_ledger
from access.models import User
from access.models.tokens import SCOPE_PERMISSIONS, Scope
from audit import context

PREFIX: Final = "epi_"
REALM: Final = "Bearer"


@dataclass(frozen=True)
class TokenInHand:
    """A live token that came with a request: for which purpose, and which parts of the API."""

    token_id: UUID
    purpose: str
    scopes: frozenset[str]

    def permits(self, permission: str) -> bool:
        """Whether one of the token's scopes holds the permission."""
        return any(permission in SCOPE_PERMISSIONS[Scope(scope)] for scope in self.scopes)


def digest(token: str) -> str:
    """What the table keeps of a token (64 hex digits). 256 random bits need no slow hash."""
    return hashlib.sha256(b"epicase/token/1" + token.encode()).hexdigest()


class TokenAuthentication(BaseAuthentication):
    """The person behind a live token, with the person's role put on; one answer for every token that is none.

    A request with such a header never falls back to the session: what the header says is all there is.
    """

    def authenticate(self, request: Request) -> tuple[User, TokenInHand] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != REALM.lower().encode():
            return None
        # Whatever a session's cookie beside it has put on is taken off first.
        actor.put_on(actor.NOBODY)
        found = _look_up(words[1]) if len(words) == 2 else None
        if found is None:
            raise AuthenticationFailed("The token is not valid.")
        person, token = found
        tell_ledger(person)
        context.current().session_h = context.session_fingerprint(f"token:{token.token_id}")
        context.current().token = token.token_id
        actor.put_on(actor.Actor(f"ep_{person.role}", person.pk))
        return person, token

    def authenticate_header(self, request: Request) -> str:
        return REALM


def _look_up(given: bytes) -> tuple[User, TokenInHand] | None:
    try:
        text = given.decode("ascii")
    except UnicodeDecodeError:
        return None
    if not text.startswith(PREFIX):
        return None
    with connection.cursor() as cursor:
        cursor.execute("select token_id, user_id, purpose, scopes from sec.token(%s)", [digest(text)])
        row = cursor.fetchone()
    if row is None:
        return None
    token_id, user_id, purpose, scopes = row
    person = User.objects.select_related("organisation").filter(pk=user_id).first()
    if person is None or not person.is_present:
        return None
    return person, TokenInHand(token_id, purpose, frozenset(scopes))


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = "access.api_tokens.TokenAuthentication"
    name = "personalToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "epi_…",
            "description": "A personal token, bound to a purpose, to parts of the API and to an end.",
        }
