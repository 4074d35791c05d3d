"""Invitations and the changes of accounts that wait for a second security administrator."""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.security.words import MADE_NOW, ME, SEC, SECADMIN

_IS_SECADMIN = f"{ME} is not null"
# Everything but the hash of the code.
INVITATION_COLUMNS = (
    "id",
    "person_id",
    "username",
    "display_name",
    "role",
    "organisation_id",
    "language",
    "is_temporary",
    "ends_at",
    "made_by_id",
    "made_at",
    "expires_at",
    "confirmed_by_id",
    "withdrawn_at",
    "used_at",
)


def declare() -> None:
    _invitations()
    _account_changes()


def _invitations() -> None:
    protect(
        "access.Invitation",
        allow(SECADMIN, "select", _IS_SECADMIN, columns=INVITATION_COLUMNS),
        allow(
            SECADMIN,
            "insert",
            check=f"made_by_id = {ME} and confirmed_by_id is null and used_at is null and made_at {MADE_NOW}",
        ),
        allow(
            SECADMIN,
            "update",
            f"{ME} is not null and used_at is null and withdrawn_at is null",
            check=f"withdrawn_at is not null or confirmed_by_id = {ME}",
            columns=("confirmed_by_id", "withdrawn_at"),
        ),
        allow(SEC, "select update"),
    )
    pin("access.Invitation", *_never_changed(), once=("confirmed_by_id", "withdrawn_at", "used_at"))


def _account_changes() -> None:
    protect(
        "access.AccountChange",
        allow(SECADMIN, "select", _IS_SECADMIN),
        allow(
            SECADMIN,
            "insert",
            check=f"asked_by_id = {ME} and verdict = '' and asked_at {MADE_NOW}"
            f" and not (resets_factors and person_id = {ME})",
        ),
        allow(
            SECADMIN,
            "update",
            f"verdict = '' and asked_by_id <> {ME} and person_id <> {ME}",
            check=f"verdict <> '' and decided_by_id = {ME}",
            columns=("verdict", "decided_by_id", "decided_at"),
        ),
        allow(SEC, "select"),
    )


def _never_changed() -> list[str]:
    changing = {"confirmed_by_id", "withdrawn_at", "used_at"}
    return ["code_hash", *(name for name in INVITATION_COLUMNS if name not in changing)]
