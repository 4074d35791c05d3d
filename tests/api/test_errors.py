"""Errors over the API have one shape, and the schema says where each can occur."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from audit import writing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
JSON = {"content_type": "application/json"}


def told(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/json")
    body: dict[str, Any] = answer.json()
    assert set(body) - {"fault"} == {"code", "detail", "fields"}
    assert body["code"] == code
    assert body["detail"]
    return body


def test_bad_input_names_its_fields(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    wrong = {"fields": ["password"], "purpose": "P8"}
    body = told(client.post(f"/api/v1/cases/{world.case.pk}/reveal", wrong, **JSON), 400, "invalid")
    assert {name.partition(".")[0] for name in body["fields"]} == {"fields", "purpose"}
    assert all(isinstance(one, str) for said in body["fields"].values() for one in said)


def test_what_is_no_json_is_told_in_the_same_shape(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    told(client.generic("POST", "/api/v1/cases/search", "{", **JSON), 400, "parse_error")
    told(client.post("/api/v1/cases/search", {"case_no": "1"}), 415, "unsupported_media_type")


def test_nobody_signed_in_is_401(world: Any, client: Any) -> None:
    answer = client.get("/api/v1/cases")
    told(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"]


def test_refusals_have_the_shape(world: Any, signed_in: Any) -> None:
    told(signed_in(world.auditor).get("/api/v1/cases"), 403, "permission_denied")
    outsider = signed_in(world.outsider)
    told(outsider.get(f"/api/v1/cases/{world.case.pk}"), 404, "not_found")
    told(outsider.get("/api/v1/nothing"), 404, "not_found")
    told(outsider.post("/api/v1/cases", {}, **JSON), 405, "method_not_allowed")


def test_a_refused_grant_names_its_field(world: Any, signed_in: Any) -> None:
    wrong = {
        "case": str(world.case.pk),
        "user": "supervisor",
        "permissions": ["reveal_reach"],
        "purpose": "P4",
        "until": "2020-01-01T00:00:00Z",
    }
    body = told(signed_in(world.supervisor).post("/api/v1/grants", wrong, **JSON), 400, "invalid")
    assert body["fields"]


def test_a_log_that_cannot_be_written_has_the_shape(
    world: Any, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(world.investigator)

    def broken(*_args: Any) -> None:
        raise OSError(factories.NAME)

    monkeypatch.setattr(writing, "write", broken)
    monkeypatch.setattr(connection, "close", lambda: None)
    body = told(client.get(f"/api/v1/cases/{world.case.pk}"), 503, "unavailable")
    assert body["fault"]


@pytest.fixture
def schema(world: Any, signed_in: Any) -> dict[str, Any]:
    described: dict[str, Any] = signed_in(world.investigator).get("/api/schema.json").json()
    return described


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for path in schema["paths"].values() for one in path.values()}


def test_every_list_is_described_with_its_cursor_and_its_page(schema: dict[str, Any]) -> None:
    paged = {
        "cases_list", "cases_visits", "cases_contacts", "cases_search", "contacts_list", "grants_list", "audit_events",
    }  # fmt: skip
    described = operations(schema)
    for name in paged:
        assert "cursor" in {one["name"] for one in described[name]["parameters"]}, name
        page = described[name]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        properties = schema["components"]["schemas"][page.rpartition("/")[2]]["properties"]
        assert set(properties) == {"next", "previous", "results"}, name
        assert properties["results"]["type"] == "array", name


def test_every_operation_is_described_with_the_errors_that_occur(schema: dict[str, Any]) -> None:
    described = operations(schema)
    for name, one in described.items():
        assert {"401", "403", "503"} <= set(one["responses"]), name
        for status, answer in one["responses"].items():
            if status >= "400":
                shape = answer["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/Error"}, name
    assert {"400", "404"} <= set(described["cases_reveal"]["responses"])
    assert {"400", "404"} <= set(described["grants_issue"]["responses"])
    assert "404" not in described["cases_list"]["responses"]
    assert "400" not in described["cases_view"]["responses"]
    assert set(schema["components"]["schemas"]["Error"]["required"]) == {"code", "detail", "fields"}
