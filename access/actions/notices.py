"""Telling people: the one door through which a notice is sent, and marking the own ones as read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from access.models import Notice, Organisation, User
from access.roles import Role
from audit import trail
from audit.acts import Act

if TYPE_CHECKING:
    from django.db.models import Model

AT_ONCE: Final = 500


def notify(
    kind: Notice.Kind,
    people: Iterable[User | UUID],
    *,
    case: Model | UUID | None = None,
    decision: Model | UUID | None = None,
    about: User | UUID | None = None,
) -> int:
    """Tell people something of a kind; gives how many were told (active accounts, the sender left out).

    `about` is the colleague whose act it is: for a person's own act that person, and nobody else. Raises
    DatabaseError when the present role may not send this kind (access/sql/notices.py says which may).
    """
    wanted = sorted({_key(person) for person in people if person is not None})  # type: ignore[type-var]
    told = 0
    for start in range(0, len(wanted), AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(
                "select sec.notify(%s, %s::uuid[], %s, %s, %s)",
                [
                    Notice.Kind(kind).value,
                    wanted[start : start + AT_ONCE],
                    _key(case),
                    _key(decision),
                    _key(about),
                ],
            )
            told += cursor.fetchone()[0]
    return told


def supervisors_of(place: Organisation) -> list[UUID]:
    """Identifiers of the active supervisors whose area holds the place: of itself and of those above it."""
    chain, above = [place.pk], place.parent
    while above is not None:
        chain.append(above.pk)
        above = above.parent
    found = User.objects.present().filter(role=Role.SUPERVISOR, organisation_id__in=chain)
    return list(found.values_list("pk", flat=True))


def mark_all_read(by: User) -> int:
    """Mark the person's unread notices as read; gives their number."""
    number = Notice.objects.filter(person=by, read_at__isnull=True).update(read_at=timezone.now())
    trail.record(Act.NOTICE_READ, counts={"notices": number})
    return number


def _key(one: Model | UUID | None) -> UUID | None:
    return one if one is None or isinstance(one, UUID) else one.pk
