"""Something dies or refuses at the worst moment: 503 or the whole answer, never half of it, and nothing unlogged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from access import actions as access_actions
from audit import signer, trail, writing
from disclosure import building
from tests import browsing, factories, servers
from tests.disclosure.conftest import again, approve, requested
from tests.security import raw
from tests.security.stage import Stage

pytestmark = pytest.mark.database
ROOT = Path(__file__).resolve().parents[2]
VALUES = (factories.NAME, factories.PHONE, factories.ID_NUMBER)
REVEAL = {"fields": ["full_name", "phone"], "purpose": "P2"}


def reveal_by_api(browser: Client, stage: Stage) -> Any:
    path = f"/api/v1/cases/{stage.world.case.pk}/reveal"
    return browser.post(path, REVEAL, content_type="application/json")


def reveal_by_page(browser: Client, stage: Stage) -> Any:
    return browser.post(f"/cases/{stage.world.case.pk}/reveal/full_name/", {"purpose": "P2"})


def give_access(browser: Client, stage: Stage) -> Any:
    words = {
        "case": str(stage.world.case.pk),
        "user": "outsider",
        "permissions": ["reveal_reach"],
        "purpose": "P4",
        "until": (timezone.now() + timedelta(days=3)).isoformat(),
    }
    return browser.post("/api/v1/grants", words, content_type="application/json")


WAYS = [reveal_by_api, reveal_by_page]


def events() -> int:
    return int(raw.owner_rows("select count(*) from audit_event")[0][0])


def state() -> list[Any]:
    return raw.owner_rows(
        "select (select count(*) from access_casegrant), (select count(*) from audit_event)"
    )


def refused(answer: Any) -> None:
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "no-store" in answer["Cache-Control"]
    assert not [value for value in VALUES if value in answer.content.decode()]


@contextmanager
def broken(breaking: str, mending: str) -> Iterator[None]:
    raw.as_owner(breaking)
    try:
        yield
    finally:
        raw.as_owner(mending)


@pytest.fixture
def investigator(committed: Stage) -> Client:
    return quiet(committed.world.investigator)


def quiet(person: Any) -> Client:
    browser = browsing.signed_in(person)
    browser.raise_request_exception = False
    return browser


@pytest.mark.parametrize("ask", WAYS)
def test_control_a_value_is_shown_and_logged(committed: Stage, investigator: Client, ask: Any) -> None:
    known = events()
    answer = ask(investigator, committed)
    assert answer.status_code == 200
    assert factories.NAME in answer.content.decode()
    assert events() > known


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize("table", ["audit_event", "audit_touch"])
def test_without_the_right_to_log_nothing_is_shown(
    committed: Stage, investigator: Client, ask: Any, table: str
) -> None:
    known = state()
    with broken(f"revoke insert on {table} from ep_none", f"grant insert on {table} to ep_none"):
        refused(ask(investigator, committed))
        refused(give_access(quiet_session(committed), committed))
    assert state() == known


_supervisors: dict[int, Client] = {}


def quiet_session(stage: Stage) -> Client:
    """The supervisor's browser, signed in before the log was broken."""
    return _supervisors[id(stage)]


@pytest.fixture(autouse=True)
def supervisor(committed: Stage) -> Client:
    if id(committed) not in _supervisors:
        _supervisors[id(committed)] = quiet(committed.world.supervisor)
    return _supervisors[id(committed)]


@pytest.mark.parametrize("ask", [*WAYS, give_access])
def test_a_backend_killed_before_the_flush_is_a_503_and_the_next_request_works(
    committed: Stage, investigator: Client, ask: Any, supervisor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = supervisor if ask is give_access else investigator
    known = state()

    def kill(*args: Any) -> None:
        url = servers.url_of(str(connection.settings_dict["NAME"]), "test")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s, 2000)", [connection.connection.info.backend_pid])
        honest(*args)

    honest = writing.write
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write", kill)
        refused(ask(browser, committed))
    assert state() == known
    assert ask(browser, committed).status_code in (200, 201)
    with factories.as_owner(), connection.cursor() as cursor:
        cursor.execute("delete from access_casegrant where user_id = %s", [committed.world.outsider.pk])


@pytest.mark.parametrize("ask", [*WAYS, give_access])
def test_a_commit_that_fails_shows_and_changes_nothing(
    committed: Stage, investigator: Client, supervisor: Client, ask: Any
) -> None:
    known = state()
    partitions = raw.owner_rows(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'audit_event'::regclass"
    )
    raw.as_owner(
        "create function late() returns trigger language plpgsql as $$ begin raise exception 'late'; end $$"
    )
    for (name,) in partitions:
        raw.as_owner(
            f"create constraint trigger late after insert on {name} deferrable initially deferred"
            " for each row execute function late()"
        )
    try:
        refused(ask(supervisor if ask is give_access else investigator, committed))
    finally:
        raw.as_owner("drop function late() cascade")
    assert state() == known


def test_revoking_acts_on_the_next_request(committed: Stage) -> None:
    world = committed.world
    browser = quiet(world.outsider)
    page = f"/api/v1/cases/{world.case.pk}"
    assert browser.get(page).status_code == 404
    factories.grant(world.case, world.outsider, world.supervisor)
    assert browser.get(page).status_code == 200
    assert reveal_by_api(browser, committed).status_code == 200
    with factories.as_person(world.supervisor):
        access_actions.revoke(world.case, world.outsider, by=world.supervisor)
    assert browser.get(page).status_code == 404
    assert reveal_by_api(browser, committed).status_code == 404


