"""People as the ledger keeps them."""

from __future__ import annotations

from access.models import User
from audit.context import Actor as LedgerActor


def ledger_actor(person: User) -> LedgerActor:
    """The person as the ledger keeps them."""
    return LedgerActor(
        actor_id=person.pk,
        name=person.display_name,
        role=person.role,
        organisation_id=person.organisation_id,
        organisation_name=person.organisation.name_zh,
    )
