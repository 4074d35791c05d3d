"""Taking access back: one grant, all of a person, all on a case, all of an organisation's people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet

from access.actions.grants import GrantRefused
from access.actions.people import ledger_actor
from access.models import CaseGrant, EndedAccess, Organisation, Revocation, User
from access.roles import Role
from access.visibility import CLASS_PERMISSIONS
from audit import trail
from audit.acts import Act

if TYPE_CHECKING:
    from django.db.models import Model

_INSERT_AT_ONCE: Final = 2_000


@dataclass(frozen=True)
class Ended:
    """One person's access to one case that has just ended; in the case of several decisions, no single one."""

    user_id: UUID
    case_id: UUID
    codenames: frozenset[str]


@dataclass(frozen=True)
class Holder:
    """A person with live access: to how many cases, and when the first of it ends."""

    user: User
    n_cases: int
    first_end: datetime


@dataclass(frozen=True)
class Seen:
    """What a person had seen of a case since they were first given it: numbers and names, never a value."""

    user_id: UUID
    case_id: UUID
    began: datetime
    views: int
    lists: int
    reveals: int
    exports: int
    fields: list[str]
    classes: list[str]
    last_at: datetime | None


@dataclass(frozen=True)
class Unused:
    """Live access that nobody has used for a while."""

    user_id: UUID
    case_id: UUID
    given: datetime
    until: datetime


UNUSED_DAYS: Final = 14
Hook = Callable[[Sequence[Ended]], int]
_hooks: list[Hook] = []


def on_revoked(hook: Hook) -> Hook:
    """Let a room to the left end what rested on access that has ended, in the same transaction.

    The hook is called with what ended and gives the number of exports it ended.
    """
    if hook not in _hooks:
        _hooks.append(hook)
    return hook


def live_grants(by: User) -> QuerySet[CaseGrant]:
    """Live grants of investigators on the cases of the supervisor's area; nobody else has any to end."""
    if by.role != Role.SUPERVISOR:
        return CaseGrant.objects.none()
    found: QuerySet[CaseGrant] = CaseGrant.objects.visible_to(by).live()
    return found


def holders(organisation: Organisation | None = None, person: User | None = None) -> list[Holder]:
    """Who holds access within the asker's reach; for a security administrator everybody, without any case."""
    with connection.cursor() as cursor:
        cursor.execute("select user_id, n_cases, first_end from sec.holders()")
        found = {user_id: (n_cases, first_end) for user_id, n_cases, first_end in cursor.fetchall()}
    people = User.objects.filter(pk__in=found).select_related("organisation")
    if organisation is not None:
        people = people.filter(organisation=organisation)
    if person is not None:
        people = people.filter(pk=person.pk)
    return [Holder(user, *found[user.pk]) for user in people.order_by("organisation__code", "display_name")]


@transaction.atomic
def revoke(case: Model, person: User, *, by: User) -> Revocation:
    """Take all of a person's access to a case back, at once. Raises GrantRefused("none") when there is none left."""
    grants = live_grants(by).filter(user=person, content_object_id=case.pk)
    decisions = set(grants.values_list("decision_id", flat=True))
    return _end(
        grants,
        Revocation(kind=Revocation.Kind.ONE, by=by, person=person),
        subject=case,
        decision_id=decisions.pop() if len(decisions) == 1 else None,
        toward=ledger_actor(person),
    )


@transaction.atomic
def revoke_case(case: Model, *, by: User) -> Revocation:
    """Take everybody's access to a case back. Raises GrantRefused("none") when nobody has any."""
    grants = live_grants(by).filter(content_object_id=case.pk)
    return _end(grants, Revocation(kind=Revocation.Kind.CASE, by=by), subject=case)


@transaction.atomic
def revoke_person(person: User, *, by: User) -> Revocation:
    """Take all of a person's access back: in the supervisor's area, or everywhere by a security administrator.

    Raises GrantRefused("none") when there is none.
    """
    act = Revocation(kind=Revocation.Kind.PERSON, by=by, person=person)
    if by.role == Role.SECADMIN:
        return _end_blindly([person], act, subject=person, toward=ledger_actor(person))
    return _end(live_grants(by).filter(user=person), act, subject=person, toward=ledger_actor(person))


@transaction.atomic
def revoke_organisation(organisation: Organisation, *, by: User) -> Revocation:
    """Take the access of all people of an organisation back, as `revoke_person` does for one.

    People of organisations below it keep theirs. Raises GrantRefused("none") when nobody has any.
    """
    act = Revocation(kind=Revocation.Kind.ORGANISATION, by=by, organisation=organisation)
    if by.role == Role.SECADMIN:
        people = User.objects.filter(organisation=organisation)
        return _end_blindly(people, act, subject=organisation)
    return _end(live_grants(by).filter(user__organisation=organisation), act, subject=organisation)


