"""Tokens of the API: one's own, without the hash; nobody else's by any role. Looking one up is ``sec.token``'s."""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.roles import PERSON_ROLES
from access.security.words import MADE_NOW, ME, SEC

_OWN_COLUMNS = (
    *("id", "user_id", "name", "purpose", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"),
)


def declare() -> None:
    mine = f"user_id = {ME}"
    protect(
        "access.ApiToken",
        allow(PERSON_ROLES, "select", mine, columns=_OWN_COLUMNS),
        # The end is counted from the start, so the start may not be put off.
        allow(
            PERSON_ROLES,
            "insert",
            check=f"{mine} and revoked_at is null and last_used_at is null and created_at {MADE_NOW}",
        ),
        allow(
            PERSON_ROLES, "update", mine, check=f"{mine} and revoked_at is not null", columns=("revoked_at",)
        ),
        allow(SEC, "select"),
        allow(SEC, "update", columns=("last_used_at",)),
    )
    pin(
        "access.ApiToken",
        *("id", "user_id", "name", "token_hash", "stamp", "purpose", "scopes", "created_at", "expires_at"),
        once=("revoked_at",),
    )
