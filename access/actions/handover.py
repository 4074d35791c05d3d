"""Handing over a person's work in the area: their access, as far as it may be passed on, and their name on cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from access.actions import bulk
from access.actions.expansion import Expansion, Held, Key, handed_over
from access.actions.grants import LONGEST_TEMPORARY, GrantRefused, possible_grantees
from access.actions.notices import notify
from access.actions.people import ledger_actor
from access.actions.revocation import live_grants, revoke_grants
from access.models import AccessDecision, Notice, Revocation, User
from access.models.reach import within
from access.purposes import Purpose
from access.two_persons import ALONE_AT_MOST
from access.visibility import CasePermission
from audit import trail
from audit.acts import Act
from audit.capture import audited_bulk

Kind = AccessDecision.Kind
# What was for one person and one moment is not passed on, and statistics take two supervisors.
_STAYS: Final[Mapping[str, str]] = {Kind.EMERGENCY: "emergency", Kind.STAND_IN: "stand_in"}
_REASON: Final = "handed_over"


@dataclass(frozen=True)
class Piece:
    """One permission on one case that a person holds, or held until the account was changed or ended."""

    held: Held
    kind: str
    single_use: bool

    @property
    def stays(self) -> str:
        """Why it cannot be passed on: "once", "emergency", "stand_in", "statistics"; "" when it can."""
        if self.single_use:
            return "once"
        if self.held.purpose == Purpose.STATISTICS:
            return "statistics"
        return _STAYS.get(self.kind, "")


@dataclass(frozen=True)
class Work:
    """What a person works on in the asker's area."""

    pieces: tuple[Piece, ...]
    named: frozenset[UUID]
    """Cases whose investigator the person is."""

    @property
    def cases(self) -> frozenset[UUID]:
        return self.named | {piece.held.case_id for piece in self.pieces}


@dataclass(frozen=True)
class Handover:
    """What handing over comes to: the rows to write, the cases that go, and why others stay."""

    expansion: Expansion
    cases: frozenset[UUID]
    named: frozenset[UUID]
    staying: Mapping[UUID, str]


@dataclass(frozen=True)
class Left:
    """Somebody whose access in the area a security administrator ended; nobody holds the work in their stead yet."""

    user: User
    n_cases: int
    left_at: datetime


def left_lately() -> list[Left]:
    """People whose work waits to be handed over in the supervisor's area; nobody for other roles."""
    cases: dict[UUID, set[UUID]] = defaultdict(set)
    moments: dict[UUID, datetime] = {}
    for user_id, case_id, *_, left_at in _left_rows(None):
        cases[user_id].add(case_id)
        moments[user_id] = max(left_at, moments.get(user_id, left_at))
    people = User.objects.filter(pk__in=cases).select_related("organisation").order_by("display_name")
    return [Left(person, len(cases[person.pk]), moments[person.pk]) for person in people]


def work_of(person: User, *, by: User) -> Work:
    """What the person works on in the supervisor's area: holds, held until the account ended, or is named for."""
    facts = (
        "content_object_id",
        "permission__codename",
        "expires_at",
        "decision__purpose",
        "kind",
        "single_use",
    )
    live = [_piece(person, row) for row in live_grants(by).filter(user=person).values_list(*facts)]
    held = {piece.held.key for piece in live}
    ended: dict[Any, Piece] = {}
    for row in sorted(_left_rows([person.pk]), key=lambda row: row[3]):
        piece = _piece(person, row[1:7])
        if piece.held.key not in held:
            # Of several that ended the one that would have run longest.
            ended[piece.held.key] = piece
    named = apps.get_model("cases.Case").objects.visible_to(by).filter(investigator=person)
    return Work((*live, *ended.values()), frozenset(named.values_list("pk", flat=True)))


def possible_takers(person: User, *, by: User) -> QuerySet[User]:
    """Who may take the work over: other active investigators of the supervisor's area."""
    return possible_grantees(by).filter(within(by.organisation, "organisation")).exclude(pk=person.pk)


