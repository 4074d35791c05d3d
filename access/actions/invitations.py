"""Invitations: how an account comes into being, and how a forgotten password is replaced."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import connection, models
from django.utils import timezone

from access.actions.accounts import AccountRefused, State, check_state
from access.actions.people import ledger_actor
from access.models import Invitation, User
from access.models.people import INVITATION_LIFE
from audit import trail
from audit.acts import Act, Outcome

# Crockford's alphabet has no letter that is taken for a digit: 20 of 32 characters are 100 bits.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 20
_GROUP: Final = 5
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "\u00a0": ""})


@dataclass(frozen=True)
class Invited:
    """Whom a code is for, told only to who knows the code."""

    username: str
    display_name: str
    is_reset: bool


def invite(
    username: str, display_name: str, wanted: State, *, by: User, language: str = "zh-hans"
) -> tuple[Invitation, str]:
    """Invite a person into a new account; gives the code, which is kept nowhere.

    Raises AccountRefused: the user name is somebody's or invited already ("username"), or what `State` may not be.
    """
    check_state(wanted)
    if User.objects.filter(username=username).exists() or _open().filter(username=username).exists():
        raise AccountRefused("username", "username")
    made = Invitation(
        username=username,
        display_name=display_name,
        role=wanted.role.value,
        organisation=wanted.organisation,
        language=language,
        is_temporary=wanted.is_temporary,
        ends_at=wanted.ends_at,
    )
    return _made(made, by)


def reset(person: User, *, by: User) -> tuple[Invitation, str]:
    """Let a person set a new password; gives the code. The old password works until the code is used.

    Raises AccountRefused: oneself ("self"), an account that does not work ("ended").
    """
    if person.pk == by.pk:
        raise AccountRefused("self")
    if not person.is_present:
        raise AccountRefused("ended")
    made = Invitation(
        person=person,
        username=person.username,
        display_name=person.display_name,
        role=person.role,
        organisation=person.organisation,
        language=person.language,
        is_temporary=person.is_temporary,
        ends_at=person.ends_at,
    )
    return _made(made, by)


def confirm_invitation(invitation: Invitation, *, by: User) -> None:
    """Agree, as the second person, to one that makes or resets a security administrator. Raises AccountRefused."""
    if by.pk in (invitation.made_by_id, invitation.person_id):
        raise AccountRefused("self")
    if not _open().filter(pk=invitation.pk, confirmed_by__isnull=True).update(confirmed_by=by):
        raise AccountRefused("decided")
    trail.record(Act.INVITATION_CONFIRM, invitation)


def withdraw(invitation: Invitation) -> None:
    """Make a code worthless before it is used. Raises AccountRefused("decided") when it is no more."""
    if not _open().filter(pk=invitation.pk).update(withdrawn_at=timezone.now()):
        raise AccountRefused("decided")
    trail.record(Act.INVITATION_WITHDRAW, invitation)


def open_invitations() -> models.QuerySet[Invitation]:
    """Codes that may still be used, or be confirmed."""
    return _open().select_related("organisation", "made_by").defer("code_hash", "made_by__password")


def invited(code: str) -> Invited | None:
    """Whom the code is for; None for a wrong, expired, used, withdrawn or unconfirmed one."""
    return invited_by(digest(code))


def invited_by(code_digest: bytes) -> Invited | None:
    """Whom the code of this digest is for."""
    with connection.cursor() as cursor:
        cursor.execute("select username, display_name, is_reset from sec.invited(%s)", [code_digest])
        row = cursor.fetchone()
    return Invited(*row) if row else None


def accept(code: str, password: str) -> UUID | None:
    """Use the code once: make the account, or replace its password. None for a code that does not work.

    Runs as ep_none. The password is hashed before the code is looked at, so that every answer takes as long.
    """
    hashed = make_password(password)
    found = invited(code)
    with connection.cursor() as cursor:
        cursor.execute("select sec.accept_invitation(%s, %s)", [digest(code), hashed])
        (person_id,) = cursor.fetchone()
    if person_id is None or found is None:
        refuse_code()
        return None
    person = User.objects.select_related("organisation").get(pk=person_id)
    trail.record(
        Act.PASSWORD_CHANGE if found.is_reset else Act.ACCOUNT_CREATE,
        person,
        reason="invitation",
        toward=ledger_actor(person),
    )
    return person.pk


def refuse_code() -> None:
    """Note that a code was not accepted; the code itself is written nowhere."""
    trail.record(Act.INVITATION_REFUSED, outcome=Outcome.REFUSED, reason="invitation.unknown")


def digest(code: str) -> bytes:
    """What the table keeps of a code, however it was typed."""
    plain = code.upper().translate(_MISREAD)
    return hashlib.sha256(b"epicase/invitation/1" + plain.encode()).digest()


def _made(invitation: Invitation, by: User) -> tuple[Invitation, str]:
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    invitation.code_hash = digest(code)
    invitation.made_by = by
    invitation.expires_at = invitation.made_at + INVITATION_LIFE
    invitation.save(force_insert=True)
    trail.record(
        Act.INVITATION_MAKE,
        invitation,
        extra={
            "role": str(invitation.role),
            "organisation": invitation.organisation_id,
            "is_temporary": invitation.is_temporary,
            "ends_at": invitation.ends_at,
            "person": invitation.person_id,
        },
    )
    return invitation, "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _open() -> models.QuerySet[Invitation]:
    now = timezone.now()
    return Invitation.objects.filter(used_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)
