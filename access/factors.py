"""Second factors: django-allauth's TOTP, recovery codes and passkeys, sealed by the vault and used up in the database.

allauth remembers used TOTP codes in a cache of the process; here the time step of the last one stands on the row, which
is locked while a code is checked, so that neither a second process nor a parallel request takes it again.
Everything here but `remove_all` runs as ``ep_none``: no person's database role reaches the table.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from allauth.core.internal.cryptokit import compare_user_code, normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet

from access.models import User
from vault import own_secrets

LABEL: Final = "access.second_factor"
TOTP, PASSKEY, RECOVERY_CODES = (
    Authenticator.Type.TOTP,
    Authenticator.Type.WEBAUTHN,
    Authenticator.Type.RECOVERY_CODES,
)
MOST_PASSKEYS: Final = 10
_owner: ContextVar[UUID | None] = ContextVar("access_factor_owner", default=None)


class NoOwner(RuntimeError):
    """A secret was to be sealed or opened without saying whose it is."""


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seals what allauth keeps, bound to its owner, and names nobody to an authenticator but the user name."""

    def encrypt(self, text: str) -> str:
        return own_secrets.seal(LABEL, _whose(), text.encode())

    def decrypt(self, encrypted_text: str) -> str:
        return own_secrets.unseal(LABEL, _whose(), encrypted_text).decode()

    def get_totp_label(self, user: User) -> str:
        return user.username

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        return {"id": user.pk.bytes, "display_name": user.username, "name": user.username}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "epicase"}


@dataclass(frozen=True)
class Kept:
    """What a person has enrolled."""

    totp: Authenticator | None
    passkeys: list[Authenticator]
    codes_left: int

    @property
    def any(self) -> bool:
        """Whether there is one to sign in with; recovery codes alone are none."""
        return self.totp is not None or bool(self.passkeys)

    @property
    def only_one(self) -> bool:
        return len(self.passkeys) + (self.totp is not None) == 1


def kept(user: User) -> Kept:
    """All of a person's factors."""
    rows = list(_of(user).order_by("created_at"))
    codes = next((row for row in rows if row.type == RECOVERY_CODES), None)
    with _secrets_of(user):
        left = len(RecoveryCodes(codes).get_unused_codes()) if codes else 0
    return Kept(
        next((row for row in rows if row.type == TOTP), None),
        [row for row in rows if row.type == PASSKEY],
        left,
    )


def has_any(user: User) -> bool:
    """Whether the person has a factor to sign in with."""
    return _of(user).filter(type__in=(TOTP, PASSKEY)).exists()


def use_code(user: User, typed: str) -> str:
    """Take a code of the authenticator app or a recovery code: "totp", "recovery_code", or "" when it is neither.

    A code counts once: the row is locked, and what was used is written before anybody else may look.
    """
    code = normalize_user_code(typed)
    if len(code) == app_settings.TOTP_DIGITS:
        return "totp" if _use_totp(user, code) else ""
    return "recovery_code" if code and _use_recovery_code(user, code) else ""


def new_totp_secret(user: User) -> str:
    """A fresh secret, sealed: it waits in the session until the first code proves that it was taken over."""
    with _secrets_of(user):
        return Adapter().encrypt(totp.generate_totp_secret())


@dataclass(frozen=True)
class Picture:
    """What the authenticator app needs: the secret in groups of four, and the picture to scan."""

    words: str
    image: str


