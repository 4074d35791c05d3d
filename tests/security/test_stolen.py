"""A thief with the dump, the disk, the broker, the sessions or the logs: planted values are in none of them."""

from __future__ import annotations

import base64
import json
import logging
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, reverse

from access.sessions import SessionStore
from cases.models import Case
from disclosure import building, tasks
from epicase import celery as application
from epicase import config
from epicase.embedded import binaries
from epicase.embedded.postgres import Postgres
from tests import browsing, factories, servers
from tests.access import enrolled
from tests.security import raw
from tests.security.stage import Stage

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class Loot:
    """Marks of this run that only sealed fields were given, and one plain mark that a search must find."""

    secret: tuple[str, ...]
    plain: str
    since: float
    case: Case

    def found_in(self, content: bytes) -> list[str]:
        return [mark for mark in self.secret if any(form in content for form in forms(mark))]


def forms(mark: str) -> list[bytes]:
    """The mark as PostgreSQL, a dump or a program might write it."""
    encoded = mark.encode()
    return [encoded, encoded.hex().encode(), json.dumps(mark)[1:-1].encode(), mark.encode("utf-16-le")]


@pytest.fixture(scope="module")
def loot(committed: Stage) -> Loot:
    world, since = committed.world, time.time()
    tail = str(secrets.randbelow(10**6)).zfill(6)
    marks = {
        "full_name": f"欧阳{secrets.token_hex(6)}",
        "phone": f"10000{tail}",
        "address_detail": f"九十九弄{secrets.token_hex(5)}",
        "summary_note": f"自述{secrets.token_hex(6)}",
    }
    case = factories.case(world.investigator, world.outbreak, **marks)
    note, place, other = (f"标{secrets.token_hex(6)}" for _ in range(3))
    factories.visit(case, world.investigator, note=note, place_name=place)
    factories.contact(case, world.investigator, full_name=other)
    plain = f"PLAIN{secrets.token_hex(4)}"
    with factories.as_owner():
        factories.organisation("990109", "district", world.city, plain)
    return Loot((*marks.values(), note, place, other), plain, since, case)


@pytest.fixture(scope="module")
def used(committed: Stage, loot: Loot) -> Stage:
    """After people have looked, asked for values, made mistakes and searched."""
    world = committed.world
    for person in (world.investigator, world.supervisor, world.auditor, world.outsider):
        browser = browsing.signed_in(person)
        for name, values in (("cases:detail", [loot.case.pk]), ("cases:list", []), ("cases:work", [])):
            browser.get(reverse(name, args=values))
        for url in (f"/cases/{loot.case.pk}/reveal/full_name/", f"/cases/{loot.case.pk}/reveal/phone/"):
            browser.post(url, {"purpose": "P2"})
        browser.post(
            f"/api/v1/cases/{loot.case.pk}/reveal",
            {"fields": ["full_name", "phone"], "purpose": "P2"},
            content_type="application/json",
        )
        browser.post("/cases/go/", {"case_no": loot.secret[0]})
        browser.post(
            "/api/v1/cases/search", {"case_no": loot.secret[0][:20]}, content_type="application/json"
        )
        browser.post("/cases/open/", {"full_name": loot.secret[0], "phone": loot.secret[1], "age_value": "x"})
    return committed


def test_the_values_can_be_shown(used: Stage, loot: Loot) -> None:
    """A control: the marks are what they are to those who may see them."""
    browser = browsing.signed_in(used.world.investigator)
    wanted = {"fields": ["full_name", "phone", "address_detail", "summary_note"], "purpose": "P2"}
    answer = browser.post(
        f"/api/v1/cases/{loot.case.pk}/reveal", wanted, content_type="application/json"
    ).json()
    assert set(answer["values"].values()) == set(loot.secret[:4])


