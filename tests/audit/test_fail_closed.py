"""If the event cannot be written, the answer is 503, nothing has changed, and nothing personal is in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.audit import sample
from tests.audit.sample import PLANTED, owner_sql

pytestmark = pytest.mark.database
Get = Callable[[str], Any]


@pytest.fixture
def get(private_database: str, settings: Any) -> Get:
    sample.make_table()
    settings.ROOT_URLCONF = "tests.audit.sample"
    client = Client(raise_request_exception=False)
    return client.get


def rows(sql: str) -> list[Any]:
    with owner_sql() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def events() -> list[tuple[str, int]]:
    return rows("select act, outcome from audit_event order by occurred_at, id")


def things() -> int:
    return int(rows("select count(*) from vaultsample_thing")[0][0])


def refused_with_nothing(answer: Any) -> None:
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert PLANTED not in answer.content.decode()
    assert things() == 0


def test_a_change_and_its_event_are_committed_together(get: Get) -> None:
    answer = get("/create/")
    assert answer.status_code == 201
    assert things() == 1
    assert events() == [("case.create", 0)]
    assert rows("select count(*) from audit_pending") == [(1,)]


def test_without_the_right_to_insert_nothing_happens(get: Get) -> None:
    with owner_sql() as cursor:
        cursor.execute("revoke insert on audit_event from ep_none")
    refused_with_nothing(get("/create/"))
    assert events() == []


def test_a_commit_that_fails_undoes_everything(get: Get) -> None:
    with owner_sql() as cursor:
        cursor.execute(
            "create function fail() returns trigger language plpgsql"
            " as $$ begin raise exception 'late'; end $$;"
            "create constraint trigger late after insert on vaultsample_thing"
            " deferrable initially deferred for each row execute function fail()"
        )
    refused_with_nothing(get("/create/"))
    assert events() == []


def test_a_killed_backend_is_a_503_and_the_next_request_works(get: Get) -> None:
    refused_with_nothing(get("/break_connection/"))
    assert events() == []
    assert get("/create/").status_code == 201


def test_a_swallowed_database_error_is_no_success(get: Get) -> None:
    refused_with_nothing(get("/swallow/"))
    assert events() == []


@pytest.mark.parametrize("address", ["/unnamed/", "/open_unnamed/", "/stream/"])
def test_what_has_no_named_act_does_not_happen(get: Get, address: str) -> None:
    refused_with_nothing(get(address))
    assert events() == []


def test_an_opened_value_belongs_to_the_act_that_names_it(get: Get) -> None:
    assert get("/reveal/").status_code == 200
    assert events() == [("reveal", 0)]
    (body,) = rows("select convert_from(body, 'UTF8') from audit_event")[0]
    assert '"field":"note"' in body
    assert PLANTED not in body


def test_an_audited_download_may_stream(get: Get) -> None:
    assert get("/download/").status_code == 200
    assert events() == [("export.download", 0)]


def test_what_a_template_does_late_is_recorded_too(get: Get) -> None:
    assert get("/render_late/").status_code == 200
    assert events() == [("case.list", 0)]


def test_a_page_that_only_shows_its_mark_is_recorded(get: Get) -> None:
    code = get("/marked/").content.decode()
    assert rows("select act, trace_code from audit_event") == [("page.view", code)]


@pytest.mark.parametrize(
    ("address", "status", "act", "outcome"),
    [
        ("/refuse/6ba7b810-9dad-41d1-80b4-00c04fd430c8/", 403, "access.refused", 1),
        ("/missing/", 404, "access.refused", 1),
        ("/mistake/", 422, "input.refused", 1),
        ("/crash/", 500, "request.failed", 2),
    ],
)
def test_a_refusal_is_undone_and_recorded(
    get: Get, address: str, status: int, act: str, outcome: int
) -> None:
    answer = get(address)
    assert answer.status_code == status
    assert things() == 0
    assert (act, outcome) in events()
    assert all(found != ("case.change", 0) for found in events())
    for (body,) in rows("select convert_from(body, 'UTF8') from audit_event"):
        assert PLANTED not in body


def test_a_refusal_names_the_record_in_the_address(get: Get) -> None:
    wanted = uuid.uuid4()
    get(f"/refuse/{wanted}/")
    assert (wanted,) in rows("select object_id from audit_touch")


def test_strangers_cannot_fill_the_log_with_addresses_that_do_not_exist(get: Get) -> None:
    assert get("/no-such-page/").status_code == 404
    assert events() == []


def test_liveness_asks_the_database_nothing(get: Get) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert get("/healthz").status_code == 200
    assert len(queries) == 0
