"""Making and revoking one's own tokens of the API."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from access.api_tokens import PREFIX, digest
from access.models import ApiToken, User
from access.models.tokens import SCOPE_PERMISSIONS, TOKEN_AT_MOST, Scope
from access.purposes import REVEAL, Purpose
from audit import trail
from audit.acts import Act

LIVE_AT_MOST = 10


class TokenRefused(Exception):
    """The token may not be like this; ``code`` says why, ``field`` names the input it belongs to."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code, self.field = code, field


def scopes_of(user: User) -> list[Scope]:
    """The parts of the API of which the person's role holds anything."""
    return [
        scope for scope, permissions in SCOPE_PERMISSIONS.items() if any(user.may(one) for one in permissions)
    ]


def make_token(
    name: str, scopes: Collection[Scope], *, purpose: Purpose, lasts: timedelta, by: User
) -> tuple[ApiToken, str]:
    """A new token and its words, which are kept nowhere.

    Raises TokenRefused: for parts that the role does not hold ("scopes"), for a purpose that opens nothing ("purpose"),
    for no time or more than 90 days ("lasts"), or when there are ten live ones already ("many").
    """
    if not scopes or not set(scopes) <= set(scopes_of(by)):
        raise TokenRefused("scopes", "scopes")
    if purpose not in REVEAL:
        raise TokenRefused("purpose", "purpose")
    if not timedelta() < lasts <= TOKEN_AT_MOST:
        raise TokenRefused("lasts", "lasts")
    if ApiToken.objects.visible_to(by).live().count() >= LIVE_AT_MOST:
        raise TokenRefused("many")
    words, now = PREFIX + secrets.token_urlsafe(32), timezone.now()
    token = ApiToken(
        user=by,
        name=name,
        token_hash=digest(words),
        stamp=by.session_stamp,
        purpose=purpose.value,
        scopes=sorted(scope.value for scope in scopes),
        created_at=now,
        expires_at=now + lasts,
    )
    token.save(force_insert=True)
    trail.record(
        Act.TOKEN_MAKE,
        _named(token),
        purpose=purpose.value,
        extra={"scopes": token.scopes, "until": token.expires_at},
    )
    return token, words


def revoke_token(token_id: UUID, *, by: User) -> None:
    """End one's own token at once; a second time changes nothing. Raises ApiToken.DoesNotExist."""
    token = ApiToken.objects.visible_to(by).get(pk=token_id)
    if token.revoked_at is None:
        ApiToken.objects.filter(pk=token.pk, user=by, revoked_at__isnull=True).update(
            revoked_at=timezone.now()
        )
    trail.record(Act.TOKEN_REVOKE, _named(token))


def _named(token: ApiToken) -> Model:
    """The ledger names it by its identifier alone."""
    return token
