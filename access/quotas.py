"""How many values a person may be shown in an hour. The tally is the database's: it counts past a refused page too.

What a page showed stays counted when the page itself was refused and undone (a conflict answers 422 with the values
on it). So a person's changes of one kind wait for each other (`lock`), and `settle` counts again after the undoing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from access import actor

FALLBACK: Final = 60


class QuotaExceeded(Exception):
    """No more values may be shown now: `shown` of `quota` in the last hour; again in `retry_seconds`."""

    def __init__(self, shown: int, quota: int, retry_seconds: int) -> None:
        super().__init__("quota")
        self.shown, self.quota, self.retry_seconds = shown, quota, retry_seconds


@dataclass
class Tally:
    """What one request counted, in case it is undone."""

    counted: int = 0
    is_refused: bool = False


_present: ContextVar[Tally | None] = ContextVar("epicase_reveal_tally", default=None)


@contextmanager
def request_tally() -> Iterator[Tally]:
    """Remember what is counted in one request."""
    token = _present.set(Tally())
    try:
        yield _present.get() or Tally()
    finally:
        _present.reset(token)


def lock(person_id: UUID) -> None:
    """Wait for the person's other changes; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select sec.lock_person(%s)", [person_id])


def count(values: int) -> None:
    """Count values that are about to be shown to the person who acts. Raises QuotaExceeded: show nothing then.

    Jobs that act for nobody are not counted.
    """
    if values < 1 or actor.current().user_id is None:
        return
    is_refused, shown, quota, retry_seconds = _count(values, is_settled=False)
    tally = _present.get()
    if is_refused:
        if tally is not None:
            tally.is_refused = True
        raise QuotaExceeded(shown, quota, retry_seconds)
    if tally is not None:
        tally.counted += values


def settle(tally: Tally) -> None:
    """After the view was undone: count again what it showed, and tell who has to know that more was asked for."""
    if actor.current().user_id is None:
        return
    if tally.counted:
        _count(tally.counted, is_settled=True)
    if tally.is_refused:
        with connection.cursor() as cursor:
            cursor.execute("select sec.note_breach(%s)", [_allowed()])


def _count(values: int, *, is_settled: bool) -> tuple[bool, int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute("select * from sec.count_reveals(%s, %s, %s)", [values, _allowed(), is_settled])
        row: tuple[bool, int, int, int] = cursor.fetchone()
        return row


def _allowed() -> int:
    """The quota of the role; the account's own, if lower, is the database's to know."""
    role = actor.current().pg_role.removeprefix("ep_")
    return int(settings.EPICASE_REVEALS_PER_HOUR.get(role, FALLBACK))
