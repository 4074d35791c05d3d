"""Lists of supervisors beside the plain twin's, guardian's own way of asking, and how soon a revoked person is out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from guardian.shortcuts import get_objects_for_user

from access import actions
from access.actor import acting_as, acting_as_owner
from access.models import Organisation, User
from access.roles import Role
from audit import trail
from benchmarks import wsgi
from benchmarks.bench_cases import BACKEND
from benchmarks.loading import World
from benchmarks.measuring import Row, at_least, at_most, in_turn, ms, p50, p95, spread, timed
from benchmarks.sizes import Size
from benchmarks.twin import Twin
from cases import lists
from cases.models import Case
from cases.serializers import SHOWN
from vault import keyring

LEVELS = ("district", "city", "province")
AT_ONCE, WARM = 5, 2
COUNT_MS = 10


def run(world: World, twin: Twin, size: Size) -> list[Row]:
    """Rows for supervisors of the three levels, for guardian, and for a revocation."""
    rows: list[Row] = []
    for person in _supervisors(world):
        rows += _pages(person, world, twin, size)
    rows += _guardian(world, size)
    return [*rows, _revoked(world)]


def _supervisors(world: World) -> list[User]:
    places: dict[str, Organisation] = {"district": world.district}
    with trail.audit_job("bench"), acting_as_owner():
        for level in LEVELS[1:]:
            places[level] = Organisation.objects.select_related("parent__parent").get(level=level)
        new = [
            User(username=f"boss-{level}", display_name=level, role=Role.SUPERVISOR.value, organisation=place)
            for level, place in places.items()
        ]
        for person in new:
            person.language, person.password = "en", "!"
        return list(User.objects.bulk_create(new))


def _pages(person: User, world: World, twin: Twin, size: Size) -> list[Row]:
    """The first page of 50, alone and as a request; and the number of cases in the area."""
    level, place = person.organisation.level, person.organisation.pk
    (twin_id,) = twin.do("people", [person.username])
    twin.do("sign_in", [twin_id])
    with trail.audit_job("bench"):
        cookie = wsgi.signed_in(person, BACKEND)
    get = wsgi.caller()
    ways: dict[str, tuple[Callable[[], Any], Callable[[], float]]] = {
        "database and opening": (lambda: _walk(person), lambda: twin.do("area_walk", level, place)),
        "whole request, audit on": (
            lambda: get("/api/v1/cases", cookie),
            lambda: twin.do("area_list", twin_id, level, place),
        ),
    }
    rows = []
    for (name, (ours, theirs)), limit in zip(ways.items(), (1.8, 2.0), strict=True):
        mine, plain = _side_by_side(ours, theirs, size.rounds * 4)
        rows.append(
            at_most(
                f"supervisor of a {level}, 50 of {size.cases:,}: {name}, p95 against plain",
                p95(mine) / p95(plain),
                limit,
                "x",
                f"plain: {spread(plain)}; ours: {spread(mine)}",
            )
        )
    counted = in_turn({"count": lambda: _count(person, size.cases)}, 9)["count"]
    words = "the outbreak's page counts them; lists do not"
    return [*rows, at_most(f"cases of a {level} counted, p50", p50(counted) * 1e3, COUNT_MS, "ms", words)]


def _walk(person: User) -> None:
    with acting_as(person), keyring.session(), transaction.atomic():
        names = [case.full_name.masked for case in lists.page(person, shown=SHOWN).cases]
    if len(names) != lists.PAGE_SIZE or "•••" in names:
        raise RuntimeError("the list is not what was loaded")


def _count(person: User, expected: int) -> None:
    with acting_as(person), transaction.atomic():
        if Case.objects.visible_to(person).count() != expected:
            raise RuntimeError("the area has other cases than were loaded")


def _side_by_side(
    ours: Callable[[], Any], theirs: Callable[[], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Both sides' times, a few at a time, so that a busy moment hits both alike."""
    mine, plain = list[float](), list[float]()
    for number in range(rounds // AT_ONCE + WARM):
        first = [timed(ours) for _ in range(AT_ONCE)]
        second = [theirs() for _ in range(AT_ONCE)]
        if number >= WARM:
            mine += first
            plain += second
    return mine, plain


def _guardian(world: World, size: Size) -> list[Row]:
    """The newest 50 of one person's cases by guardian's own `get_objects_for_user`, beside ours."""
    person = world.measured[0].user

    def stock() -> None:
        with acting_as(person), transaction.atomic():
            found = get_objects_for_user(
                person, "cases.view_case", Case, use_groups=False, accept_global_perms=False
            )
            list(found.order_by("-sort_date", "-id").values_list("pk", flat=True)[:50])

    def ours() -> None:
        with acting_as(person), transaction.atomic():
            found = Case.objects.visible_to(person).newest_first()
            list(found.values_list("pk", flat=True)[:50])

    times = in_turn({"stock": stock, "ours": ours}, max(5, size.rounds // 2))
    stock_, ours_ = p50(times["stock"]), p50(times["ours"])
    beside = f"get_objects_for_user: {ms(stock_)}; visible_to: {ms(ours_)}; both under row security"
    name = f"keys of the newest 50 of my cases among {size.cases:,}, against guardian's own"
    return [at_least(f"{name}, p50", stock_ / ours_, None, "x faster", beside)]


def _revoked(world: World) -> Row:
    """Requests that still show the case after its access was revoked, plus one: the first that is refused."""
    holder = world.measured[-1]
    case_id = holder.newest[0]
    with trail.audit_job("bench"):
        cookie = wsgi.signed_in(holder.user, BACKEND)
    get = wsgi.caller()
    get(f"/api/v1/cases/{case_id}", cookie)
    boss = world.supervisor
    with trail.audit_job("bench", actions.ledger_actor(boss)), acting_as(boss):
        case = Case.objects.visible_to(boss).get(pk=case_id)
        seconds = timed(lambda: actions.revoke(case, holder.user, by=boss))
    for number in range(1, 10):
        try:
            get(f"/api/v1/cases/{case_id}", cookie)
        except RuntimeError as refused:
            if "404" not in str(refused):
                raise
            return at_most(
                "revoked access is refused in request number", number, 1, "", f"revoking: {ms(seconds)}"
            )
    raise RuntimeError("revoked access is not refused")
