"""The ledger: what an act costs, how fast it is sealed, checked and searched."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models.signals import pre_delete, pre_save

from access.actions import ledger_actor
from access.actor import acting_as, acting_as_owner, acting_as_role
from audit import capture, context, partitions, sealing, search, trail, writing
from audit.acts import Act
from audit.context import Context
from audit.drafts import EventDraft, ObjectRef
from audit.identifiers import uuid7
from benchmarks import loading, stage
from benchmarks.loading import World
from benchmarks.measuring import Row, at_least, at_most, ms, p50, p95, spread, timed
from benchmarks.sizes import Size
from cases.models import Case
from vault import keyring

SPREAD_DAYS = 60
TOUCH_COLUMNS = ("occurred_at", "event_id", "object_id", "subject_h")
LARGE = 10_000_000


# One act ------------------------------------------------------------------------------------------------


def audit_cost(world: World, size: Size) -> list[Row]:
    """One changed case in a transaction: act, capture and event, against the same change without them."""
    person, audited, bare = world.measured[0], list[float](), list[float]()
    with acting_as(person.user), transaction.atomic():
        case = Case.objects.visible_to(person.user).get(pk=person.newest[0])
    for number in range(size.writes + 20):
        case.status = "review" if number % 2 else "investigating"
        with_it = timed(lambda: _change(person.user, case, audit=True))
        case.status = "returned"
        with _uncaptured(Case):
            without = timed(lambda: _change(person.user, case, audit=False))
        if number >= 20:
            audited.append(with_it)
            bare.append(without)
    cost = (p50(audited) - p50(bare)) * 1e3
    beside = f"the transaction without audit: {spread(bare)}; with: {spread(audited)}"
    return [
        at_most(
            "audit cost of one act in a write transaction, capture included, p50", cost, 0.5, "ms", beside
        )
    ]


def _change(user: Any, case: Case, *, audit: bool) -> None:
    job = Context(kind="job", reason="bench", actor=ledger_actor(user))
    with context.opened(job), keyring.session(), acting_as(user), transaction.atomic():
        case.save(update_fields=["status"])
        if audit:
            trail.record(Act.CASE_CHANGE, case, fields=["status"], extra={"status": case.status})
            trail.flush()


@contextmanager
def _uncaptured(model: Any) -> Iterator[None]:
    """The model as if no ledger watched it."""
    auditlog.unregister(model)
    for signal in (pre_save, pre_delete):
        signal.disconnect(sender=model, dispatch_uid=f"audit.guard.{model._meta.label}")
    try:
        yield
    finally:
        capture.register(model)


# Many events --------------------------------------------------------------------------------------------


def whole_ledger(world: World, size: Size) -> list[Row]:
    """Loads events, seals them, checks the whole tree, and searches it."""
    with transaction.atomic(), acting_as_owner():
        partitions.ensure_ahead(6, today=(datetime.now(UTC) - timedelta(days=SPREAD_DAYS)).date())
        ContentType.objects.get_for_model(Case)  # remembered: loading happens outside a transaction
    _seal_all()
    _load_events(world, size.events - size.backlog)
    early = _seal_all()
    _load_events(world, size.backlog)
    began = time.perf_counter()
    backlog = _seal_all()
    drained = time.perf_counter() - began
    rate = size.backlog / drained
    limit = 5 * size.backlog / 100_000
    beside = f"batches of {sealing.BATCH:,} with {size.events - size.backlog:,} events sealed before: " + (
        f"{sealing.BATCH / p50(early):,.0f}/s while these were sealed" if len(early) > 1 else ""
    )
    return [
        at_least("sealing, checkpoints signed and published", rate, 30_000, "events/s", beside),
        at_most(f"backlog of {size.backlog:,} events drained", drained, limit, "s", f"{len(backlog)} rounds"),
        *_verified(size),
        *_searched(world, size),
    ]


def _load_events(world: World, count: int) -> None:
    """Events as the trail writes them, with their touch rows and their places in the queue."""
    chance = random.Random(count)
    jobs = [
        Context(kind="request", actor=ledger_actor(user), view="bench", method="GET") for user in world.people
    ]
    start, step = datetime.now(UTC) - timedelta(days=SPREAD_DAYS), timedelta(days=SPREAD_DAYS) / count
    events, touches, queue = [], [], []
    for number in range(count):
        at = start + step * number
        draft = _draft(chance, world.cases, at)
        event_id = uuid7(int(at.timestamp() * 1e9))
        touched = writing._touched(draft)
        events.append(writing._row(draft, chance.choice(jobs), event_id, touched))
        touches += [(at, event_id, object_id, subject) for object_id, subject in touched]
        queue.append((event_id, at))
        if len(events) == 50_000 or number == count - 1:
            _store(events, touches, queue)
            events, touches, queue = [], [], []
    stage.settle()


def _store(events: list[Any], touches: list[Any], queue: list[Any]) -> None:
    with stage.loading(settled=False) as target:
        loading.copy(target, "audit_event", writing._COLUMNS, events)
        loading.copy(target, "audit_touch", TOUCH_COLUMNS, touches)
        loading.copy(target, "audit_pending", ("event_id", "occurred_at"), queue)


def _draft(chance: random.Random, cases: list[UUID], at: datetime) -> EventDraft:
    """Mostly looks at one case; now and then a list of ten, or an opened value."""
    case_id = chance.choice(cases)
    subject = ObjectRef(
        "cases.case", str(case_id), case_id, f"BN-2026-{case_id.int % 10**6:06d}", frozenset({case_id})
    )
    kind = chance.randrange(20)
    if kind == 0:
        ids = chance.sample(cases, 10)
        others = [ObjectRef("cases.case", str(one), one, "", frozenset({one})) for one in ids]
        return EventDraft(Act.CASE_LIST, others=others, counts={"cases": 10}, at=at)
    if kind < 4:
        return EventDraft(
            Act.REVEAL, subject, fields=("phone",), data_classes=("reach",), purpose="P4", at=at
        )
    return EventDraft(Act.CASE_VIEW, subject, at=at)


def _seal_all() -> list[float]:
    """Seal until nothing waits; the time of each full round."""
    rounds = []
    with acting_as_role("ep_sealer"):
        while True:
            began = time.perf_counter()
            report = sealing.seal_pending()
            if report.altered or report.missing:
                raise RuntimeError(f"the loaded events are not whole: {report}")
            if report.sealed < sealing.BATCH:
                return rounds or [time.perf_counter() - began]
            rounds.append(time.perf_counter() - began)


# Checking -----------------------------------------------------------------------------------------------


def _verified(size: Size) -> list[Row]:
    leaves, took, grown = _verify(bodies=0)
    _, whole, _ = _verify(bodies=None)
    beside, tree = f"{leaves:,} leaves in {took:.2f} s", f"the tree alone: {took:.2f} s"
    return [
        at_most(
            f"verify {LARGE:,} leaves, extrapolated from {leaves:,}", took * LARGE / leaves, 60, "s", beside
        ),
        at_most("verify: memory grown by", grown, 50, "MB", f"{leaves:,} leaves"),
        at_most(f"verify {leaves:,} events, bodies and columns too", whole, None, "s", tree),
    ]


def _verify(bodies: int | None) -> tuple[int, float, float]:
    """In a process of its own, so that the peak of memory is its own: leaves, seconds, megabytes."""
    command = [sys.executable, "-m", "benchmarks.verifying", json.dumps(bodies)]
    answer = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=stage.CHECKOUT, env=dict(os.environ)
    )
    leaves, took, grown = json.loads(answer.stdout.splitlines()[-1])
    return leaves, took, grown


# Searching ----------------------------------------------------------------------------------------------


def _searched(world: World, size: Size) -> list[Row]:
    chance = random.Random(3)
    ways = {
        "by user": lambda: search.Filters(actor_id=chance.choice(world.people).pk),
        "by record": lambda: search.Filters(object_id=chance.choice(world.cases)),
        "by user, act and time": lambda: search.Filters(
            actor_id=chance.choice(world.people).pk,
            acts=[Act.REVEAL],
            until=datetime.now(UTC) - timedelta(days=9),
        ),
        "newest": search.Filters,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(size.searches):
        for name, make in ways.items():
            times[name].append(_search(world, make()))
    over = f"auditor's search over {size.events:,} events"
    return [
        at_most(f"{over}, {name}, p95", p95(taken) * 1e3, 50, "ms", f"p50 {ms(p50(taken))}")
        for name, taken in times.items()
    ]


def _search(world: World, filters: search.Filters) -> float:
    with acting_as(world.auditor), transaction.atomic():
        return timed(lambda: search.events(filters))
