"""Today's work, the list, going to a number, outbreaks, the dictionary, and the state of a case."""

from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from access.templatetags.frame import chip
from access.visibility import CasePermission
from cases import codes, lists
from cases.forms.outbreaks import CaseFilter
from contacts.forms import FilterForm as ContactFilter
from tests import factories
from tests.cases import pages
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_what_waits_longest_stands_on_top(world: World, signed_in: Any, events: Any) -> None:
    late = factories.case(world.investigator, world.outbreak, reported_at=timezone.now() - timedelta(days=3))
    answer = signed_in(world.investigator).get("/")
    assert [task.case.pk for task in answer.context["to_do"]] == [late.pk, world.case.pk]
    words = pages.text(answer)
    assert "late by 2 days" in words
    assert "no movements yet" in words
    event = events("case.list")[0]
    assert str(late.pk) in str(event) or event["counts"] == {"cases": 2}


def test_what_is_left_over_from_long_ago_does_not_hide_what_is_late(world: World, signed_in: Any) -> None:
    then = timezone.now() - timedelta(days=4197)
    old = factories.case(world.investigator, world.outbreak, onset_date=then.date(), reported_at=then)
    with factories.as_person(world.supervisor):
        ended = factories.outbreak(world.supervisor)
    late = timezone.now() - timedelta(days=3)
    left = factories.case(world.investigator, ended, reported_at=late)
    with factories.as_owner():
        ended.ended_on = timezone.localdate()
        ended.save()
    answer = signed_in(world.supervisor).get("/")
    assert [task.case.pk for task in answer.context["to_do"]] == [world.case.pk]
    assert {task.case.pk for task in answer.context["older"]} == {old.pk, left.pk}
    assert (answer.context["counts"]["late"], answer.context["counts"]["older"]) == (0, 2)
    assert f"reported {then.year}-" in pages.text(answer)


def test_ages_say_their_unit_as_in_a_sentence(world: World, signed_in: Any) -> None:
    child = {"age_unit": "M", "full_name": "示例", "id_number": None, "id_kind": ""}
    factories.case(world.investigator, world.outbreak, age_value=1, **child)
    words = pages.text(signed_in(world.investigator).get("/cases/"))
    assert "38 years" in words
    assert "1 month" in words


def test_only_supervisors_are_told_who_has_access(world: World, signed_in: Any) -> None:
    own = pages.text(signed_in(world.investigator).get(world.case.get_absolute_url()))
    assert "My access" in own
    assert "Who has access" not in own
    assert "Who has access" in pages.text(signed_in(world.supervisor).get(world.case.get_absolute_url()))


