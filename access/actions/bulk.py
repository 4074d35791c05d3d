"""Access for many at once: several cases and people, a team, a stand-in. Each act is one decision per purpose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from access.actions.expansion import Expansion, Held, Key, Row, caught_up, copied, filled_in, product
from access.actions.grants import GrantRefused, check, classes_of, refuse_too_wide
from access.actions.people import ledger_actor
from access.actions.revocation import live_grants, revoke_grants
from access.models import AccessDecision, CaseGrant, Revocation, Team, TeamMember, User
from access.purposes import Purpose
from access.roles import Role
from access.two_persons import needs_second
from access.visibility import CasePermission, permission_id
from audit import trail
from audit.acts import Act

MOST_ROWS: Final = 10_000
WARN_CASES: Final = 100
ALONE: Final = timedelta(days=30)
Kind = AccessDecision.Kind


def plan(
    people: Collection[User],
    case_ids: Collection[UUID],
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    until: datetime,
    by: User,
) -> Expansion:
    """What giving all of these people access to all of these cases would write. Nothing is changed.

    Raises GrantRefused as `issue` does, and: nobody ("people"), no case of the area ("cases"), more rows than
    10,000 ("rows"), longer than 30 days or for statistics, which takes two supervisors ("second").
    """
    if not people:
        raise GrantRefused("people", "people")
    if not case_ids:
        raise GrantRefused("cases", "cases")
    for person in people:
        check(person, permissions, purpose, until, by)
    if needs_second(purpose, until - timezone.now()):
        raise GrantRefused("second", "until")
    wanted = {CasePermission.VIEW, *permissions}
    if len(people) * len(case_ids) * len(wanted) > MOST_ROWS:
        raise GrantRefused("rows")
    ids = {person.pk for person in people}
    rows = product(ids, set(_in_area(case_ids, by)), wanted, until=until, purpose=purpose.value)
    return filled_in(rows, _by_key(live_grants(by).filter(user__in=ids, content_object_id__in=case_ids)))


@transaction.atomic
def issue_bulk(
    people: Collection[User],
    case_ids: Collection[UUID],
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    reason: str,
    until: datetime,
    by: User,
) -> Expansion:
    """Give each of the people access to each of the cases, behind one decision. Raises as `plan`."""
    found = plan(people, case_ids, permissions, purpose=purpose, until=until, by=by)
    write(found, Kind.BULK, by, reason=reason)
    return found


@transaction.atomic
def issue_to_team(
    team: Team,
    case_ids: Collection[UUID],
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    reason: str,
    until: datetime,
    by: User,
) -> Expansion:
    """Give every present member of a team access. Raises as `plan`; "people" when the team is empty or closed."""
    found = plan(members(team), case_ids, permissions, purpose=purpose, until=until, by=by)
    write(found, Kind.TEAM, by, reason=reason, team=team)
    return found


def members(team: Team) -> list[User]:
    """The present members who can be given access; none of a closed team."""
    return members_by_team([team])[team.pk]


def members_by_team(teams: Collection[Team]) -> dict[UUID, list[User]]:
    """The present members of each team who can be given access; none of a closed team."""
    joined = TeamMember.objects.filter(
        team__in=teams, team__is_active=True, user__is_active=True, user__role=Role.INVESTIGATOR
    )
    found: dict[UUID, list[User]] = {team.pk: [] for team in teams}
    for one in (
        joined.select_related("user__organisation").defer("user__password").order_by("user__display_name")
    ):
        if one.user.is_present:
            found[one.team_id].append(one.user)
    return found


def plan_catch_up(team: Team, newcomer: User, *, by: User) -> Expansion:
    """What the team holds in the area now, for a member who joined later."""
    if not TeamMember.objects.filter(team=team, user=newcomer).exists() or not team.is_active:
        raise GrantRefused("people", "people")
    return plan_catching_up(team, [newcomer], by=by)[newcomer.pk]


def plan_catching_up(team: Team, people: Collection[User], *, by: User) -> dict[UUID, Expansion]:
    """What each of the team's members lacks of what the others hold through it, in the area."""
    of_team = held_of(live_grants(by).filter(kind=Kind.TEAM, decision__team=team))
    theirs = _by_key(live_grants(by).filter(user__in=people))
    return {
        person.pk: filled_in(
            caught_up((one for one in of_team if one.user_id != person.pk), person.pk), theirs
        )
        for person in people
    }