@transaction.atomic
def revoke_chosen(pairs: Iterable[tuple[UUID, UUID]], *, by: User) -> Revocation:
    """Take chosen access back, named by person and case. What is not in the area, or has ended, is left out.

    Raises GrantRefused("none") when nothing is left.
    """
    wanted = set(pairs)
    grants = live_grants(by).filter(
        user_id__in={user_id for user_id, _ in wanted}, content_object_id__in={case for _, case in wanted}
    )
    ids = [
        pk for pk, *pair in grants.values_list("pk", "user_id", "content_object_id") if tuple(pair) in wanted
    ]
    return _end(live_grants(by).filter(pk__in=ids), Revocation(kind=Revocation.Kind.CHOSEN, by=by))


def revoke_grants(grants: QuerySet[CaseGrant], act: Revocation, *, reason: str = "") -> Revocation:
    """Take these live grants of the supervisor's area back as one act. Raises GrantRefused("none")."""
    person = User.objects.select_related("organisation").get(pk=act.person_id) if act.person_id else None
    return _end(grants, act, reason=reason, toward=ledger_actor(person) if person else None)


def unused(days: int = UNUSED_DAYS) -> list[Unused]:
    """Access of the supervisor's area that was given this many days ago and has not been used since, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("select user_id, case_id, given, until from sec.unused(%s)", [days])
        return [Unused(*row) for row in cursor.fetchall()]


def unused_by_place(days: int = UNUSED_DAYS) -> dict[int, int]:
    """How many grants lie unused, by the district of their case. For the nightly task alone, as ``ep_job``."""
    with connection.cursor() as cursor:
        cursor.execute("select organisation_id, n from sec.unused_counts(%s)", [days])
        return dict(cursor.fetchall())


def seen(revocation: Revocation) -> list[Seen]:
    """What had been seen of what the act ended; empty for whoever did not do it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select user_id, case_id, began, views, lists, reveals, exports, fields, classes, last_at"
            " from sec.seen(%s)",
            [revocation.pk],
        )
        return [Seen(*row) for row in cursor.fetchall()]


def _end(grants: QuerySet[CaseGrant], act: Revocation, **words: Any) -> Revocation:
    rows = list(grants.values_list("pk", "user_id", "content_object_id", "permission__codename"))
    ended = _gathered((user_id, case_id, codename) for _pk, user_id, case_id, codename in rows)
    if not ended:
        raise GrantRefused("none")
    CaseGrant.objects.filter(pk__in=[pk for pk, *_ in rows]).delete()
    _tell(ended, act, **words)
    EndedAccess.objects.bulk_create(
        (
            EndedAccess(
                revocation=act, user_id=one.user_id, case_id=one.case_id, codenames=sorted(one.codenames)
            )
            for one in ended
        ),
        batch_size=_INSERT_AT_ONCE,
    )
    return act


def _end_blindly(people: Iterable[User], act: Revocation, **words: Any) -> Revocation:
    """Without a right to see grants or cases: the database ends them and names ids only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select user_id, case_id, codename from sec.end_access(%s)", [[one.pk for one in people]]
        )
        ended = _gathered(cursor.fetchall())
    if not ended:
        raise GrantRefused("none")
    _tell(ended, act, **words)
    return act


def _tell(ended: Sequence[Ended], act: Revocation, subject: Model | None = None, **words: Any) -> None:
    """One event for the act, with every case and person it touched, then what rested on the access."""
    people, codenames = {one.user_id for one in ended}, frozenset().union(*(one.codenames for one in ended))
    trail.record(
        Act.GRANT_REVOKE,
        subject,
        subjects=[*_named("cases.Case", {one.case_id for one in ended}), *_named("access.User", people)],
        data_classes=sorted(
            c.value for c, permission in CLASS_PERMISSIONS.items() if permission in codenames
        ),
        counts={"grants": len(ended), "people": len(people)},
        extra={"scope": act.kind, "permissions": sorted(codenames)},
        **words,
    )
    act.n_grants, act.n_people = len(ended), len(people)
    act.n_exports = sum(hook(ended) for hook in _hooks)
    act.save(force_insert=True)


def _named(label: str, ids: Iterable[UUID]) -> list[Model]:
    """Records as the ledger names them, by id alone."""
    model = apps.get_model(label)
    return [model(pk=one) for one in sorted(ids)]


def _gathered(rows: Iterable[tuple[UUID, UUID, str]]) -> list[Ended]:
    found: dict[tuple[UUID, UUID], set[str]] = defaultdict(set)
    for user_id, case_id, codename in rows:
        found[user_id, case_id].add(codename)
    return [Ended(*pair, frozenset(codenames)) for pair, codenames in sorted(found.items())]