def picture(user: User, sealed: str) -> Picture:
    with _secrets_of(user):
        adapter = Adapter()
        secret = adapter.decrypt(sealed)
        svg = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    image = "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
    return Picture(" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)), image)


def add_totp(user: User, sealed: str, typed: str) -> bool:
    """Enrol the app whose secret this is, if the code is its own; an earlier app is replaced."""
    with _secrets_of(user):
        step = _step_of(Adapter().decrypt(sealed), normalize_user_code(typed), after=0)
        if step is None:
            return False
        _of(user).filter(type=TOTP).delete()
        Authenticator.objects.create(user=user, type=TOTP, data={"secret": sealed, "last_step": step})
    return True


def fresh_recovery_codes(user: User) -> list[str]:
    """Ten new recovery codes; the earlier ones are void."""
    with _secrets_of(user):
        _of(user).filter(type=RECOVERY_CODES).delete()
        codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return [f"{code[:5]} {code[5:]}" for code in codes]


def passkey_offer(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey; the challenge waits in the session."""
    return dict(webauthn.begin_registration(user, passwordless=False))


def add_passkey(user: User, answer: str, name: str) -> bool:
    """Enrol the passkey that the browser made; the challenge is void afterwards, whatever comes of it."""
    if _of(user).filter(type=PASSKEY).count() >= MOST_PASSKEYS:
        return False
    try:
        credential = _parsed(answer)
        webauthn.parse_registration_response(credential)
        webauthn.complete_registration(credential)
    except (ValidationError, ValueError, TypeError, KeyError):
        return False
    finally:
        webauthn.clear_state()
    webauthn.WebAuthn.add(user, name, credential)
    return True


def passkey_question(user: User) -> dict[str, Any] | None:
    """What the browser needs to use a passkey; None for a person who has none."""
    if not _of(user).filter(type=PASSKEY).exists():
        return None
    return dict(webauthn.begin_authentication(user))


def use_passkey(user: User, answer: str) -> bool:
    """Whether the browser's answer is a signature of this person's passkey over our challenge, used once."""
    try:
        used = webauthn.complete_authentication(user, _parsed(answer))
    except (ValidationError, ValueError, TypeError, KeyError):
        return False
    finally:
        webauthn.clear_state()
    used.record_usage()
    return True


def remove(user: User, factor_id: int) -> str:
    """Take one factor of the person away; gives its kind, "" when it is none of theirs."""
    row = _of(user).filter(pk=factor_id, type__in=(TOTP, PASSKEY)).first()
    if row is None:
        return ""
    row.delete()
    return str(row.type)


def remove_all(user: User) -> int:
    """Take every factor of somebody else away, as a security administrator; gives how many there were.

    The database (sec.reset_factors) refuses it to all others, for oneself and for a security administrator, ends
    all sessions of the person, and tells them and the other security administrators.
    """
    with connection.cursor() as cursor:
        cursor.execute("select sec.reset_factors(%s)", [user.pk])
        return int(cursor.fetchone()[0])


def _use_totp(user: User, code: str) -> bool:
    row = _of(user).select_for_update().filter(type=TOTP).first()
    if row is None:
        return False
    with _secrets_of(user):
        step = _step_of(Adapter().decrypt(row.data["secret"]), code, after=row.data.get("last_step", 0))
    if step is None:
        return False
    row.data["last_step"] = step
    row.save(update_fields=["data"])
    row.record_usage()
    return True


def _use_recovery_code(user: User, code: str) -> bool:
    row = _of(user).select_for_update().filter(type=RECOVERY_CODES).first()
    if row is None:
        return False
    with _secrets_of(user):
        return bool(RecoveryCodes(row).validate_code(code))


def _step_of(secret: str, code: str, *, after: int) -> int | None:
    """The time step (30 s) whose code this is, of those that are permitted now and later than `after`."""
    steps: Iterator[int] = totp.yield_hotp_counters_from_time()
    for step in steps:
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if step > after and compare_user_code(actual=code, expected=expected):
            return step
    return None


def _of(user: User) -> QuerySet[Authenticator]:
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user.pk)
    return rows


def _parsed(answer: str) -> dict[str, Any]:
    credential = json.loads(answer)
    if not isinstance(credential, dict):
        raise ValueError("no credential")  # noqa: TRY004 (a wrong answer, whatever its type)
    return credential


def _whose() -> UUID:
    owner = _owner.get()
    if owner is None:
        raise NoOwner
    return owner


@contextmanager
def _secrets_of(user: User) -> Iterator[None]:
    token = _owner.set(user.pk)
    try:
        yield
    finally:
        _owner.reset(token)