def plan_hand_over(person: User, to: User, *, by: User) -> Handover:
    """What handing all of the person's work in the area over would come to. Nothing is changed.

    Each permission keeps its purpose and its end, 30 days from now at most; temporary staff get 7 days and no
    export. Raises GrantRefused: to the same person ("same"), to oneself ("self"), to nobody of the area who
    investigates ("taker"), nothing that can go ("nothing"), more rows than 10,000 ("rows").
    """
    _require_taker(person, to, by)
    work = work_of(person, by=by)
    # What lasts a moment or stands in for another is no reason to keep the work from them.
    lasting = live_grants(by).filter(user=to, single_use=False).exclude(kind__in=[*_STAYS])
    theirs = {one.key: one for one in bulk.held_of(lasting)}
    going = [piece.held for piece in work.pieces if not piece.stays]
    found = handed_over(going, to.pk, until=_longest(to), without=_never(to), held=theirs)
    cases = _openable({row.key for row in found.rows} | found.kept)
    # Where only the name stands, whoever can open the case already takes it over.
    cases |= work.named & _openable(theirs)
    if not cases:
        raise GrantRefused("nothing")
    found = found.within(cases)
    if len(found.rows) > bulk.MOST_ROWS:
        raise GrantRefused("rows")
    return Handover(found, cases, work.named & cases, _staying(work, cases))


@transaction.atomic
def hand_over(person: User, to: User, *, by: User, reason: str = "") -> Handover:
    """Hand all of the person's work in the area over, in one step. Raises as `plan_hand_over`.

    The other one gets access behind one decision per purpose, stands as investigator where the person stood, and
    is told; what the person still holds on these cases ends.
    """
    _wait_for_others(person)
    found = plan_hand_over(person, to, by=by)
    _record(found, person, to)
    _name(found.named, to)
    decisions = []
    if found.expansion.rows:
        decisions = bulk.write(found.expansion, Kind.HANDOVER, by, reason=reason, taken_over_from=person)
    _end(found.cases, person, by)
    notify(
        Notice.Kind.WORK_HANDED_OVER, [to], decision=decisions[0] if len(decisions) == 1 else None, about=by
    )
    return found


def _wait_for_others(person: User) -> None:
    """Of two who hand the same work over at once, the second finds what the first left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended('epicase.work.' || %s::text, 0))", [person.pk]
        )


def _record(found: Handover, person: User, to: User) -> None:
    model = apps.get_model("cases.Case")
    trail.record(
        Act.WORK_HAND_OVER,
        person,
        subjects=[model(pk=pk) for pk in sorted(found.cases)],
        counts={"cases": len(found.cases), "named": len(found.named), "staying": len(found.staying)},
        claims=[model(pk=pk) for pk in sorted(found.named)],
        toward=ledger_actor(to),
    )


def _name(case_ids: Collection[UUID], to: User) -> None:
    with audited_bulk(_REASON):
        apps.get_model("cases.Case").objects.filter(pk__in=case_ids).update(
            investigator=to, changed_at=timezone.now()
        )


def _end(case_ids: Collection[UUID], person: User, by: User) -> None:
    grants = live_grants(by).filter(user=person, content_object_id__in=case_ids)
    if grants.exists():
        act = Revocation(kind=Revocation.Kind.HANDOVER, by=by, person=person)
        revoke_grants(grants, act, reason=_REASON)


def _require_taker(person: User, to: User, by: User) -> None:
    if to.pk == person.pk:
        raise GrantRefused("same", "to")
    if to.pk == by.pk:
        raise GrantRefused("self", "to")
    if not possible_takers(person, by=by).filter(pk=to.pk).exists():
        raise GrantRefused("taker", "to")


def _longest(to: User) -> datetime:
    # A second less: the database counts from its own clock.
    lasts = LONGEST_TEMPORARY if to.is_temporary else ALONE_AT_MOST
    return timezone.now() + lasts - timedelta(seconds=1)


def _never(to: User) -> frozenset[str]:
    return frozenset({CasePermission.EXPORT.value}) if to.is_temporary else frozenset()


def _openable(keys: Iterable[Key]) -> frozenset[UUID]:
    return frozenset(case for _user, case, code in keys if code == CasePermission.VIEW)


def _staying(work: Work, going: Collection[UUID]) -> dict[UUID, str]:
    """Why each case that does not go stays; "nothing": the person is named there, and holds nothing any more."""
    why = {piece.held.case_id: piece.stays for piece in work.pieces if piece.stays}
    return {case: why.get(case, "nothing") for case in sorted(work.cases) if case not in going}


def _piece(person: User, row: Iterable[Any]) -> Piece:
    case_id, codename, until, purpose, kind, single_use = row
    return Piece(Held(person.pk, case_id, codename, until, purpose, kind == Kind.CREATED), kind, single_use)


def _left_rows(people: list[UUID] | None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select user_id, case_id, codename, expires_at, purpose, kind, single_use, left_at"
            " from sec.left_work(%s::uuid[])",
            [people],
        )
        return list(cursor.fetchall())