def test_where_a_diseases_figures_come_from_is_marked_as_english(world: World, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    client.post(reverse("access:language"), {"language": "zh-hans"})
    page = client.get(reverse("cases:outbreak", args=[world.outbreak.pk]))
    assert '<dt>来源（英文）</dt><dd lang="en">' in page.content.decode()


def test_other_roles_go_to_their_own_first_page(world: World, signed_in: Any) -> None:
    for role in ("auditor", "privacy", "secadmin", "sysadmin", "partner"):
        answer = signed_in(world.people[role]).get("/")
        assert answer.status_code == 302
        assert answer["Location"] != "/"


def test_the_list_shows_what_is_granted(world: World, signed_in: Any) -> None:
    page = signed_in(world.investigator).get("/cases/").content.decode()
    assert world.case.case_no in page
    assert "欧阳**" in page
    assert world.case.case_no not in signed_in(world.outsider).get("/cases/").content.decode()
    assert world.case.case_no in signed_in(world.supervisor).get("/cases/").content.decode()
    assert world.case.case_no not in signed_in(world.other_supervisor).get("/cases/").content.decode()


def test_a_name_outside_the_grant_is_closed(world: World, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.REACH)
    page = signed_in(world.colleague).get("/cases/").content.decode()
    assert world.case.case_no in page
    assert "欧阳" not in page


def test_filters_narrow_the_list(world: World, signed_in: Any) -> None:
    other = factories.case(world.investigator, world.outbreak, classification="suspected")
    client = signed_in(world.investigator)
    page = client.get(
        "/cases/", {"classification": "suspected", "status": "new", "outbreak": world.outbreak.code}
    )
    assert [row.case.pk for row in page.context["rows"]] == [other.pk]
    assert client.get("/cases/", {"status": "closed"}).context["rows"] == []
    assert client.get("/cases/", {"status": "'; drop table", "at": "nonsense"}).status_code == 302
    assert client.get("/cases/", {"status": "'; drop table"}).status_code == 200


def test_pages_follow_each_other_with_their_filters(
    world: World, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    for _number in range(3):
        factories.case(world.investigator, world.outbreak)
    client = signed_in(world.investigator)
    first = client.get("/cases/", {"classification": "confirmed"})
    assert first.context["newer"] == ""
    second = client.get("/cases/" + first.context["older"])
    assert second.context["older"] == ""
    ids = [row.case.pk for page in (first, second) for row in page.context["rows"]]
    assert len(set(ids)) == 4
    assert "classification=confirmed" in first.context["older"]
    back = client.get("/cases/" + second.context["newer"])
    assert [row.case.pk for row in back.context["rows"]] == ids[:2]


@pytest.mark.parametrize("role", ["investigator", "supervisor"])
@pytest.mark.parametrize("address", ["/", "/cases/", "/outbreaks/"])
def test_more_cases_cost_no_more_questions(world: World, signed_in: Any, role: str, address: str) -> None:
    client = signed_in(getattr(world, role))
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(address)
    for _number in range(6):
        factories.case(world.investigator, world.outbreak)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) <= len(few) + 1
    assert len(many) < 45


def test_going_to_a_number(world: World, signed_in: Any, events: Any) -> None:
    client = signed_in(world.investigator)
    answer = client.post(reverse("cases:go"), {"case_no": f" {world.case.case_no.lower()} "})
    assert answer["Location"] == world.case.get_absolute_url()
    assert events("case.search")


@pytest.mark.parametrize("typed", ["", "NO-SUCH-1", "x" * 500, "\x00", "张三", "%"])
def test_a_number_that_is_not_there_is_answered_like_one_not_yours(
    world: World, signed_in: Any, typed: str
) -> None:
    outsider = signed_in(world.outsider)
    not_there = outsider.post(reverse("cases:go"), {"case_no": typed})
    not_mine = outsider.post(reverse("cases:go"), {"case_no": world.case.case_no})
    assert not_there.status_code == not_mine.status_code == 404
    assert "No such case, or not yours" in pages.text(not_there)
    assert "No such case, or not yours" in pages.text(not_mine)
    assert signed_in(world.auditor).post(reverse("cases:go"), {"case_no": typed}).status_code == 403


def test_the_page_of_a_case(world: World, signed_in: Any, events: Any) -> None:
    answer = signed_in(world.investigator).get(world.case.get_absolute_url())
    assert answer.status_code == 200
    assert [bearer.user.pk for bearer in answer.context["bearers"]] == [world.investigator.pk]
    assert events("case.view")[0]["object"]["label"] == world.case.case_no
    again = signed_in(world.investigator).get(world.case.get_absolute_url())
    assert again.context["mine"]
    assert signed_in(world.outsider).get(world.case.get_absolute_url()).status_code == 404
    assert signed_in(world.auditor).get(world.case.get_absolute_url()).status_code == 403


def test_supervisors_see_who_has_access_and_may_give_it(world: World, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.REACH)
    page = signed_in(world.supervisor).get(world.case.get_absolute_url())
    assert {bearer.user.pk for bearer in page.context["bearers"]} == {
        world.investigator.pk,
        world.colleague.pk,
    }
    assert reverse("access:case", args=[world.case.pk]) in page.content.decode()


def test_a_case_moves_to_review_is_returned_and_closed(world: World, signed_in: Any, events: Any) -> None:
    url = reverse("cases:move", args=[world.case.pk])
    investigator, supervisor = signed_in(world.investigator), signed_in(world.supervisor)
    steps = [
        (investigator, "closed", "new"),
        (investigator, "investigating", "investigating"),
        (investigator, "review", "review"),
        (investigator, "investigating", "review"),
        (supervisor, "returned", "returned"),
        (investigator, "review", "review"),
        (supervisor, "closed", "closed"),
        (investigator, "reopened", "closed"),
        (supervisor, "reopened", "investigating"),
        (supervisor, "archived", "investigating"),
    ]
    for person, wanted, expected in steps:
        assert person.post(url, {"to": wanted}).status_code == 302
        assert pages.value(world, world.case, "status") == expected
    assert events("case.change")[0]["fields"] == ["status"]
    assert signed_in(world.outsider).post(url, {"to": "review"}).status_code == 404
    assert signed_in(world.auditor).post(url, {"to": "review"}).status_code == 403


def outbreak_form(**words: Any) -> dict[str, Any]:
    from cases.models import DiseaseProfile

    with factories.as_owner():
        disease = DiseaseProfile.objects.get(code="covid-19").pk
    today = str(timezone.localdate())
    basis = ["IDL62"]
    return {
        "code": "yt-2027",
        "name": "示例疫情",
        "disease": disease,
        "started_on": today,
        "legal_basis": basis,
        **words,
    }


def test_a_supervisor_opens_an_outbreak(world: World, signed_in: Any, events: Any) -> None:
    client = signed_in(world.supervisor)
    answer = client.post("/outbreaks/open/", outbreak_form())
    assert answer.status_code == 302
    assert "YT-2027" in client.get(answer["Location"]).content.decode()
    assert events("outbreak.open")[0]["object"]["label"] == "YT-2027"
    assert client.post("/outbreaks/open/", outbreak_form()).status_code == 422
    assert (
        signed_in(world.investigator).post("/outbreaks/open/", outbreak_form(code="X-1")).status_code == 403
    )


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"code": "a b"}, "code"),
        ({"code": "X" * 17}, "code"),
        ({"name": ""}, "name"),
        ({"started_on": "2999-01-01"}, "started_on"),
        ({"disease": "0"}, "disease"),
        ({"legal_basis": ["mood"]}, "legal_basis"),
    ],
)
def test_a_bad_outbreak_is_refused(world: World, signed_in: Any, words: dict[str, Any], field: str) -> None:
    answer = signed_in(world.supervisor).post("/outbreaks/open/", outbreak_form(**words))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_outbreaks_count_only_what_one_may_see(world: World, signed_in: Any, events: Any) -> None:
    url = reverse("cases:outbreak", args=[world.outbreak.pk])
    assert signed_in(world.investigator).get(url).context["total"] == 1
    assert signed_in(world.outsider).get(url).context["total"] == 0
    assert signed_in(world.auditor).get(url).status_code == 403
    assert events("outbreak.view")


def test_everyone_concerned_reads_the_dictionary(world: World, signed_in: Any) -> None:
    for role in ("investigator", "supervisor", "auditor", "privacy", "secadmin"):
        page = signed_in(world.people[role]).get("/dictionary/")
        assert "full_name" in page.content.decode()
    assert signed_in(world.partner).get("/dictionary/").status_code == 403


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_filter_names_a_code_as_the_list_does(language: str) -> None:
    asked = [
        (CaseFilter, "status", "status"),
        (CaseFilter, "classification", "classification"),
        (ContactFilter, "status", "status"),
    ]
    with translation.override(language):
        for form, name, kind in asked:
            field = form.base_fields[name]
            assert isinstance(field, forms.ChoiceField)
            offered: list[Any] = list(field.choices)
            assert len(offered) > 4
            for code, words in offered[1:]:
                assert str(words) == str(chip(kind, code)["text"]), (name, code)
        for status in codes.code_list("CASE_STATUS"):
            assert status.label == str(chip("status", status.value)["text"])
