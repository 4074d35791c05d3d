"""Changing somebody else's account: role, organisation, end, and whether it works at all."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access import factors
from access.actions.grants import GrantRefused
from access.actions.people import ledger_actor
from access.actions.revocation import revoke_person
from access.models import AccountChange, Organisation, User
from access.models.users import TEMPORARY_ROLES
from access.roles import Role
from audit import trail
from audit.acts import Act


class Reason(models.TextChoices):
    """Why an account changes: a code, because the ledger keeps no sentences."""

    MOVED = "moved", _("Moved to another organisation")
    TASK = "task", _("Another task")
    LEFT = "left", _("Left")
    CONTRACT = "contract", _("Contract extended or ended")
    SECURITY = "security", _("Security: the account may be in wrong hands")
    RETURNED = "returned", _("Came back")
    MISTAKE = "mistake", _("Correcting a mistake")


class FactorReason(models.TextChoices):
    """Why somebody's second factors are taken away."""

    LOST = "lost", _("Telephone or key lost")
    REPLACED = "replaced", _("Telephone or key broken or replaced")
    STOLEN = "stolen", _("Security: telephone or key may be in wrong hands")


class AccountRefused(Exception):
    """The account may not be changed like this; ``code`` says why, ``field`` names the input it belongs to."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code, self.field = code, field


@dataclass(frozen=True)
class State:
    """All that a security administrator decides about an account."""

    role: Role
    organisation: Organisation
    is_active: bool = True
    is_temporary: bool = False
    ends_at: datetime | None = None

    @classmethod
    def of(cls, person: User) -> State:
        """As the account is now."""
        return cls(
            Role(person.role), person.organisation, person.is_active, person.is_temporary, person.ends_at
        )

    def codes(self) -> dict[str, Any]:
        """What the ledger keeps of it."""
        return {
            "role": str(self.role),
            "organisation": self.organisation.pk,
            "is_active": self.is_active,
            "is_temporary": self.is_temporary,
            "ends_at": self.ends_at,
        }


FIELDS: Final = ("role", "organisation", "is_active", "is_temporary", "ends_at")


def change(person: User, wanted: State, *, reason: Reason, by: User) -> AccountChange | None:
    """Change somebody's account at once; sessions end, and grants too unless only the end was moved.

    Gives the change that waits for a second person when it makes or alters a security administrator, else None.
    Raises AccountRefused: one's own account ("self"), nothing new ("same"), temporary staff without an end
    ("temporary_end") or in a role that decides ("temporary_role"), a closed organisation ("closed").
    """
    check_state(wanted)
    before = State.of(person)
    if wanted == before:
        raise AccountRefused("same")
    if needs_second(before, wanted):
        return _ask(person, wanted, reason, by)
    if person.pk == by.pk:
        raise AccountRefused("self")
    _end_access(person, before, wanted, by)
    _write(person, wanted)
    _record(person, before, wanted, reason)
    return None


def needs_second(before: State, wanted: State) -> bool:
    """Whether two security administrators decide: all that concerns one of them, but for stopping the account."""
    if Role.SECADMIN not in (before.role, wanted.role):
        return False
    return wanted != replace(before, is_active=False)


def confirm(waiting: AccountChange, *, by: User) -> None:
    """Let a waiting change of a security administrator happen, as the second person. Raises AccountRefused."""
    _check_decider(waiting, by)
    person = User.objects.select_related("organisation").get(pk=waiting.person_id)
    if waiting.resets_factors:
        _decide(waiting, AccountChange.Verdict.CONFIRMED, by)
        _record_reset(person, FactorReason(waiting.reason), asked_by=waiting.asked_by_id)
        return
    before = State.of(person)
    _end_access(person, before, _state_of(waiting), by)
    _decide(waiting, AccountChange.Verdict.CONFIRMED, by)
    _record(person, before, _state_of(waiting), Reason(waiting.reason), asked_by=waiting.asked_by_id)


def reject(waiting: AccountChange, *, by: User) -> None:
    """Decline a waiting change. Raises AccountRefused."""
    _check_decider(waiting, by)
    _decide(waiting, AccountChange.Verdict.REFUSED, by)
    trail.record(Act.ACCOUNT_REJECT, waiting.person, extra={"change": waiting.pk})


def reset_factors(person: User, *, reason: FactorReason, by: User) -> AccountChange | None:
    """Take somebody's second factors away; all their sessions and tokens end, and signing in begins with a new one.

    Gives the change that waits for a second person when it is a security administrator's, else None. Raises
    AccountRefused: one's own ("own_factor"), an account that does not work ("ended"), nothing there ("no_factor").
    """
    if person.pk == by.pk:
        raise AccountRefused("own_factor")
    if not person.is_present:
        raise AccountRefused("ended")
    if person.role == Role.SECADMIN:
        return _ask(person, State.of(person), reason, by, resets_factors=True)
    if not factors.remove_all(person):
        raise AccountRefused("no_factor")
    _record_reset(person, reason)
    return None


def open_changes() -> models.QuerySet[AccountChange]:
    """Changes that wait for a second security administrator."""
    rows = AccountChange.objects.filter(
        verdict="", asked_at__gt=timezone.now() - AccountChange.LIFE
    ).select_related("person__organisation", "organisation", "asked_by")
    return rows.defer("person__password", "asked_by__password")


def check_state(wanted: State) -> None:
    """Raise AccountRefused for what no account may be; the database's constraints say the same."""
    if wanted.is_temporary and wanted.ends_at is None:
        raise AccountRefused("temporary_end", "ends_on")
    if wanted.is_temporary and wanted.role not in TEMPORARY_ROLES:
        raise AccountRefused("temporary_role", "role")
    if wanted.organisation.closed_at is not None:
        raise AccountRefused("closed", "organisation")


