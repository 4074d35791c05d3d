"""Row changes join the act they belong to: names and fingerprints, no values, no extra queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from access.actor import acting_as_owner
from audit import capture, context, trail
from audit.acts import Act
from audit.errors import (
    AuditOutsideContext,
    DirectWriteRefused,
    UnguardedBulk,
    UnnamedChange,
)
from audit.models import Event, Touch
from tests.audit import sample
from tests.audit.sample import PLANTED, Thing

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def job(db: None) -> Iterator[context.Context]:
    sample.make_table()
    with acting_as_owner(), trail.audit_job("test") as opened:
        yield opened
        opened.changes.clear()


def changes_of(act: Act) -> list[dict[str, Any]]:
    from audit import canonical

    trail.flush()
    body = Event.objects.filter(act=act).latest("occurred_at").body
    found: list[dict[str, Any]] = canonical.decode(bytes(body))["changes"]
    return found


def test_saving_asks_the_database_nothing_more(job: context.Context) -> None:
    thing = Thing.objects.create()
    thing = Thing.objects.get(pk=thing.pk)
    thing.status = "closed"
    with CaptureQueriesContext(connection) as queries:
        thing.save()
    assert [query["sql"].split()[0] for query in queries] == ["UPDATE"]


def test_only_allowed_codes_keep_their_values(job: context.Context) -> None:
    thing = Thing.objects.create()
    thing = Thing.objects.get(pk=thing.pk)
    thing.status, thing.note = "closed", PLANTED
    thing.save()
    trail.record(Act.CASE_CHANGE, thing)
    created, updated = changes_of(Act.CASE_CHANGE)
    assert created["how"] == "create"
    assert updated["fields"] == {"status": ["new", "closed"], "note": None}


def test_a_save_that_changes_nothing_is_no_change(job: context.Context) -> None:
    thing = Thing.objects.create()
    job.changes.clear()
    thing = Thing.objects.get(pk=thing.pk)
    thing.save()
    assert job.changes == []


def test_the_snapshot_follows_each_save(job: context.Context) -> None:
    thing = Thing.objects.create()
    job.changes.clear()
    thing.status = "a"
    thing.save(update_fields=["status"])
    thing.status = "b"
    thing.save()
    assert [change.fields for change in job.changes] == [{"status": ["new", "a"]}, {"status": ["a", "b"]}]


def test_deleting_is_a_change(job: context.Context) -> None:
    thing = Thing.objects.create()
    job.changes.clear()
    Thing.objects.filter(pk=thing.pk).delete()
    assert [change.how for change in job.changes] == ["delete"]


@pytest.mark.parametrize("statement", ["update", "bulk_create", "bulk_update"])
def test_bulk_statements_need_a_reason(job: context.Context, statement: str) -> None:
    things = [Thing(), Thing()]
    calls = {
        "update": lambda: Thing.objects.update(status="x"),
        "bulk_create": lambda: Thing.objects.bulk_create(things),
        "bulk_update": lambda: Thing.objects.bulk_update(things, ["status"]),
    }
    with pytest.raises(UnguardedBulk):
        calls[statement]()
    with capture.audited_bulk("test"):
        Thing.objects.bulk_create([Thing(), Thing()])
        job.changes.clear()
        calls[statement]()
    assert {change.how for change in job.changes} == {statement}
    assert len(job.changes) == 2


def test_a_change_outside_a_context_is_refused_before_it_happens(db: None) -> None:
    sample.make_table()
    with acting_as_owner(), transaction.atomic(), pytest.raises(AuditOutsideContext):
        Thing.objects.create()
    with acting_as_owner(), transaction.atomic():
        assert not Thing.objects.exists()


def test_an_act_outside_a_context_is_refused(db: None) -> None:
    with pytest.raises(AuditOutsideContext):
        trail.record(Act.CASE_LIST)


def test_an_unnamed_change_stops_the_flush(job: context.Context) -> None:
    Thing.objects.create()
    with pytest.raises(UnnamedChange):
        trail.flush()


def test_acts_claim_their_own_records(job: context.Context) -> None:
    mine, other = Thing.objects.create(), Thing.objects.create()
    trail.record(Act.CASE_CREATE, mine, claims=[mine])
    trail.record(Act.CONTACT_ADD, other)
    (change,) = changes_of(Act.CASE_CREATE)
    assert change["pk"] == str(mine.pk)
    (change,) = changes_of(Act.CONTACT_ADD)
    assert change["pk"] == str(other.pk)


def test_touch_rows_name_every_record_once(job: context.Context) -> None:
    things = [Thing.objects.create() for _ in range(3)]
    draft = trail.record(Act.CASE_LIST, subjects=things)
    trail.flush()
    touched = set(Touch.objects.filter(occurred_at=draft.at).values_list("object_id", flat=True))
    assert touched == {thing.pk for thing in things}
    event = Event.objects.get(occurred_at=draft.at)
    assert event.n_objects == 3


def test_thousands_of_changes_are_told_by_number(job: context.Context) -> None:
    with capture.audited_bulk("test"):
        Thing.objects.bulk_create([Thing() for _ in range(2000)])
    trail.record(Act.IMPORT_ROWS)
    (change,) = changes_of(Act.IMPORT_ROWS)
    assert change["n"] == 2000
    assert "keys_sha256" in change


def test_nested_jobs_keep_their_own_actors(db: None) -> None:
    sample.make_table()
    outer, inner = context.Actor(name="outer"), context.Actor(name="inner")
    with acting_as_owner(), trail.audit_job("outer", actor=outer):
        trail.record(Act.CASE_LIST)
        with trail.audit_job("inner", actor=inner):
            trail.record(Act.CASE_VIEW)
        trail.record(Act.CONTACT_LIST)
    with acting_as_owner(), transaction.atomic():
        found = dict(Event.objects.values_list("act", "actor_name"))
    assert found == {"case.list": "outer", "case.view": "inner", "contact.list": "outer"}


def test_events_are_written_by_the_trail_alone(job: context.Context) -> None:
    with pytest.raises(DirectWriteRefused):
        Event.objects.create()


@pytest.mark.parametrize(
    "given",
    [
        {"reason": "she is my neighbour"},
        {"purpose": "好奇"},
        {"extra": {"name": "Li Ming"}},
        {"fields": ["full name"]},
        {"counts": {"n": 1.5}},
    ],
)
def test_free_text_does_not_enter_the_ledger(job: context.Context, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="takes"):
        trail.record(Act.CASE_LIST, **given)
