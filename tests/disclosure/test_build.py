"""Building the file: what is in it, who opened what, and what happens when something ends half-way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from access import actions as access_actions
from access.actor import acting_as_role
from access.models import CaseGrant
from audit.acts import Act
from audit.trail import audit_job, record
from cases.models import Case
from disclosure import actions, building, tasks
from disclosure.marks import marks_in
from disclosure.models import MOST_ATTEMPTS, Export
from tests import factories
from tests.cast import World
from tests.disclosure.conftest import WITH_NAMES, again, opened, passphrase_of, rows

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Asking = Callable[..., Export]


def test_the_file_holds_exactly_the_rows_and_fields_asked_for(
    world: World, more_cases: list[Case], built: Asking, export_dir: Path
) -> None:
    export = built(WITH_NAMES)
    content = (export_dir / export.file_name).read_bytes()
    [heading, *found] = rows(opened(content, passphrase_of(world, export)))
    assert heading == ["Case number", "Name", "Phone", "Symptoms"]
    assert [row[0] for row in found] == sorted(case.case_no for case in more_cases)
    assert {row[1] for row in found} == {factories.NAME, "示例9", "示例41", "示例85"}
    assert {row[2] for row in found} == {factories.PHONE}


def test_ages_leave_in_bands_and_codes_as_words(
    world: World, more_cases: list[Case], built: Asking, export_dir: Path
) -> None:
    export = built()
    found = rows(opened((export_dir / export.file_name).read_bytes(), passphrase_of(world, export)))
    assert [row[3] for row in found[1:]] == ["30-39", "0-9", "40-49", "80+"]
    assert found[1][1].startswith("Confirmed")


def test_the_trace_code_of_the_file_is_the_code_of_its_events(
    world: World, built: Asking, events: Any, export_dir: Path
) -> None:
    export = built(WITH_NAMES)
    found = marks_in(opened((export_dir / export.file_name).read_bytes(), passphrase_of(world, export)))
    [done] = events("export.built")
    assert found["property"] == found["hidden_name"] == export.trace_code == done["trace"]
    assert export.trace_code in found["footer"]
    assert {one["trace"] for one in events("export.rows")} == {export.trace_code}
    assert {one["trace"] for one in events("export.build")} == {export.trace_code}


def test_every_opened_value_is_on_the_log_in_the_requesters_name(
    world: World, more_cases: list[Case], built: Asking, events: Any
) -> None:
    built(WITH_NAMES)
    [batch] = events("export.rows")
    assert batch["actor"]["id"] == str(world.investigator.pk)
    assert batch["purpose"] == "P8"
    assert batch["touches"] >= len(more_cases)
    assert "full_name" in str(batch)
    for planted in (factories.NAME, factories.PHONE):
        assert planted not in str(events())


def test_nothing_personal_stands_in_the_tables_of_exports(world: World, built: Asking) -> None:
    export = built(WITH_NAMES)
    with factories.as_owner():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("select e::text from disclosure_export e where id = %s", [export.pk])
            text = cursor.fetchone()[0]
    for planted in (factories.NAME, factories.PHONE, passphrase_of(world, export)):
        assert planted not in text
        assert planted.encode().hex() not in text


def test_a_grant_that_ran_out_before_building_fails_it_and_nothing_is_kept(
    world: World, more_cases: list[Case], approved: Asking, events: Any, export_dir: Path
) -> None:
    export = approved(WITH_NAMES)
    with factories.as_owner():
        CaseGrant.objects.filter(content_object_id=more_cases[2].pk).update(
            starts_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1)
        )
    assert building.build(export.pk) == "failed"
    assert again(world, export).failure == "grant_ended"
    assert list(export_dir.glob("*")) == []
    [failure] = events("export.failed")
    assert failure["outcome"] == 2


def test_a_grant_that_ends_between_batches_fails_it(
    world: World, more_cases: list[Case], approved: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "BATCH", 2)
    export = approved(WITH_NAMES)
    whole, calls = building._batch, []

    def then_revoked(plan: Any, after: int) -> Any:
        batch = whole(plan, after)
        if not calls:
            with factories.as_person(world.supervisor):
                access_actions.revoke(more_cases[3], world.investigator, by=world.supervisor)
        calls.append(len(batch))
        return batch

    monkeypatch.setattr(building, "_batch", then_revoked)
    assert building.build(export.pk) == "failed"
    assert calls == [2]
    assert again(world, export).status == "cancelled"


def test_progress_is_noted_with_every_batch(
    world: World, more_cases: list[Case], approved: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "BATCH", 3)
    export = approved()
    plan = building.claim(export.pk)
    assert plan is not None
    seen = []
    for number, _row in enumerate(building.rows(plan), start=1):
        seen.append((number, again(world, export).n_done))
    assert seen == [(1, 3), (2, 3), (3, 3), (4, 4)]


def test_a_claimed_export_is_not_built_twice(world: World, approved: Asking) -> None:
    export = approved()
    assert building.claim(export.pk) is not None
    assert building.build(export.pk) == "not_waiting"


def test_a_silent_worker_is_replaced_and_can_no_longer_finish(
    world: World, more_cases: list[Case], approved: Asking, export_dir: Path
) -> None:
    export = approved()
    first = building.claim(export.pk)
    assert first is not None
    next(building.rows(first))
    fall_silent(export)
    assert building.build(export.pk) == "built"
    with pytest.raises(building.LostClaim):
        list(building.rows(first))
    done = again(world, export)
    assert done.status == "built"
    assert done.trace_code != first.mark.trace_code
    assert [path.name for path in export_dir.iterdir()] == [done.file_name]


def test_building_is_given_up_after_several_attempts(world: World, approved: Asking) -> None:
    export = approved()
    for _ in range(MOST_ATTEMPTS):
        assert building.claim(export.pk) is not None
        fall_silent(export)
    assert building.build(export.pk) == "not_waiting"
    assert (again(world, export).status, again(world, export).failure) == ("failed", "gave_up")


def test_withdrawn_while_building_ends_the_build(world: World, approved: Asking, export_dir: Path) -> None:
    export = approved()
    plan = building.claim(export.pk)
    assert plan is not None
    with factories.as_person(world.investigator):
        actions.withdraw(export, by=world.investigator)
    with pytest.raises(building.LostClaim):
        list(building.rows(plan))


def test_a_request_nobody_approved_is_not_built(world: World, ask: Asking) -> None:
    assert building.build(ask().pk) == "not_waiting"


def test_the_sweep_queues_what_waits_and_survives_a_dead_broker(
    world: World, approved: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = approved()
    asked: list[str] = []
    monkeypatch.setattr(tasks.build_export, "apply_async", lambda args, **_: asked.append(args[0]))
    assert tasks.resume_exports() == 1
    assert asked == [str(export.pk)]

    def dead(*_args: Any, **_options: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(tasks.build_export, "apply_async", dead)
    assert tasks.resume_exports() == 0


def fall_silent(export: Export) -> None:
    """The worker's last sign of life is long ago."""
    with acting_as_role("ep_job"), audit_job("test"):
        lost = Export.objects.get(pk=export.pk)
        lost.claimed_at = timezone.now() - timedelta(minutes=10)
        lost.save(update_fields=["claimed_at"])
        record(Act.JOB, lost)