def _ask(
    person: User, wanted: State, reason: Reason | FactorReason, by: User, *, resets_factors: bool = False
) -> AccountChange:
    asked = AccountChange(
        person=person,
        role=wanted.role.value,
        organisation=wanted.organisation,
        is_active=wanted.is_active,
        is_temporary=wanted.is_temporary,
        ends_at=wanted.ends_at,
        reason=reason,
        asked_by=by,
        resets_factors=resets_factors,
    )
    asked.save(force_insert=True)
    trail.record(
        Act.ACCOUNT_ASK,
        person,
        reason=_factor_code(reason) if resets_factors else _code(reason),
        extra={"change": asked.pk, **({} if resets_factors else _prefixed("new", wanted))},
    )
    return asked


def _check_decider(waiting: AccountChange, by: User) -> None:
    if by.pk in (waiting.asked_by_id, waiting.person_id):
        raise AccountRefused("self")
    if not waiting.is_open:
        raise AccountRefused("decided")


def _decide(waiting: AccountChange, verdict: AccountChange.Verdict, by: User) -> None:
    """One of two who decide at once wins: the row policy shows only what nobody has decided."""
    changed = AccountChange.objects.filter(pk=waiting.pk, verdict="").update(
        verdict=verdict, decided_by=by, decided_at=timezone.now()
    )
    if not changed:
        raise AccountRefused("decided")


def _end_access(person: User, before: State, after: State, by: User) -> None:
    """Take all access back with a report of what had been seen, and end exports that rested on it.

    The trigger of the account would delete the grants by itself; this is what else belongs to it.
    """
    if (before.role, before.organisation, before.is_active) != (
        after.role,
        after.organisation,
        after.is_active,
    ):
        with suppress(GrantRefused):
            revoke_person(person, by=by)


def _write(person: User, wanted: State) -> None:
    for name in FIELDS:
        setattr(person, name, getattr(wanted, name))
    person.role = wanted.role.value
    person.save(update_fields=FIELDS)


def _record(
    person: User, before: State, after: State, reason: Reason, *, asked_by: UUID | None = None
) -> None:
    changed = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    trail.record(
        Act.ROLE_CHANGE if "role" in changed else Act.ACCOUNT_CHANGE,
        person,
        fields=changed,
        reason=_code(reason),
        extra={
            **_prefixed("old", before, changed),
            **_prefixed("new", after, changed),
            **({"asked_by": asked_by} if asked_by else {}),
        },
        toward=ledger_actor(person),
    )


def _record_reset(person: User, reason: FactorReason, *, asked_by: UUID | None = None) -> None:
    trail.record(
        Act.SECOND_FACTOR_RESET,
        person,
        reason=_factor_code(reason),
        extra={"asked_by": asked_by} if asked_by else {},
        toward=ledger_actor(person),
    )


def _prefixed(prefix: str, state: State, names: Any = FIELDS) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in state.codes().items() if name in names}


def _state_of(waiting: AccountChange) -> State:
    return State(
        Role(waiting.role),
        waiting.organisation,
        waiting.is_active,
        waiting.is_temporary,
        waiting.ends_at,
    )


def _code(reason: str) -> str:
    return f"account.{reason}"


def _factor_code(reason: str) -> str:
    return f"factor.{reason}"


REASON_WORDS: Final = {_code(reason): reason.label for reason in Reason}
FACTOR_REASON_WORDS: Final = {_factor_code(reason): reason.label for reason in FactorReason}
