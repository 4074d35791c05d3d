"""From a decision about many to the rows it stands for: pure rules, tested against a plain model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

Key = tuple[UUID, UUID, str]
"""Person, case, permission."""


@dataclass(frozen=True)
class Held:
    """A live grant as it stands: whose, on what, until when, for which purpose."""

    user_id: UUID
    case_id: UUID
    permission: str
    expires_at: datetime
    purpose: str
    is_opener: bool = False

    @property
    def key(self) -> Key:
        return (self.user_id, self.case_id, self.permission)


@dataclass(frozen=True)
class Row:
    """A grant to write; `purpose` chooses the decision behind it."""

    user_id: UUID
    case_id: UUID
    permission: str
    expires_at: datetime
    purpose: str

    @property
    def key(self) -> Key:
        return (self.user_id, self.case_id, self.permission)


@dataclass(frozen=True)
class Expansion:
    """The rows to write, what they take the place of, and what is held already and stays."""

    rows: frozenset[Row]
    replaced: frozenset[Key]
    kept: frozenset[Key]

    @property
    def people(self) -> set[UUID]:
        return {row.user_id for row in self.rows}

    @property
    def cases(self) -> set[UUID]:
        return {row.case_id for row in self.rows}

    @property
    def pairs(self) -> set[tuple[UUID, UUID]]:
        """Person and case of each row: what people call a grant."""
        return {(row.user_id, row.case_id) for row in self.rows}

    def within(self, cases: Collection[UUID]) -> Expansion:
        """The part of it that concerns these cases."""
        return Expansion(
            frozenset(row for row in self.rows if row.case_id in cases),
            frozenset(key for key in self.replaced if key[1] in cases),
            frozenset(key for key in self.kept if key[1] in cases),
        )


def product(
    people: Collection[UUID],
    cases: Collection[UUID],
    permissions: Collection[str],
    *,
    until: datetime,
    purpose: str,
) -> set[Row]:
    """One row for every person, case and permission."""
    return {
        Row(person, case, str(permission), until, purpose)
        for person in people
        for case in cases
        for permission in permissions
    }


def filled_in(wanted: Iterable[Row], held: Mapping[Key, Held]) -> Expansion:
    """The wanted rows less what is held for as long: for the same purpose, or by whoever opened the case.

    What ends earlier, or was given for another purpose, is replaced.
    """
    rows, replaced, kept = set(), set(), set()
    for row in wanted:
        present = held.get(row.key)
        if present is None:
            rows.add(row)
        elif present.expires_at >= row.expires_at and (present.is_opener or present.purpose == row.purpose):
            kept.add(row.key)
        else:
            rows.add(row)
            replaced.add(row.key)
    return Expansion(frozenset(rows), frozenset(replaced), frozenset(kept))


def copied(
    originals: Iterable[Held], stand_in: UUID, *, until: datetime, held: Mapping[Key, Held]
) -> Expansion:
    """An absent colleague's grants for a stand-in: until the day named, never beyond the original's end.

    What the stand-in holds stays untouched: it must be there still when the standing in ends.
    """
    rows, kept = set(), set()
    for one in originals:
        row = Row(stand_in, one.case_id, one.permission, min(until, one.expires_at), one.purpose)
        if row.key in held:
            kept.add(row.key)
        else:
            rows.add(row)
    return Expansion(frozenset(rows), frozenset(), frozenset(kept))


def handed_over(
    originals: Iterable[Held],
    taker: UUID,
    *,
    until: datetime,
    without: Collection[str],
    held: Mapping[Key, Held],
) -> Expansion:
    """A person's grants for whoever takes the work over: never beyond the original's end, less the permissions named.

    What the other one holds for as long stays, whatever for; what ends earlier is replaced.
    """
    rows, replaced, kept = set(), set(), set()
    for one in originals:
        if one.permission in without:
            continue
        row = Row(taker, one.case_id, one.permission, min(until, one.expires_at), one.purpose)
        present = held.get(row.key)
        if present is not None and present.expires_at >= row.expires_at:
            kept.add(row.key)
            continue
        rows.add(row)
        if present is not None:
            replaced.add(row.key)
    return Expansion(frozenset(rows), frozenset(replaced), frozenset(kept))


def caught_up(of_team: Iterable[Held], newcomer: UUID) -> set[Row]:
    """What a team holds now, for somebody who has joined: of several ends the latest."""
    latest: dict[tuple[UUID, str], Held] = {}
    for one in of_team:
        known = latest.get((one.case_id, one.permission))
        if known is None or (one.expires_at, one.purpose) > (known.expires_at, known.purpose):
            latest[one.case_id, one.permission] = one
    return {
        Row(newcomer, one.case_id, one.permission, one.expires_at, one.purpose) for one in latest.values()
    }