def test_a_stolen_dump_holds_no_value(used: Stage, loot: Loot) -> None:
    program = binaries.postgres().binary.with_name("pg_dump")
    if not program.exists():
        pytest.skip("this PostgreSQL brought no pg_dump")
    url = servers.url_of(str(connection.settings_dict["NAME"]), "owner")
    command = [str(program), "--role=epi_owner", "--enable-row-security", "--inserts", "--dbname", url]
    dump = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert loot.plain.encode() in dump
    assert str(loot.case.pk).encode() in dump
    assert loot.found_in(dump) == []


def test_a_stolen_dump_holds_no_second_factor(used: Stage) -> None:
    """Neither the app's secret nor a recovery code, in any form; that they work is the control."""
    browser = browsing.signed_in(used.world.colleague)
    clock = enrolled.Clock()
    clock.now = time.time()
    telephone = enrolled.enrol(browser, clock)
    stored = raw.owner_rows("select data::text from mfa_authenticator") + raw.owner_rows(
        "select session_data from access_session"
    )
    assert len(telephone.codes) == 10
    whole = json.dumps([str(row) for row in stored]) + json.dumps(
        [SessionStore().decode(data) for (data,) in raw.owner_rows("select session_data from access_session")]
    )
    raw_secret = base64.b32decode(telephone.secret)
    forms_of_it = (telephone.secret, raw_secret.hex(), base64.b64encode(raw_secret).decode())
    assert [form for form in forms_of_it if form in whole] == []
    assert [code for code in telephone.codes if code.replace(" ", "") in whole] == []


def test_a_stolen_disk_holds_no_value(used: Stage, loot: Loot) -> None:
    server = Postgres(Path(settings.STATE_DIR))
    address = config.remembered()["admin"]
    if psycopg.conninfo.conninfo_to_dict(address).get("host") != str(server.sockets):
        pytest.skip("the database server is not the embedded one: its disk is not ours to read")
    data = server.data
    (oid,) = raw.owner_rows("select oid from pg_database where datname = current_database()")[0]
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute("checkpoint")
    files = [file for file in (data / "base" / str(oid)).iterdir() if file.is_file()]
    wal = [
        file for file in (data / "pg_wal").iterdir() if file.is_file() and file.stat().st_mtime >= loot.since
    ]
    assert wal
    contents = [file.read_bytes() for file in [*files, *wal]]
    assert [True for content in contents if loot.plain.encode() in content]
    assert [found for content in contents for found in loot.found_in(content)] == []


def test_logs_and_other_files_of_the_state_folder_hold_no_value(used: Stage, loot: Loot) -> None:
    folder = Path(settings.STATE_DIR)
    files = [
        file
        for file in folder.rglob("*")
        if file.is_file() and not file.is_symlink() and (folder / "postgres") not in file.parents
    ]
    assert [file.name for file in files if loot.found_in(file.read_bytes())] == []


QUEUE = "nobody-listens"