def test_revoking_ends_a_running_export_at_its_next_statement(
    committed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = committed.world
    export = approve(world, requested(world, ["case_no", "full_name"]))
    monkeypatch.setattr(building, "BATCH", 1)
    honest, batches = building._batch, []

    def revoking(plan: Any, after: int) -> Any:
        batches.append(after)
        batch = honest(plan, after)
        for case in (world.case, committed.second):
            raw.as_owner(f"delete from access_casegrant where content_object_id = '{case.pk}'")
        return batch

    monkeypatch.setattr(building, "_batch", revoking)
    assert building.build(export.pk) == "failed"
    assert len(batches) == 2
    assert again(world, export).failure == "grant_ended"
    for case in (world.case, committed.second):
        factories.grant(case, world.investigator, world.supervisor)


def in_child(work: Callable[[int], None]) -> tuple[bytes, bool]:
    """What a forked process sent before it ended, and whether it was killed."""
    connection.close()
    reading, sending = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            work(sending)
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(reading, "rb") as pipe:
        sent = pipe.read()
    _, status = os.waitpid(child, 0)
    return sent, os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def dying(honest: Callable[..., Any], moment: str) -> Callable[..., Any]:
    def killed(*args: Any, **words: Any) -> Any:
        if moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        honest(*args, **words)
        os.kill(os.getpid(), signal.SIGKILL)

    return killed


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("point", ["flush", "write", "commit", "none"])
def test_a_client_that_got_bytes_has_an_event(
    committed: Stage, investigator: Client, point: str, moment: str
) -> None:
    def serve(sending: int) -> None:
        if point == "flush":
            trail.flush = dying(trail.flush, moment)
        elif point == "write":
            writing.write = dying(writing.write, moment)
        elif point == "commit":
            connection.connect()
            live: Any = connection
            live._commit = dying(live._commit, moment)
        answer = reveal_by_api(investigator, committed)
        if point == "none" and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(sending, answer.content)

    known = events()
    sent, killed = in_child(serve)
    logged = events() - known
    assert killed == (point != "none" or moment == "before")
    if sent:
        assert factories.NAME.encode() in sent or json.dumps(factories.NAME)[1:-1].encode() in sent
        assert logged == 1
    if point in ("flush", "write") or (point, moment) == ("commit", "before"):
        assert (sent, logged) == (b"", 0)
    else:
        assert logged == 1


WITHOUT_BROKER = """
import sys, json, django
django.setup()
from tests import servers
name, export_id, place = sys.argv[1:]
servers.use_database(name)
from django.conf import settings
settings.EPICASE_EXPORT_DIR = place
import epicase.celery
from tests import browsing
from access.models import User
from access.actor import acting_as_role
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
with transaction.atomic(), acting_as_role("ep_none"):
    people = {n: User.objects.select_related("organisation").get(username=n) for n in ("supervisor", "investigator")}
boss, insider = (browsing.signed_in(people[n]) for n in ("supervisor", "investigator"))
told = {
    "cases": insider.get("/cases/").status_code,
    "approve": boss.post(f"/disclosure/{export_id}/approve/", {"answer": ""}).status_code,
    "readyz": boss.get("/readyz").json(),
}
from cases.linelist import importing
from cases.models import Outbreak, ImportRun
from tests import factories
with factories.as_person(people["supervisor"]):
    run = ImportRun.objects.first()
    began = importing.start_import(sys.stdin.read().encode(), "mers-korea", run.outbreak, people["supervisor"])
told["import"] = began.status
print(json.dumps(told))
"""


def test_without_a_broker_people_go_on(committed: Stage, tmp_path: Path) -> None:
    from tests.security.stage import LINELIST

    export = requested(committed.world, ["case_no"])
    name = str(connection.settings_dict["NAME"])
    connection.close()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "EPICASE_SERVERS_READY": "1",
        "REDIS_URL": f"redis+socket://{tmp_path}/nobody.sock",
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_BROKER, name, str(export.pk), str(tmp_path)],
        input=LINELIST.replace("S1", "S2"),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["cases"], told["approve"], told["import"]) == (200, 302, "waiting")
    assert told["readyz"]["broker"] == "failed"
    assert told["readyz"]["status"] == "degraded"
    assert again(committed.world, export).status == "approved"


def test_a_dead_broker_is_given_up_soon(tmp_path: Path, settings: Any, monkeypatch: Any) -> None:
    from celery import Celery
    from kombu.exceptions import OperationalError
    from kombu.utils import functional

    waited: list[float] = []
    monkeypatch.setattr(functional, "sleep", waited.append)
    app = Celery(set_as_current=False, broker=f"redis+socket://{tmp_path}/nobody.sock")
    app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    with pytest.raises(OperationalError):
        app.send_task("any", retry=settings.CELERY_TASK_PUBLISH_RETRY)
    assert sum(waited) <= 0.5


def test_without_a_broker_the_sealer_command_seals(committed: Stage, tmp_path: Path, settings: Any) -> None:
    from access.actor import acting_as_role

    path = tmp_path / "audit.key"
    signer.create(path, "test.example/ledger")
    settings.EPICASE_AUDIT_KEY = f"file:{path}"
    settings.EPICASE_CHECKPOINT_FILE = str(tmp_path / "checkpoints")
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path}/nobody.sock"
    assert raw.owner_rows("select count(*) from audit_pending")[0][0] > 0
    with acting_as_role("ep_sealer"):
        call_command("audit_seal")
    assert raw.owner_rows("select count(*) from audit_pending") == [(0,)]
