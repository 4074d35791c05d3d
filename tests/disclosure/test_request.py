"""Asking for an export."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from access.visibility import CasePermission
from cases.models import Case
from disclosure import actions, profiles
from disclosure.models import Export, ExportCase
from tests import factories
from tests.cast import World
from tests.disclosure.conftest import SMALLEST, requested

pytestmark = [pytest.mark.django_db, pytest.mark.database]
URL = "/disclosure/new/"


def words(**changed: Any) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=7)
    scope = {"outbreak": "", "onset_from": "", "onset_to": ""}
    why = {"purpose": "P8", "recipient": "示例市疾控中心", "use_until": day.isoformat(), "reason": ""}
    return {**why, **scope, "fields_taken": SMALLEST, **changed}


def how_many() -> int:
    with factories.as_owner():
        return Export.objects.count()


def test_asking_makes_a_request_for_every_granted_case(
    world: World, more_cases: list[Case], signed_in: Any
) -> None:
    answer = signed_in(world.investigator).post(URL, words())
    with factories.as_owner():
        export = Export.objects.get()
        taken = set(ExportCase.objects.filter(export=export).values_list("case_id", flat=True))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("disclosure:export", args=[export.pk])
    assert taken == {case.pk for case in more_cases}
    assert (export.status, export.n_cases, export.fields) == ("requested", 4, SMALLEST)
    assert export.number.startswith("E-")
    assert export.district_id == world.district.pk


def test_asking_is_on_the_log(world: World, signed_in: Any, events: Any) -> None:
    signed_in(world.investigator).post(URL, words(fields_taken=["case_no", "full_name"]))
    [event] = events("export.request")
    assert event["actor"]["id"] == str(world.investigator.pk)
    assert event["purpose"] == "P8"
    assert "full_name" in event["fields"]
    assert "示例市疾控中心" not in str(event)


def test_the_page_starts_with_the_smallest_set(world: World, signed_in: Any) -> None:
    page = signed_in(world.investigator).get(URL).content.decode()
    assert 'value="age_band" checked' in page
    assert 'value="full_name" checked' not in page
    assert 'value="id_number" disabled' in page


def test_an_outsider_has_nothing_to_ask_for(world: World, signed_in: Any) -> None:
    answer = signed_in(world.outsider).post(URL, words())
    assert answer.status_code == 422
    assert how_many() == 0


@pytest.mark.parametrize("role", ["supervisor", "auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_other_roles_may_not_ask(world: World, signed_in: Any, role: str) -> None:
    assert signed_in(world.people[role]).post(URL, words()).status_code == 403
    assert how_many() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "P99"},
        {"recipient": ""},
        {"recipient": "call 10000004471"},
        {"recipient": "bell \x07"},
        {"use_until": "2020-01-01"},
        {"use_until": "soon"},
        {"fields_taken": []},
        {"fields_taken": ["id_number"]},
        {"fields_taken": ["password"]},
        {"outbreak": "00000000-0000-4000-8000-000000000000"},
        {"onset_from": "2026-11-20", "onset_to": "2026-11-01"},
    ],
)
def test_bad_input_changes_nothing_and_stays_on_the_page(
    world: World, signed_in: Any, wrong: dict[str, Any]
) -> None:
    answer = signed_in(world.investigator).post(URL, words(reason="第 3 周报告", **wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "error-summary" in page
    assert "第 3 周报告" in page
    assert how_many() == 0


def test_a_class_that_is_not_granted_is_named_beside_the_fields(world: World, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.VIEW, CasePermission.EXPORT)
    browser = signed_in(world.colleague)
    answer = browser.post(URL, words(fields_taken=["case_no", "full_name"]))
    assert answer.status_code == 422
    assert "Identity: your access does not open it in 1 case" in answer.content.decode()
    assert browser.post(URL, words()).status_code == 302


def test_a_view_grant_alone_lets_nothing_out(world: World, signed_in: Any) -> None:
    factories.grant(
        world.case, world.colleague, world.supervisor, CasePermission.VIEW, CasePermission.IDENTITY
    )
    assert signed_in(world.colleague).post(URL, words()).status_code == 422


def test_only_the_cases_named_are_taken(world: World, more_cases: list[Case], signed_in: Any) -> None:
    signed_in(world.investigator).post(URL, words(case=[str(more_cases[1].pk)]))
    with factories.as_owner():
        assert [one.case_id for one in ExportCase.objects.all()] == [more_cases[1].pk]


def test_a_set_of_fields_keeps_what_was_typed(world: World, signed_in: Any) -> None:
    answer = signed_in(world.investigator).post(URL, words(use_set="report", reason="第 3 周报告"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="severity" checked' in page
    assert "第 3 周报告" in page
    assert how_many() == 0


def test_the_smallest_group_is_shown_as_the_choice_changes(
    world: World, more_cases: list[Case], signed_in: Any
) -> None:
    browser = signed_in(world.investigator)
    many = browser.post(URL + "groups/", words()).content.decode()
    none = browser.post(URL + "groups/", words(fields_taken=["case_no"])).content.decode()
    assert "4 small groups" in many
    assert "no small group" in none


def test_the_database_refuses_a_row_of_a_case_without_a_grant(world: World) -> None:
    from django.db.utils import ProgrammingError

    export = requested(world)
    other = factories.case(world.outsider, world.outbreak)
    with pytest.raises(ProgrammingError, match="row-level security"), factories.as_person(world.investigator):
        ExportCase.objects.bulk_create([ExportCase(export=export, case_id=other.pk, position=99)])


def test_every_exportable_field_comes_from_a_policy() -> None:
    names = {field.name for field in profiles.exportable()}
    assert "id_number" not in names
    assert "source_token" not in names
    for given in (profiles.STATISTICS, profiles.REPORT):
        assert set(given.names) <= names
    assert not any(field.is_sealed for field in profiles.chosen(profiles.STATISTICS.names))


def test_the_list_shows_own_exports_only(world: World, ask: Any, signed_in: Any) -> None:
    export = ask()
    assert export.number in signed_in(world.investigator).get("/disclosure/").content.decode()
    for person in (world.colleague, world.other_supervisor):
        assert export.number not in signed_in(person).get("/disclosure/").content.decode()


def test_nothing_to_export_is_an_error_of_the_action(world: World) -> None:
    with pytest.raises(actions.NothingToExport):
        requested(world, by=world.outsider)
