"""A person's list and cases, protected, beside the same on plain Django."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from django.db import transaction

from access.actor import acting_as, acting_as_owner
from audit import trail
from benchmarks import wsgi
from benchmarks.loading import Person, World
from benchmarks.measuring import Row, at_least, at_most, in_turn, ms, p50, p95, spread, timed
from benchmarks.sizes import Size
from benchmarks.twin import Twin
from cases import lists
from cases.models import Case
from cases.serializers import SHOWN
from vault import keyring

AT_ONCE = 5
WARM = 2
BACKEND = "access.backends.RoleBackend"
SEALED = ("full_name", "phone", "id_number")
Pair = tuple[list[float], list[float]]
Ours = Callable[[Person], Any]
Theirs = Callable[[list[Person]], list[float]]


def lists_and_requests(world: World, twin: Twin, size: Size) -> list[Row]:
    """The page of 50 of my cases, alone and as a request, and one case as a request."""
    get, cookies = wsgi.caller(), _cookies(world)
    walk = _side_by_side(world, size, _walk, lambda people: twin.do("walk", [p.twin_id for p in people]))
    whole = _side_by_side(
        world,
        size,
        lambda person: get("/api/v1/cases", cookies[person.twin_id]),
        lambda people: twin.do("list", [p.twin_id for p in people]),
    )
    chance = random.Random(1)
    chosen = {person.twin_id: str(chance.choice(person.newest)) for person in world.measured}
    one = _side_by_side(
        world,
        size,
        lambda person: get(f"/api/v1/cases/{chosen[person.twin_id]}", cookies[person.twin_id]),
        lambda people: twin.do("detail", [(p.twin_id, chosen[p.twin_id]) for p in people]),
    )
    of = f"50 of my cases among {size.cases:,}"
    return [
        *_ratios(f"list of {of}: database and opening", walk, limit=1.8),
        *_ratios(f"list of {of}: whole request, audit on", whole, limit=2.0),
        *_ratios("one case, 12 sealed fields: whole request, audit on", one, limit=None),
        _served("requests served: list", whole),
        _served("requests served: one case", one),
    ]


def _side_by_side(world: World, size: Size, ours: Ours, theirs: Theirs) -> Pair:
    """Both sides' times, a few people at a time, so that a busy moment hits both alike."""
    mine: list[float] = []
    plain: list[float] = []
    for number in range(size.rounds + WARM):
        for start in range(0, len(world.measured), AT_ONCE):
            people = world.measured[start : start + AT_ONCE]
            first = [timed(lambda person=person: ours(person)) for person in people]
            second = theirs(people)
            if number >= WARM:
                mine += first
                plain += second
    return mine, plain


def _walk(person: Person) -> None:
    """BEGIN, the person put on, grants, rows, keys, masked names, COMMIT."""
    with acting_as(person.user), keyring.session(), transaction.atomic():
        names = [case.full_name.masked for case in lists.page(person.user, shown=SHOWN).cases]
    if len(names) != lists.PAGE_SIZE or "•••" in names:
        raise RuntimeError("the list is not what was loaded")


def _cookies(world: World) -> dict[int, str]:
    with trail.audit_job("bench"):
        return {p.twin_id: wsgi.signed_in(p.user, BACKEND) for p in world.measured}


def _ratios(name: str, pair: Pair, limit: float | None) -> list[Row]:
    ours, plain = pair
    beside = f"plain: {spread(plain)}; ours: {spread(ours)}"
    return [
        at_most(f"{name}, p95 against plain", p95(ours) / p95(plain), limit, "x", beside),
        at_most(f"{name}, p50 against plain", p50(ours) / p50(plain), None, "x", beside),
    ]


def _served(name: str, pair: Pair) -> Row:
    ours, plain = (len(times) / sum(times) for times in pair)
    beside = f"plain Django: {plain:.0f}/s; ours: {ours:.0f}/s (one process, one client)"
    return at_least(f"{name}, against plain", ours / plain, 0.5, "x", beside)


def may_see(world: World, size: Size) -> list[Row]:
    """Whether a user may see a case: the statement alone, and fetching it in a transaction of its own."""
    chance, statement, fetch = random.Random(2), list[float](), list[float]()
    for number in range(size.writes + 20):
        person = chance.choice(world.measured)
        case_id = chance.choice(person.newest if number % 2 else world.cases)
        with acting_as(person.user), transaction.atomic():
            Case.objects.visible_to(person.user).filter(pk=None).exists()
            asked = timed(lambda: Case.objects.visible_to(person.user).filter(pk=case_id).exists())  # noqa: B023
        fetched = timed(lambda: _fetch(person, case_id))  # noqa: B023
        if number >= 20:
            statement.append(asked)
            fetch.append(fetched)
    half = "half of them may not be seen"
    question = "may this user see this case"
    return [
        at_most(
            f"{question}: statement, p95", p95(statement) * 1e3, 1, "ms", f"p50 {ms(p50(statement))}; {half}"
        ),
        at_most(
            f"{question}: fetched in its own transaction, p95",
            p95(fetch) * 1e3,
            2.5,
            "ms",
            f"p50 {ms(p50(fetch))}; {half}",
        ),
    ]


def _fetch(person: Person, case_id: Any) -> None:
    with acting_as(person.user), transaction.atomic():
        Case.objects.visible_to(person.user).filter(pk=case_id).first()


def unread_columns(world: World, size: Size) -> list[Row]:
    """Rows with three sealed columns that nobody reads, against the same rows without them."""

    def read(*names: str) -> None:
        with acting_as_owner(), transaction.atomic():
            found = list(Case.objects.only("id", "case_no", "status", *names)[: size.listed])
        if len(found) != size.listed:
            raise RuntimeError("rows are missing")

    times = in_turn({"whole": lambda: read(*SEALED), "deferred": read}, 9, warm=2)
    whole, deferred = p50(times["whole"]), p50(times["deferred"])
    name = f"{size.listed:,} rows listed from the database without reading 3 sealed columns"
    return [at_most(name, whole / deferred, 1.6, "x", f"deferred: {ms(deferred)}; whole: {ms(whole)}")]
