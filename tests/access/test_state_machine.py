"""Access as a machine of states, with a plain-Python model beside it: every way to ask gives the model's answer.

By default a short run that fits into the suite; ``EPICASE_STEPS=40 EPICASE_EXAMPLES=100`` makes a long one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any, ClassVar, Final
from uuid import UUID

import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from access import actions
from access.actions import emergency, organisations
from access.actor import acting_as, acting_as_owner
from access.models import CaseGrant, EmergencyAccess, Organisation, User
from access.purposes import Purpose
from access.visibility import CLASS_PERMISSIONS, CasePermission
from audit import trail
from cases.models import Case
from tests import browsing, factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
STEPS: Final = int(os.environ.get("EPICASE_STEPS", "7"))
EXAMPLES: Final = int(os.environ.get("EPICASE_EXAMPLES", "3"))
IS_LONG: Final = "EPICASE_EXAMPLES" in os.environ
EVERY: Final = frozenset(CasePermission)
CLASSES: Final = frozenset(CLASS_PERMISSIONS.values())
INVESTIGATORS = ("investigator", "colleague", "outsider")
SUPERVISORS = ("supervisor", "other_supervisor", "city_supervisor", "other_city_supervisor")
PEOPLE = (*INVESTIGATORS, *SUPERVISORS)
PLACES = ("district", "other_district")
CITIES = ("city", "other_city")
# Of access/sql/emergency.py, once more, in the model's own words.
OPEN_AT_ONCE, A_DAY = 2, 4
IN_EMERGENCY = frozenset({CasePermission.VIEW, CasePermission.IDENTITY, CasePermission.REACH})
# Ends lie at full hours and a half, the clock moves by full hours: nothing ever ends at the moment it is asked.
HALF_AN_HOUR = timedelta(minutes=30)


class Person:
    """What the model knows of a person."""

    def __init__(self, role: str, place: str) -> None:
        self.role, self.place, self.is_active = role, place, True


class Model:
    """Who may do what, in a few lines of Python; it knows no database."""

    def __init__(self, people: dict[str, Person], cases: dict[str, str]) -> None:
        self.people, self.cases = people, cases
        self.cities = dict.fromkeys(PLACES, "city")
        self.ends: dict[tuple[str, str, CasePermission], datetime] = {}
        # Which emergency each of them came with, and how many a person had: the clock of these is not turned.
        self.emergencies: dict[tuple[str, str, CasePermission], int] = {}
        self.broken: list[str] = []

    def may(self, who: str, case: str, permission: CasePermission) -> bool:
        person = self.people[who]
        if not person.is_active:
            return False
        if person.role == "supervisor":
            place = self.cases[case]
            return permission is not CasePermission.EXPORT and person.place in (place, self.cities[place])
        end = self.ends.get((who, case, permission))
        return person.role == "investigator" and end is not None and end > timezone.now()

    def give(self, who: str, case: str, permissions: Any, end: datetime) -> None:
        given = {(who, case, permission): end for permission in permissions}
        self.emergencies = {key: number for key, number in self.emergencies.items() if key not in given}
        self.ends.update(given)

    def live(self, who: str, case: str) -> set[CasePermission]:
        now = timezone.now()
        return {key[2] for key, end in self.ends.items() if key[:2] == (who, case) and end > now}

    def may_break_glass(self, who: str, case: str) -> bool:
        person, now = self.people[who], timezone.now()
        running = {n for key, n in self.emergencies.items() if key[0] == who and self.ends[key] > now}
        return (
            person.is_active
            and person.role == "investigator"
            and self.broken.count(who) < A_DAY
            and len(running) < OPEN_AT_ONCE
            and not self.live(who, case) >= IN_EMERGENCY
        )

    def break_glass(self, who: str, case: str, end: datetime) -> None:
        self.broken.append(who)
        keys = [(who, case, permission) for permission in IN_EMERGENCY - self.live(who, case)]
        self.ends.update(dict.fromkeys(keys, end))
        self.emergencies.update(dict.fromkeys(keys, len(self.broken)))

    def take(self, who: str, case: str) -> None:
        self.ends = {key: end for key, end in self.ends.items() if key[:2] != (who, case)}
        self.emergencies = {key: n for key, n in self.emergencies.items() if key in self.ends}

    def holds(self, who: str, case: str) -> bool:
        return any(key[:2] == (who, case) and end > timezone.now() for key, end in self.ends.items())

    def pass_time(self, by: timedelta) -> None:
        self.ends = {key: end - by for key, end in self.ends.items()}


class Access(RuleBasedStateMachine):
    """Things that happen to access, one after the other, inside one transaction that is undone."""

    world: ClassVar[Any]
    cookies: ClassVar[dict[str, str]]
    records: ClassVar[dict[str, Case]]
    places: ClassVar[dict[str, Any]]

    @initialize()
    def begin(self) -> None:
        self.undo = transaction.atomic()
        self.undo.__enter__()
        people = {name: Person("investigator", "district") for name in ("investigator", "colleague")}
        people["outsider"] = Person("investigator", "other_district")
        people |= {
            "supervisor": Person("supervisor", "district"),
            "other_supervisor": Person("supervisor", "other_district"),
            "city_supervisor": Person("supervisor", "city"),
            "other_city_supervisor": Person("supervisor", "other_city"),
        }
        self.model = Model(people, {"first": "district", "second": "other_district"})
        # What happens in here is undone, the sessions of people who had to sign in again as well.
        self.clients = {name: Client() for name in PEOPLE}
        for name, client in self.clients.items():
            client.cookies = SimpleCookie(self.cookies[name])
        opened = timezone.now() + timedelta(days=30)
        self.model.give("investigator", "first", EVERY, opened)
        self.model.give("outsider", "second", EVERY, opened)

    def teardown(self) -> None:
        if hasattr(self, "undo"):
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def person(self, who: str) -> User:
        with acting_as_owner():
            return User.objects.select_related("organisation").get(pk=self.ids[who])

    @property
    def ids(self) -> dict[str, UUID]:
        return {name: person.pk for name, person in self.everyone.items()}

    everyone: ClassVar[dict[str, User]]

    @rule(
        by=st.sampled_from(SUPERVISORS),
        to=st.sampled_from(PEOPLE),
        case=st.sampled_from(["first", "second"]),
        permissions=st.sets(st.sampled_from(sorted(EVERY)), min_size=1, max_size=3),
        days=st.integers(min_value=1, max_value=29),
    )
    def issue(self, by: str, to: str, case: str, permissions: set[CasePermission], days: int) -> None:
        """Give access, or give it longer: whoever has some of it keeps the later word."""
        end = timezone.now() + timedelta(days=days) + HALF_AN_HOUR
        receiver = self.model.people[to]
        allowed = (
            self.model.may(by, case, CasePermission.VIEW)
            and self.model.people[by].role == "supervisor"
            and receiver.role == "investigator"
            and receiver.is_active
            and to != by
        )
        with self.acts(by, allowed):
            actions.issue(
                self.records[case],
                self.person(to),
                permissions,
                purpose=Purpose.REACH,
                reason="",
                until=end,
                by=self.person(by),
            )
        if allowed:
            self.model.give(to, case, {*permissions, CasePermission.VIEW}, end)

    @rule(
        by=st.sampled_from(SUPERVISORS),
        of=st.sampled_from(INVESTIGATORS),
        case=st.sampled_from(["first", "second"]),
    )
    def revoke(self, by: str, of: str, case: str) -> None:
        sees = self.model.may(by, case, CasePermission.VIEW) and self.model.people[by].role == "supervisor"
        allowed = sees and self.model.holds(of, case)
        with self.acts(by, allowed):
            actions.revoke(self.records[case], self.person(of), by=self.person(by))
        if allowed:
            self.model.take(of, case)

    @rule(hours=st.sampled_from([1, 26, 24 * 8, 24 * 31]))
    def clock(self, hours: int) -> None:
        """Time passes: the rows move into the past, because the database's clock cannot be turned."""
        by = timedelta(hours=hours)
        self.as_owner(
            "update access_casegrant set starts_at = starts_at - %s, expires_at = expires_at - %s", [by, by]
        )
        self.model.pass_time(by)

    @rule(case=st.sampled_from(["first", "second"]), place=st.sampled_from(PLACES))
    def move_case(self, case: str, place: str) -> None:
        self.as_owner(
            "update cases_case set district_id = %s where id = %s",
            [self.places[place].pk, self.records[case].pk],
        )
        self.model.cases[case] = place

    @rule(place=st.sampled_from(PLACES), city=st.sampled_from(CITIES))
    def move_district(self, place: str, city: str) -> None:
        """A district is put under another city: its cases are seen from there at once."""
        allowed = self.model.cities[place] != city
        district, above = self.fresh(self.places[place]), self.fresh(self.places[city])
        with self.acts("secadmin", allowed):
            organisations.move(district, above, by=self.person("secadmin"))
        self.model.cities[place] = city

    @rule(
        who=st.sampled_from(INVESTIGATORS),
        case=st.sampled_from(["first", "second"]),
        hours=st.sampled_from([1, 24]),
    )
    def break_glass(self, who: str, case: str, hours: int) -> None:
        """Emergency access to any case, granted or not: little, short, and not often."""
        allowed = self.model.may_break_glass(who, case)
        with self.acts(who, allowed):
            emergency.break_glass(
                self.records[case].case_no,
                EmergencyAccess.Reason.LIFE,
                words="",
                hours=hours,
                by=self.person(who),
            )
        if allowed:
            self.model.break_glass(who, case, timezone.now() + timedelta(hours=hours))

    @rule(
        who=st.sampled_from(["colleague", "outsider"]),
        role=st.sampled_from(["investigator", "supervisor", "auditor"]),
    )
    def change_role(self, who: str, role: str) -> None:
        self.as_owner("update access_user set role = %s where id = %s", [role, self.ids[who]])
        if self.model.people[who].role != role:
            self.model.people[who].role = role
            self.start_anew(who)

    @rule(who=st.sampled_from(PEOPLE), is_active=st.booleans())
    def deactivate(self, who: str, is_active: bool) -> None:
        self.as_owner("update access_user set is_active = %s where id = %s", [is_active, self.ids[who]])
        if self.model.people[who].is_active != is_active:
            self.model.people[who].is_active = is_active
            self.start_anew(who)

    def start_anew(self, who: str) -> None:
        """Whoever becomes another, or stops, loses every grant and every open session."""
        for case in self.records:
            self.model.take(who, case)
        assert self.clients[who].get("/api/v1/cases").status_code in (401, 403), who
        if self.model.people[who].is_active:
            with trail.audit_job("test.sign_in"):
                self.clients[who].force_login(self.person(who), backend="access.backends.RoleBackend")

    @invariant()
    def every_way_to_ask_agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        for who in PEOPLE:
            person = self.person(who)
            expected = {p: {c for c in self.records if self.model.may(who, c, p)} for p in EVERY}
            for way in (self.by_visible_to, self.by_has_perm):
                assert way(person) == expected, (who, way.__name__)
            assert self.by_forgotten_filter(person) == expected[CasePermission.VIEW], who
            assert self.by_keys(person) == {p: expected[p] for p in CLASSES}, who
            assert self.by_request(who) == expected[CasePermission.VIEW], who

    def by_visible_to(self, person: User) -> dict[CasePermission, set[str]]:
        with transaction.atomic(), acting_as(person):
            found = {p: set(Case.objects.visible_to(person, p).values_list("pk", flat=True)) for p in EVERY}
        return {p: self.named(ids) for p, ids in found.items()}

    def by_has_perm(self, person: User) -> dict[CasePermission, set[str]]:
        with transaction.atomic(), acting_as(person):
            return {
                p: {name for name, case in self.records.items() if person.has_perm(f"cases.{p}", case)}
                for p in EVERY
            }

    def by_forgotten_filter(self, person: User) -> set[str]:
        """Every row that PostgreSQL shows; roles that never touch a case are denied the table itself."""
        works = person.role in ("investigator", "supervisor")
        try:
            return self.named({pk for (pk,) in self.rows(person, "select id from cases_case")})
        except ProgrammingError:
            assert not works
            return set()

    def by_keys(self, person: User) -> dict[CasePermission, set[str]]:
        scopes = [case.pk for case in self.records.values()]
        rows = self.rows(person, "select scope_id, data_class from sec.keys(%s::uuid[])", [scopes])
        return {
            permission: self.named({scope for scope, code in rows if code == data_class.code})
            for data_class, permission in CLASS_PERMISSIONS.items()
        }

    def by_request(self, who: str) -> set[str]:
        statuses = {
            name: self.clients[who].get(f"/api/v1/cases/{case.pk}").status_code
            for name, case in self.records.items()
        }
        person = self.model.people[who]
        works = person.is_active and person.role in ("investigator", "supervisor")
        assert set(statuses.values()) <= ({200, 404} if works else {401, 403}), (who, statuses)
        return {name for name, status in statuses.items() if status == 200}

    def named(self, ids: set[UUID]) -> set[str]:
        return {name for name, case in self.records.items() if case.pk in ids}

    def rows(self, person: User, statement: str, parameters: Any = ()) -> list[Any]:
        with transaction.atomic(), acting_as(person), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    @staticmethod
    def fresh(place: Organisation) -> Organisation:
        with transaction.atomic(), acting_as_owner():
            return Organisation.objects.select_related("parent").get(pk=place.pk)

    @staticmethod
    def as_owner(statement: str, parameters: Any) -> None:
        with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    @contextmanager
    def acts(self, by: str, allowed: bool) -> Iterator[None]:
        """Act as the person; what may not be is refused, by the action or by PostgreSQL."""
        refused = False
        try:
            with factories.as_person(self.person(by)):
                yield
        except (
            actions.GrantRefused,
            emergency.EmergencyRefused,
            organisations.OrganisationRefused,
            DatabaseError,
        ):
            refused = True
        assert refused != allowed, (by, "refused" if refused else "let through")


