"""What people change about how they sign in: second factors, signed-in browsers, the pledge."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection

from access import actor, factors, sessions
from access.actions.people import ledger_actor
from access.models import Pledge, User
from access.models.pledges import VERSION
from audit import trail
from audit.acts import Act


class LastFactor(Exception):
    """The only factor of a person is not taken away where one is mandatory."""


def enrol_totp(user: User, sealed_secret: str, code: str) -> bool:
    """Enrol an authenticator app whose code is right; an earlier app is replaced."""
    if not factors.add_totp(user, sealed_secret, code):
        return False
    _changed(user, "totp_added")
    return True


def enrol_passkey(user: User, answer: str, name: str) -> bool:
    """Enrol a passkey that the browser has just made for this person."""
    if not factors.add_passkey(user, answer, name):
        return False
    _changed(user, "passkey_added")
    return True


def renew_recovery_codes(user: User) -> list[str]:
    """Ten new recovery codes, shown once; the earlier ones are void."""
    codes = factors.fresh_recovery_codes(user)
    _changed(user, "recovery_codes_made")
    return codes


def remove_factor(user: User, factor_id: int, *, may_be_last: bool) -> bool:
    """Take one of one's own factors away. Raises LastFactor; False when there is no such factor."""
    if not may_be_last and factors.kept(user).only_one:
        raise LastFactor
    kind = factors.remove(user, factor_id)
    if kind:
        _changed(user, "totp_removed" if kind == factors.TOTP else "passkey_removed")
    return bool(kind)


def end_session(user: User, handle: str) -> bool:
    """End one of one's own signed-in browsers."""
    rows = [row for row in sessions.of_person(user) if sessions.handle(row) == handle]
    if not rows:
        return False
    sessions.end(rows)
    trail.record(Act.SESSION_END, user, counts={"sessions": len(rows)}, by=ledger_actor(user))
    return True


def end_other_sessions(user: User, here: SessionBase) -> int:
    """End all of one's own signed-in browsers but this one; gives how many there were."""
    rows = [row for row in sessions.of_person(user) if not sessions.is_here(row, here)]
    sessions.end(rows)
    trail.record(Act.SESSION_END, user, counts={"sessions": len(rows)}, by=ledger_actor(user))
    return len(rows)


def change_password(user: User, present: str, wanted: str) -> bool:
    """Change one's own password; all other signed-in browsers end. False when the present one is not right."""
    with actor.wearing(actor.NOBODY):
        known = User.accounts.get(pk=user.pk)
    if not known.check_password(present):
        return False
    with actor.acting_as(user), connection.cursor() as cursor:
        cursor.execute("select sec.set_password(%s, %s, true)", [known.password, make_password(wanted)])
        (changed,) = cursor.fetchone()
    if changed:
        trail.record(Act.PASSWORD_CHANGE, user, by=ledger_actor(user))
    return bool(changed)


def accept_pledge(user: User) -> Pledge:
    """Accept the present words for a year (365 days)."""
    pledge = Pledge(user=user, version=VERSION)
    pledge.save(force_insert=True)
    trail.record(Act.PLEDGE_ACCEPT, user, counts={"version": VERSION})
    return pledge


def _changed(user: User, reason: str) -> None:
    trail.record(Act.SECOND_FACTOR_CHANGE, user, reason=reason, by=ledger_actor(user))
