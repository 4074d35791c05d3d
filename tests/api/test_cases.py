"""The API of cases: masked reads, audited reveals, and nothing for outsiders."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.purposes import Purpose
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_the_list_is_masked_and_recorded(world: Any, signed_in: Any, events: Any) -> None:
    answer = signed_in(world.investigator).get("/api/v1/cases")
    assert answer.status_code == 200
    (row,) = answer.json()["results"]
    assert row["full_name"] == "欧阳**"
    assert row["case_no"] == world.case.case_no
    assert factories.NAME not in answer.content.decode()
    assert str(world.case.pk) in str(events("case.list")[0])


def test_the_list_reads_no_sealed_column_that_it_does_not_tell(world: Any, signed_in: Any) -> None:
    browser = signed_in(world.investigator)
    with CaptureQueriesContext(connection) as asked:
        browser.get("/api/v1/cases")
    (rows,) = [query["sql"] for query in asked if '"cases_case"."full_name"' in query["sql"]]
    assert '"cases_case"."phone"' not in rows
    assert '"cases_case"."symptoms"' not in rows


def test_more_cases_take_no_more_statements(world: Any, signed_in: Any) -> None:
    browser = signed_in(world.investigator)
    browser.get("/api/v1/cases")
    with CaptureQueriesContext(connection) as few:
        browser.get("/api/v1/cases")
    for _ in range(5):
        factories.case(world.investigator, world.outbreak)
    with CaptureQueriesContext(connection) as more:
        assert len(browser.get("/api/v1/cases").json()["results"]) == 6
    assert len(more) == len(few)


def test_a_case_is_masked_and_recorded(world: Any, signed_in: Any, events: Any) -> None:
    answer = signed_in(world.investigator).get(f"/api/v1/cases/{world.case.pk}/")
    assert answer.status_code == 200
    assert factories.PHONE not in answer.content.decode()
    assert events("case.view")[0]["object"]["id"] == str(world.case.pk)


def test_an_outsider_cannot_tell_the_case_exists(world: Any, signed_in: Any) -> None:
    client = signed_in(world.outsider)
    mine = client.get(f"/api/v1/cases/{world.case.pk}")
    none = client.get(f"/api/v1/cases/{world.outbreak.pk}")
    assert mine.status_code == none.status_code == 404
    assert mine.content == none.content


@pytest.mark.parametrize("role", ["auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_the_wrong_role_is_refused(world: Any, signed_in: Any, role: str) -> None:
    client = signed_in(getattr(world, role))
    assert client.get("/api/v1/cases").status_code == 403
    assert client.get(f"/api/v1/cases/{world.case.pk}").status_code == 403


def test_a_visitor_reaches_nothing(world: Any, client: Any) -> None:
    assert client.get("/api/v1/cases").status_code in (302, 401, 403)
    assert client.get("/api/schema/").status_code in (302, 401, 403)


def reveal(client: Any, world: Any, **data: Any) -> Any:
    return client.post(f"/api/v1/cases/{world.case.pk}/reveal", data, content_type="application/json")


def test_revealing_answers_the_value_and_leaves_an_event_without_it(
    world: Any, signed_in: Any, events: Any
) -> None:
    answer = reveal(signed_in(world.investigator), world, fields=["phone"], purpose="P2")
    assert answer.status_code == 200
    assert answer.json()["values"] == {"phone": factories.PHONE}
    event = events("reveal")[0]
    assert event["purpose"] == "P2"
    assert event["fields"] == ["phone"]
    assert factories.PHONE not in str(events())


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": ["phone"]},
        {"fields": ["phone"], "purpose": "P8"},
        {"fields": [], "purpose": "P2"},
        {"fields": ["password"], "purpose": "P2"},
    ],
)
def test_bad_input_opens_nothing(world: Any, signed_in: Any, events: Any, wrong: dict[str, Any]) -> None:
    assert reveal(signed_in(world.investigator), world, **wrong).status_code == 400
    assert not events("reveal")


def test_a_class_outside_the_grant_stays_closed(world: Any, signed_in: Any, events: Any) -> None:
    from access.visibility import CasePermission

    factories.grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    client = signed_in(world.outsider)
    assert reveal(client, world, fields=["phone"], purpose="P2").status_code == 200
    refused = reveal(client, world, fields=["full_name"], purpose="P2")
    assert refused.status_code == 403
    assert factories.NAME not in refused.content.decode()


def test_searching_finds_only_what_may_be_seen(world: Any, signed_in: Any) -> None:
    def found(person: Any) -> list[Any]:
        data = {"case_no": world.outbreak.code.lower()}
        answer = signed_in(person).post("/api/v1/cases/search", data, content_type="application/json")
        assert answer.status_code == 200
        results: list[Any] = answer.json()["results"]
        return results

    assert len(found(world.investigator)) == 1
    assert found(world.outsider) == []


def test_grants_are_given_and_taken_over_the_api(world: Any, signed_in: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    supervisor, outsider = signed_in(world.supervisor), signed_in(world.outsider)
    data = {
        "case": str(world.case.pk),
        "user": "outsider",
        "permissions": ["reveal_reach"],
        "purpose": "P4",
        "until": (timezone.now() + timedelta(days=3)).isoformat(),
    }
    assert supervisor.post("/api/v1/grants", data, content_type="application/json").status_code == 201
    assert outsider.get(f"/api/v1/cases/{world.case.pk}").status_code == 200
    listed = supervisor.get("/api/v1/grants").json()["results"]
    (grant,) = [one for one in listed if one["user"] == "outsider" and one["permission"] == "view_case"]
    assert supervisor.delete(f"/api/v1/grants/{grant['id']}").status_code == 204
    assert outsider.get(f"/api/v1/cases/{world.case.pk}").status_code == 404
    assert outsider.post("/api/v1/grants", data, content_type="application/json").status_code == 403


def test_the_schema_names_every_address(world: Any, signed_in: Any) -> None:
    schema = signed_in(world.investigator).get("/api/schema.json").json()
    assert {"/api/v1/cases", "/api/v1/cases/{case_id}/reveal", "/api/v1/grants"} <= set(schema["paths"])


def test_a_purpose_outside_the_grant_is_refused_and_recorded(world: Any, signed_in: Any, events: Any) -> None:
    factories.grant(world.case, world.outsider, world.supervisor, purpose=Purpose.REACH)
    refused = reveal(signed_in(world.outsider), world, fields=["phone"], purpose="P4")
    assert refused.status_code == 403
    assert factories.PHONE not in refused.content.decode()
    (event,) = events("reveal")
    assert (event["outcome"], event["reason"], event["purpose"]) == (1, "purpose_not_granted", "P4")


def test_a_method_that_an_address_does_not_have_is_405(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    assert client.post("/api/v1/cases", {}, content_type="application/json").status_code == 405
    assert client.get("/api/v1/cases/search").status_code == 405


def test_the_logs_addresses_take_a_slash(world: Any, signed_in: Any) -> None:
    client = signed_in(world.auditor)
    for address in ("/api/v1/audit/events", "/api/v1/audit/events/"):
        assert client.get(address).status_code == 200