def everyone(world: Any, other_city: Organisation) -> dict[str, User]:
    made = {"city_supervisor": world.city, "other_city_supervisor": other_city}
    with factories.as_owner():
        cities = {name: factories.user(name, "supervisor", place) for name, place in made.items()}
    return {**{name: getattr(world, name) for name in (*PEOPLE, "secadmin") if name not in made}, **cities}


def prepare(world: Any, machine: type[Access]) -> None:
    machine.world = world
    with factories.as_owner():
        other_city = factories.organisation("990200", "city", world.province, "邻市")
    machine.everyone = everyone(world, other_city)
    machine.records = {"first": world.case, "second": factories.case(world.outsider, world.outbreak)}
    machine.places = {name: getattr(world, name) for name in (*PLACES, "city")}
    machine.places["other_city"] = other_city
    signed_in = {name: browsing.signed_in(person) for name, person in machine.everyone.items()}
    machine.cookies = {name: client.cookies.output(header="", sep=";") for name, client in signed_in.items()}


def run(world: Any, machine: type[Access]) -> None:
    prepare(world, machine)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not IS_LONG,
            database=None,
            suppress_health_check=list(HealthCheck),
            # Making a failure small takes minutes: only when somebody looks for it.
            phases=(Phase.generate, Phase.shrink) if IS_LONG else (Phase.generate,),
        ),
    )


