"""Who the database is told that we are, at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from access.roles import PgRole

if TYPE_CHECKING:
    from access.models import User


@dataclass(frozen=True, slots=True)
class Actor:
    """The PostgreSQL role to wear, and the person whose ticket goes with it (none for ep_none and jobs)."""

    pg_role: str
    user_id: UUID | None = None


NOBODY = Actor(PgRole.NONE)
_current: ContextVar[Actor] = ContextVar("epicase_actor", default=NOBODY)


def current() -> Actor:
    return _current.get()


def put_on(actor: Actor) -> None:
    """Wear the actor until further notice; the backend tells the database before its next statement."""
    _current.set(actor)


@contextmanager
def wearing(actor: Actor) -> Iterator[Actor]:
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


@contextmanager
def acting_as(person: User) -> Iterator[Actor]:
    """Act with the rights of the person: their role, their grants, nothing else."""
    with wearing(Actor(f"ep_{person.role}", person.pk)) as actor:
        yield actor


@contextmanager
def acting_as_role(pg_role: str) -> Iterator[Actor]:
    """Act as a role that is no person's, e.g. ``ep_none`` or ``ep_job``."""
    with wearing(Actor(pg_role)) as actor:
        yield actor


@contextmanager
def acting_as_owner() -> Iterator[Actor]:
    """Act as the owner of the tables: seeding and tests, under a login that may."""
    with acting_as_role(PgRole.OWNER) as actor:
        yield actor