def test_the_broker_holds_ids_only(used: Stage, loot: Loot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tasks.build_export.app.main == application.app.main
    broker = _broker(settings.CELERY_BROKER_URL)
    # A worker of another test must not take the message before it was looked at.
    monkeypatch.setattr(tasks.build_export, "queue", QUEUE, raising=False)
    assert tasks.queue(used.export.pk)
    try:
        kept = b"".join(_content(broker, key) for key in broker.keys("*"))
        assert str(used.export.pk).encode() in kept
        assert loot.found_in(kept) == []
        assert _messages(broker) == [[[str(used.export.pk)], {}]]
    finally:
        broker.delete(*_queues(broker))


def _broker(url: str) -> Any:
    kind, _, place = url.partition("://")
    return redis.Redis(unix_socket_path=place) if kind.endswith("socket") else redis.from_url(url)


def _messages(broker: Any) -> list[Any]:
    messages = [message for queue in _queues(broker) for message in broker.lrange(queue, 0, -1)]
    return [json.loads(_body(message))[:2] for message in messages]


def _queues(broker: Any) -> list[bytes]:
    """The queue's key, which bears a prefix when a test of this process has set one."""
    return [key for key in broker.keys(f"*{QUEUE}") if broker.type(key) == b"list"]


def _body(message: bytes) -> str:
    return base64.b64decode(json.loads(message)["body"]).decode()


def _content(broker: Any, key: bytes) -> bytes:
    match broker.type(key):
        case b"string":
            return bytes(broker.get(key))
        case b"list":
            return b"".join(m + _body(m).encode() for m in broker.lrange(key, 0, -1))
        case b"hash":
            return b"".join(k + v for k, v in broker.hgetall(key).items())
        case b"set":
            return b"".join(broker.smembers(key))
        case b"zset":
            return b"".join(broker.zrange(key, 0, -1))
        case _:
            return b""


def test_sessions_hold_no_value_and_no_key(used: Stage, loot: Loot) -> None:
    browser = browsing.signed_in(used.world.investigator)
    browser.post(f"/cases/{loot.case.pk}/reveal/full_name/", {"purpose": "P2"})
    rows = raw.owner_rows("select session_key, session_data from access_session")
    assert rows
    for _, data in rows:
        assert loot.found_in(json.dumps(SessionStore().decode(data), ensure_ascii=False).encode()) == []
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert key not in str(rows)
    assert len(key) >= 32


def test_the_table_of_sessions_signs_nobody_in(used: Stage) -> None:
    browsing.signed_in(used.world.investigator)
    stolen = raw.owner_rows("select session_key from access_session")[0][0]
    thief = browsing.signed_in(None)
    thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert thief.get("/cases/").status_code == 302


def fail_with(request: HttpRequest) -> HttpResponse:
    """Fails with a case at hand and its value in the error's words."""
    case = Case.objects.get(pk=request.GET["case"])
    from audit import trail
    from audit.acts import Act

    trail.record(Act.REVEAL, case, purpose="P2")
    assert case.full_name is not None
    name = case.full_name.reveal()
    raise RuntimeError(f"{name} {case.phone} {case}")


class Failing:
    urlpatterns = [path("fail/", fail_with), path("", include("epicase.urls"))]
    handler500 = "access.views.failed"


@pytest.fixture
def listening(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Any:
    caplog.set_level(logging.INFO)
    return lambda: (
        caplog.text + "".join(str(r.__dict__) for r in caplog.records) + "".join(capfd.readouterr())
    )


def test_a_failing_view_prints_no_value(used: Stage, loot: Loot, settings: Any, listening: Any) -> None:
    settings.ROOT_URLCONF = Failing
    browser = browsing.signed_in(used.world.investigator)
    browser.raise_request_exception = False
    answer = browser.get(f"/fail/?case={loot.case.pk}")
    assert answer.status_code == 500
    assert loot.found_in(answer.content) == []
    assert loot.found_in(listening().encode()) == []


def test_a_failing_task_prints_no_value(
    used: Stage, loot: Loot, monkeypatch: pytest.MonkeyPatch, listening: Any
) -> None:
    def fail(_export_id: object) -> str:
        raise RuntimeError(loot.secret[0])

    monkeypatch.setattr(building, "build", fail)
    outcome = tasks.build_export.apply(args=(str(used.export.pk),))
    assert outcome.failed()
    told = listening()
    assert loot.found_in(told.encode()) == []
    assert "RuntimeError" in told


def test_a_secret_in_a_log_line_is_a_fingerprint(used: Stage, loot: Loot, listening: Any) -> None:
    with factories.as_person(used.world.investigator):
        case = Case.objects.get(pk=loot.case.pk)
        logging.getLogger("epicase.test").error("%s %r %s", case.full_name, case.phone, vars(case))
        from audit import trail
        from audit.acts import Act

        trail.record(Act.JOB, reason="test")
    assert loot.found_in(listening().encode()) == []