def test_model_filter_policies_permissions_pages_and_keys_agree(world: Any) -> None:
    run(world, Access)


def test_one_path_that_takes_every_step(world: Any) -> None:
    """Chance may leave a rule out of a short run; this path takes each, and some twice."""
    prepare(world, Access)
    machine = Access()
    try:
        machine.begin()
        for step in (
            lambda: machine.issue("supervisor", "outsider", "first", {CasePermission.REACH}, 5),
            lambda: machine.issue("other_supervisor", "outsider", "first", {CasePermission.HEALTH}, 5),
            lambda: machine.issue("supervisor", "outsider", "first", {CasePermission.REACH}, 20),
            lambda: machine.clock(24 * 8),
            lambda: machine.move_district("district", "other_city"),
            lambda: machine.move_district("district", "other_city"),
            lambda: machine.issue("city_supervisor", "colleague", "first", {CasePermission.REACH}, 5),
            lambda: machine.issue("other_city_supervisor", "colleague", "first", {CasePermission.REACH}, 5),
            lambda: machine.break_glass("colleague", "first", 1),
            lambda: machine.break_glass("colleague", "second", 24),
            lambda: machine.break_glass("outsider", "first", 1),
            lambda: machine.clock(1),
            lambda: machine.revoke("other_supervisor", "colleague", "second"),
            lambda: machine.move_case("first", "other_district"),
            lambda: machine.revoke("supervisor", "outsider", "first"),
            lambda: machine.revoke("other_supervisor", "outsider", "first"),
            lambda: machine.change_role("outsider", "supervisor"),
            lambda: machine.deactivate("outsider", False),
            lambda: machine.deactivate("outsider", True),
            lambda: machine.change_role("outsider", "auditor"),
            lambda: machine.clock(24 * 31),
        ):
            step()
            machine.every_way_to_ask_agrees()
    finally:
        machine.teardown()


@pytest.mark.parametrize(
    "break_it",
    [
        lambda: ("alter table cases_case disable row level security",),
        lambda: (
            "drop policy if exists planted on cases_case",
            "create policy planted on cases_case for select to ep_investigator using (true)",
        ),
    ],
)
def test_the_machine_notices_a_broken_fence(world: Any, break_it: Callable[[], tuple[str, ...]]) -> None:
    """A control: with a hole in the second fence, the first look at it fails."""
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        for statement in break_it():
            cursor.execute(statement)
    with pytest.raises(AssertionError):
        run(world, type("Broken", (Access,), {}))


def test_the_machine_notices_a_filter_that_knows_no_end(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Case.objects.all().__class__, "visible_to", lambda self, user, permission=None: self.all()
    )
    assert CaseGrant.objects.model is CaseGrant
    with pytest.raises(AssertionError):
        run(world, type("Broken", (Access,), {}))
