"""Real commits, a worker that is really killed, and two downloads at the same moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from access.actor import acting_as_role
from audit.acts import Act
from audit.trail import audit_job, record
from disclosure import actions, building, tasks
from disclosure.models import Export
from tests import cast, factories
from tests.cast import World
from tests.disclosure.conftest import WITH_NAMES, again, approve, opened, passphrase_of, requested, rows

pytestmark = pytest.mark.database
ROOT = Path(__file__).resolve().parents[2]
# A worker in its own process that says when a batch is committed, then dawdles.
WORKER = """
import sys, time, uuid, django
django.setup()
from django.conf import settings
from tests import servers
from disclosure import building
name, place, export_id, size = sys.argv[1:]
servers.use_database(name)
settings.EPICASE_EXPORT_DIR = place
building.BATCH = int(size)
whole = building._batch
def slowly(plan, after):
    batch = whole(plan, after)
    print("committed", after + len(batch), flush=True)
    time.sleep(1)
    return batch
building._batch = slowly
building.build(uuid.UUID(export_id))
"""


@pytest.fixture
def committed(private_database: str) -> World:
    """A world with four cases, committed."""
    world = cast.build()
    for number in range(3):
        factories.case(world.investigator, world.outbreak, full_name=f"示例{number}")
    return world


@contextmanager
def worker(name: str, place: Path, export: Export, size: int = 2) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", WORKER, name, str(place), str(export.pk), str(size)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def fall_silent(export: Export) -> None:
    with acting_as_role("ep_job"), audit_job("test"):
        lost = Export.objects.get(pk=export.pk)
        lost.claimed_at = timezone.now() - timedelta(minutes=10)
        lost.save(update_fields=["claimed_at"])
        record(Act.JOB, lost)


def test_a_worker_killed_half_way_leaves_nothing_readable_and_is_replaced(
    committed: World, private_database: str, export_dir: Path, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = approve(committed, requested(committed, WITH_NAMES))
    with worker(private_database, export_dir, export) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "committed 2\n"
        running.send_signal(signal.SIGKILL)
        running.wait()
    half = again(committed, export)
    assert (half.status, half.n_done) == ("building", 2)
    assert [path.read_bytes() for path in export_dir.glob("**/*") if path.is_file()] == []
    assert len(events("export.rows")) == 1

    assert building.build(export.pk) == "not_waiting"
    fall_silent(export)
    asked: list[str] = []
    monkeypatch.setattr(tasks.build_export, "apply_async", lambda args, **_: asked.append(args[0]))
    assert tasks.resume_exports() == 1
    assert tasks.build_export(asked[0]) == "built"
    done = again(committed, export)
    assert (done.status, done.n_done, done.attempts) == ("built", 4, 2)
    [file] = list(export_dir.iterdir())
    found = rows(opened(file.read_bytes(), passphrase_of(committed, done)))
    assert len(found) == 5
    assert len({row[0] for row in found}) == 5
    assert len(events("export.built")) == 1


def test_two_workers_build_one_file(committed: World, private_database: str, export_dir: Path) -> None:
    export = approve(committed, requested(committed))
    with worker(private_database, export_dir, export) as running:
        assert running.stdout is not None
        running.stdout.readline()
        assert building.build(export.pk) == "not_waiting"
        assert running.wait(timeout=60) == 0
    assert again(committed, export).status == "built"
    assert len(list(export_dir.iterdir())) == 1


def test_of_two_downloads_at_once_one_is_given(
    committed: World, private_database: str, export_dir: Path, events: Any
) -> None:
    export = approve(committed, requested(committed))
    assert building.build(export.pk) == "built"
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def take() -> None:
        together.wait()
        try:
            with factories.as_person(committed.investigator):
                _taken, file = actions.download_once(export, by=committed.investigator)
                file.close()
            outcomes.append("given")
        except actions.AlreadyDownloaded:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["given", "refused"]
    assert len(events("export.download")) == 1


def test_no_byte_leaves_when_the_event_cannot_be_written(
    committed: World, signed_in: Any, export_dir: Path
) -> None:
    export = approve(committed, requested(committed))
    assert building.build(export.pk) == "built"
    browser = signed_in(committed.investigator)
    with factories.as_owner(), connection.cursor() as cursor:
        cursor.execute("revoke insert on audit_touch from ep_none, ep_investigator")
    answer = browser.post(f"/disclosure/{export.pk}/download/")
    assert answer.status_code == 503
    assert not answer.streaming
    assert again(committed, export).status == "built"
    assert len(list(export_dir.iterdir())) == 1
