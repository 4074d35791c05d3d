"""Opening values for a person who says why: the act that everything else here leads to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from access import pledges, quotas
from audit import trail
from audit.acts import Act, Outcome
from audit.drafts import EventDraft
from cases.actions import classes_of
from cases.holdings import EVERY_PURPOSE, Holding
from vault.errors import Locked
from vault.models import EncryptedModel

PURPOSES = EVERY_PURPOSE


class UnknownField(LookupError):
    """The record has no protected field of this name."""


class UnknownPurpose(ValueError):
    """The purpose is not one that a person may give for opening a value."""


class PurposeNotGranted(UnknownPurpose):
    """The person's grants on the case were given for other purposes."""


def is_allowed(purpose: str, held: Holding) -> bool:
    """May values of the case be opened for the purpose? Only for one that a live grant was given for."""
    return purpose in PURPOSES and purpose in held.purposes


def count(draft: EventDraft, secrets: Iterable[Any]) -> None:
    """Count the values that are about to be shown.

    Raises access.pledges.PledgeMissing and access.quotas.QuotaExceeded, both recorded in the act's draft.
    """
    shown = sum(1 for secret in secrets if secret is not None and secret.is_open_to_me)
    if shown:
        try:
            pledges.demand()
        except pledges.PledgeMissing:
            draft.outcome, draft.reason = Outcome.REFUSED, "pledge"
            raise
    try:
        quotas.count(shown)
    except quotas.QuotaExceeded:
        draft.outcome, draft.reason = Outcome.REFUSED, "quota"
        raise


def reveal(record: EncryptedModel, names: Iterable[str], *, purpose: str, held: Holding) -> dict[str, Any]:
    """Open the named protected fields of a record, recorded with the purpose (a code of access.purposes.REVEAL).

    `held` is what the person holds on the case. An empty field gives None. Raises UnknownField, UnknownPurpose,
    PurposeNotGranted, access.quotas.QuotaExceeded, and vault.errors.Locked when a class is closed to the actor; the
    latter three are recorded.
    """
    wanted = list(dict.fromkeys(names))
    known = {field.name for field in type(record).encrypted_fields()}
    if not wanted or set(wanted) - known:
        raise UnknownField(", ".join(sorted(set(wanted) - known)) or "no field named")
    if purpose not in PURPOSES:
        raise UnknownPurpose(purpose)
    draft = trail.record(
        Act.REVEAL,
        record,
        fields=wanted,
        data_classes=classes_of(type(record), wanted),
        purpose=purpose,
        claims=[record],
    )
    if not is_allowed(purpose, held):
        draft.outcome, draft.reason = Outcome.REFUSED, "purpose_not_granted"
        raise PurposeNotGranted(purpose)
    secrets = {name: getattr(record, name) for name in wanted}
    count(draft, secrets.values())
    try:
        return {name: None if secret is None else secret.reveal() for name, secret in secrets.items()}
    except Locked:
        draft.outcome, draft.reason = Outcome.REFUSED, "no_grant"
        raise