@transaction.atomic
def catch_up(team: Team, newcomer: User, *, by: User) -> Expansion:
    """Give a member what the team holds in the area. Raises GrantRefused: no member ("people"), nothing ("none")."""
    found = plan_catch_up(team, newcomer, by=by)
    _require_role(newcomer, by)
    if found.rows:
        _refuse_too_wide(newcomer, found)
    write(found, Kind.TEAM, by, team=team)
    return found


def plan_stand_in(absent: User, stand_in: User, *, until: datetime, by: User) -> Expansion:
    """What standing in for a colleague until a moment would write. Nothing is changed.

    Grants for statistics, of an emergency, for a single use and those held as somebody's stand-in are left out.
    Raises GrantRefused: the same person ("same"), no investigator ("role"), past or over 30 days ("month"),
    nothing to stand in for ("nothing").
    """
    _require_role(stand_in, by)
    if stand_in.pk == absent.pk:
        raise GrantRefused("same", "stand_in")
    now = timezone.now()
    if until <= now or until - now > ALONE:
        raise GrantRefused("month", "until")
    kinds = (Kind.CREATED, Kind.DIRECT, Kind.REQUEST, Kind.BULK, Kind.TEAM, Kind.HANDOVER)
    originals = live_grants(by).filter(user=absent, kind__in=kinds, single_use=False)
    held = _by_key(live_grants(by).filter(user=stand_in))
    lasting = [one for one in held_of(originals) if one.purpose != Purpose.STATISTICS.value]
    found = copied(lasting, stand_in.pk, until=until, held=held)
    if not found.rows:
        raise GrantRefused("nothing")
    _refuse_too_wide(stand_in, found)
    if len(found.rows) > MOST_ROWS:
        raise GrantRefused("rows")
    return found


@transaction.atomic
def stand_in_for(absent: User, stand_in: User, *, until: datetime, by: User, reason: str = "") -> Expansion:
    """Copy an absent investigator's access in the area to a stand-in. Raises as `plan_stand_in`."""
    found = plan_stand_in(absent, stand_in, until=until, by=by)
    write(found, Kind.STAND_IN, by, reason=reason, stands_in_for=absent)
    return found


@transaction.atomic
def end_stand_in(absent: User, stand_in: User, *, by: User) -> Revocation:
    """End what somebody holds in the area as a colleague's stand-in. Raises GrantRefused("none")."""
    grants = stand_ins(by).filter(user=stand_in, decision__stands_in_for=absent)
    return revoke_grants(grants, Revocation(kind=Revocation.Kind.STAND_IN, by=by, person=stand_in))


def stand_ins(by: User) -> QuerySet[CaseGrant]:
    """Live grants of the area that are held in a colleague's stead."""
    return live_grants(by).filter(kind=Kind.STAND_IN)


@transaction.atomic
def make_team(name: str, *, by: User) -> Team:
    """Make a team of the supervisor's organisation. Raises GrantRefused("taken") when the name is used there."""
    if Team.objects.filter(organisation=by.organisation, name=name).exists():
        raise GrantRefused("taken", "name")
    team = Team(name=name, organisation=by.organisation)
    team.save(force_insert=True)
    trail.record(Act.TEAM_CHANGE, team, extra={"step": "made"})
    return team


@transaction.atomic
def join(team: Team, person: User, *, by: User) -> None:
    """Take a person into a team; what the team holds already is not theirs by that (see `catch_up`).

    Raises GrantRefused: oneself ("self"), no active investigator ("role"), a member or a closed team ("member").
    """
    _require_role(person, by)
    if not team.is_active or TeamMember.objects.filter(team=team, user=person).exists():
        raise GrantRefused("member", "person")
    TeamMember(team=team, user=person).save(force_insert=True)
    trail.record(Act.TEAM_CHANGE, team, extra={"step": "joined"}, toward=ledger_actor(person))


@transaction.atomic
def leave(team: Team, person: User, *, by: User) -> Revocation | None:
    """Take a person out of a team; the access that came with it ends. Raises GrantRefused("none"): no member."""
    member = TeamMember.objects.filter(team=team, user=person).first()
    if member is None:
        raise GrantRefused("none")
    trail.record(Act.TEAM_CHANGE, team, extra={"step": "left"}, toward=ledger_actor(person))
    grants = live_grants(by).filter(user=person, kind=Kind.TEAM, decision__team=team)
    ended = None
    if grants.exists():
        ended = revoke_grants(grants, Revocation(kind=Revocation.Kind.TEAM, by=by, person=person))
    # What lies outside the supervisor's area ends by the trigger on this table.
    member.delete()
    return ended


@transaction.atomic
def close_team(team: Team, *, by: User) -> Revocation | None:
    """Close a team for good; all access that came with it ends. Raises GrantRefused("none"): closed already."""
    if not team.is_active:
        raise GrantRefused("none")
    trail.record(Act.TEAM_CHANGE, team, extra={"step": "closed"})
    grants = live_grants(by).filter(kind=Kind.TEAM, decision__team=team)
    ended = None
    if grants.exists():
        ended = revoke_grants(grants, Revocation(kind=Revocation.Kind.TEAM, by=by))
    team.is_active = False
    team.save(update_fields=["is_active"])
    return ended


def write(
    found: Expansion, kind: AccessDecision.Kind, by: User, *, reason: str = "", **words: Any
) -> list[AccessDecision]:
    """Write the rows behind one decision for each purpose. Raises GrantRefused("none") when there is no row."""
    if not found.rows:
        raise GrantRefused("none")
    decisions = []
    for purpose, rows in _by_purpose(found.rows):
        decision = AccessDecision(kind=kind, purpose=purpose, reason=reason, granted_by=by, **words)
        decision.save(force_insert=True)
        _insert(decision, rows)
        _record(decision, rows)
        decisions.append(decision)
    return decisions


def _delete(keys: Iterable[Key]) -> None:
    by_permission: dict[str, dict[UUID, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for user_id, case_id, permission in keys:
        by_permission[permission][user_id].add(case_id)
    for permission, people in by_permission.items():
        for user_id, case_ids in people.items():
            CaseGrant.objects.filter(
                user_id=user_id, permission_id=_number(permission), content_object_id__in=case_ids
            ).delete()


def _insert(decision: AccessDecision, rows: Sequence[Row]) -> None:
    now = timezone.now()
    # Those they replace, and expired ones that lie there still.
    _delete(row.key for row in rows)
    CaseGrant.objects.bulk_create(
        (
            CaseGrant(
                user_id=row.user_id,
                permission_id=_number(row.permission),
                content_object_id=row.case_id,
                decision=decision,
                granted_by_id=decision.granted_by_id,
                kind=decision.kind,
                starts_at=now,
                expires_at=row.expires_at,
            )
            for row in rows
        ),
        batch_size=2_000,
    )


def _record(decision: AccessDecision, rows: Sequence[Row]) -> None:
    permissions = {row.permission for row in rows}
    people, case_ids = {row.user_id for row in rows}, {row.case_id for row in rows}
    model = apps.get_model("cases.Case")
    one = User.objects.select_related("organisation").get(pk=next(iter(people))) if len(people) == 1 else None
    trail.record(
        Act.GRANT_ISSUE,
        decision.team or decision.stands_in_for or decision.taken_over_from,
        subjects=[*(model(pk=pk) for pk in sorted(case_ids)), *(User(pk=pk) for pk in sorted(people))],
        decision_id=decision.pk,
        purpose=decision.purpose,
        data_classes=classes_of(permissions),
        counts={"cases": len(case_ids), "people": len(people), "permissions": len(rows)},
        extra={
            "scope": decision.kind,
            "permissions": sorted(permissions),
            "until": max(row.expires_at for row in rows),
        },
        toward=ledger_actor(one) if one else None,
    )


def _require_role(person: User, by: User) -> None:
    if person.pk == by.pk:
        raise GrantRefused("self", "person")
    if not person.is_investigator or not person.is_present:
        raise GrantRefused("role", "person")


def _refuse_too_wide(person: User, found: Expansion) -> None:
    permissions = {row.permission for row in found.rows}
    refuse_too_wide(person, permissions, max(row.expires_at for row in found.rows))


def _in_area(case_ids: Collection[UUID], by: User) -> QuerySet[Any, UUID]:
    cases = apps.get_model("cases.Case").objects.visible_to(by)
    found: QuerySet[Any, UUID] = cases.filter(pk__in=case_ids).values_list("pk", flat=True)
    return found


def held_of(grants: QuerySet[CaseGrant]) -> list[Held]:
    """The grants as the pure rules take them."""
    facts = (
        "user_id",
        "content_object_id",
        "permission__codename",
        "expires_at",
        "decision__purpose",
        "kind",
    )
    return [
        Held(user_id, case_id, codename, until, purpose, is_opener=kind == Kind.CREATED)
        for user_id, case_id, codename, until, purpose, kind in grants.values_list(*facts)
    ]


def _by_key(grants: QuerySet[CaseGrant]) -> dict[Key, Held]:
    return {one.key: one for one in held_of(grants)}


def _by_purpose(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.key):
        found[row.purpose].append(row)
    return sorted(found.items())


def _number(permission: str) -> int:
    return permission_id(CasePermission(permission))
