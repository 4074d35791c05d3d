"""Correcting a section: opened on the record, only changes written, nobody's work lost silently."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from access.visibility import CasePermission
from cases import actions
from cases.models import Case
from tests import factories
from tests.cases import pages
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def url(world: World, section: str) -> str:
    return reverse("cases:edit", args=[world.case.pk, section])


@pytest.fixture
def client(world: World, signed_in: Any) -> Any:
    browser = signed_in(world.investigator)
    pages.state_purpose(browser, world.case)
    return browser


def test_the_purpose_is_asked_first(world: World, signed_in: Any) -> None:
    browser = signed_in(world.investigator)
    answer = browser.get(url(world, "reach"))
    assert answer.status_code == 302
    assert "purpose" in answer["Location"]
    page = browser.get(answer["Location"])
    assert "10000004471" not in page.content.decode()
    answer = browser.post(answer["Location"], {"purpose": "P4"})
    assert answer["Location"] == url(world, "reach")
    assert "10000004471" in browser.get(answer["Location"]).content.decode()


def test_opening_a_section_is_a_reveal_with_its_purpose(world: World, client: Any, events: Any) -> None:
    before = len(events("reveal"))
    client.get(url(world, "reach"))
    found = events("reveal")
    assert len(found) == before + 1
    assert found[0]["purpose"] == "P2"
    assert "phone" in found[0]["fields"]
    assert "full_name" not in found[0]["fields"]


def test_only_what_was_changed_is_written(world: World, client: Any, events: Any) -> None:
    words = pages.drawn(client, url(world, "reach"))
    answer = client.post(url(world, "reach"), {**words, "town": "新街道"})
    assert answer.status_code == 302
    assert events("case.change")[0]["fields"] == ["town"]
    assert pages.value(world, world.case, "town") == "新街道"
    assert pages.value(world, world.case, "phone") == factories.PHONE


def test_several_codes_and_figures_are_kept(world: World, client: Any) -> None:
    words = pages.drawn(client, url(world, "illness"))
    answer = client.post(
        url(world, "illness"), {**words, "symptoms": ["fever", "dry_cough"], "max_temperature": "38,5"}
    )
    if answer.status_code == 422:
        codes = [code for code, _label in answer.context["form"].fields["symptoms"].choices][:2]
        answer = client.post(url(world, "illness"), {**words, "symptoms": codes, "max_temperature": "38,5"})
    assert answer.status_code == 302, answer.context and answer.context["form"].errors
    assert str(pages.value(world, world.case, "max_temperature")) == "38.5"
    assert len(pages.value(world, world.case, "symptoms")) == 2
    again = pages.drawn(client, url(world, "illness"))
    assert client.post(url(world, "illness"), again).status_code == 302


def test_saving_nothing_changes_nothing(world: World, client: Any, events: Any) -> None:
    for section in ("identity", "reach", "illness", "exposure", "report"):
        words = pages.drawn(client, url(world, section))
        before = len(events("case.change"))
        answer = client.post(url(world, section), words)
        assert answer.status_code == 302, (section, answer.context["form"].errors)
        assert len(events("case.change")) == before, section


def test_a_change_by_another_person_is_not_lost(world: World, client: Any) -> None:
    words = pages.drawn(client, url(world, "reach"))
    with factories.as_person(world.supervisor):
        other = Case.objects.get(pk=world.case.pk)
        actions.correct_case(other, {"town": "他人街道", "street": "他人路"}, by=world.supervisor)
    answer = client.post(url(world, "reach"), {**words, "town": "我的街道", "workplace_name": "我的单位"})
    assert answer.status_code == 422
    assert "他人街道" in answer.content.decode()
    assert answer.context["form"]["town"].value() == "我的街道"
    assert pages.value(world, world.case, "town") == "他人街道"
    words = {**words, "town": "我的街道", "workplace_name": "我的单位"}
    words["seen"] = answer.context["form"]["seen"].value()
    assert client.post(url(world, "reach"), words).status_code == 302
    assert pages.value(world, world.case, "town") == "我的街道"
    assert pages.value(world, world.case, "street") == "他人路"
    assert pages.value(world, world.case, "workplace_name") == "我的单位"


def test_changes_of_different_fields_both_stay(world: World, client: Any) -> None:
    words = pages.drawn(client, url(world, "reach"))
    with factories.as_person(world.supervisor):
        other = Case.objects.get(pk=world.case.pk)
        actions.correct_case(other, {"street": "他人路"}, by=world.supervisor)
    assert client.post(url(world, "reach"), {**words, "town": "我的街道"}).status_code == 302
    assert pages.value(world, world.case, "street") == "他人路"
    assert pages.value(world, world.case, "town") == "我的街道"


def test_marks_that_were_tampered_with_overwrite_nothing(world: World, client: Any) -> None:
    words = pages.drawn(client, url(world, "reach"))
    for seen in ("", "{}", "[1]", "no json", '{"town": 1}'):
        answer = client.post(url(world, "reach"), {**words, "phone": "10000009999", "seen": seen})
        assert answer.status_code == 422, seen
    assert pages.value(world, world.case, "phone") == factories.PHONE


BAD = [
    ("reach", {"phone": "1"}, "phone"),
    ("reach", {"street": "街" * 121}, "street"),
    ("illness", {"onset_date": "2026-13-01"}, "onset_date"),
    ("illness", {"max_temperature": "60"}, "max_temperature"),
    ("illness", {"symptoms": ["nonsense"]}, "symptoms"),
    ("identity", {"id_number": "990101198805152138"}, "id_number"),
    ("identity", {"nationality": "CHN"}, "nationality"),
    ("identity", {"nationality": "ZZ"}, "nationality"),
    ("identity", {"birth_date": "1990-01-01"}, "id_number"),
    ("identity", {"birth_date": "2999-01-01"}, "birth_date"),
    ("identity", {"birth_date": "1880-01-01"}, "birth_date"),
    (
        "exposure",
        {"exposure_start_date": "2026-11-03", "exposure_end_date": "2026-11-01"},
        "exposure_end_date",
    ),
    ("exposure", {"exposure_start_date": "2999-01-01"}, "exposure_start_date"),
    ("report", {"interviewed_at": "2999-01-01T10:00"}, "interviewed_at"),
    ("report", {"outcome": "gone"}, "outcome"),
    ("report", {"summary_note": "a\x07b"}, "summary_note"),
    ("report", {"reported_at": ""}, "reported_at"),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_words_change_nothing(
    world: World, client: Any, events: Any, bad: tuple[str, dict[str, Any], str]
) -> None:
    section, words, field = bad
    before = len(events("case.change"))
    answer = client.post(url(world, section), {**pages.drawn(client, url(world, section)), **words})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert len(events("case.change")) == before


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("identity", "full_name"),
        ("identity", "sex"),
        ("identity", "age_value"),
        ("reach", "phone"),
        ("reach", "town"),
    ],
)
def test_what_opens_a_case_is_corrected_but_not_emptied(
    world: World, client: Any, section: str, name: str
) -> None:
    if name == "town":
        given = pages.drawn(client, url(world, "reach"))
        client.post(url(world, "reach"), {**given, "town": "示例街道"})
    given = pages.drawn(client, url(world, section))
    answer = client.post(url(world, section), {**given, name: ""})
    assert answer.status_code == 422
    assert "not emptied" in str(answer.context["form"].errors[name])
    again = pages.drawn(client, url(world, section))
    assert again[name] == (given[name] or "示例街道")


def test_what_an_import_left_empty_may_stay_empty(world: World, signed_in: Any) -> None:
    case = factories.case(world.investigator, world.outbreak, full_name=None, id_number=None)
    browser = signed_in(world.investigator)
    pages.state_purpose(browser, case)
    address = reverse("cases:edit", args=[case.pk, "identity"])
    given = pages.drawn(browser, address)
    assert browser.post(address, {**given, "sex": "2"}).status_code == 302


def test_onset_may_not_follow_the_outcome(world: World, client: Any) -> None:
    today = timezone.localdate()
    words = pages.drawn(client, url(world, "report"))
    sent = {**words, "outcome": "recovered", "outcome_date": str(today - timedelta(days=3))}
    assert client.post(url(world, "report"), sent).status_code == 302
    words = pages.drawn(client, url(world, "illness"))
    answer = client.post(url(world, "illness"), {**words, "onset_date": str(today - timedelta(days=1))})
    assert answer.status_code == 422


def test_the_name_stays_closed_without_the_class_identity(world: World, signed_in: Any) -> None:
    factories.grant(
        world.case, world.colleague, world.supervisor, CasePermission.CHANGE, CasePermission.REACH
    )
    browser = signed_in(world.colleague)
    pages.state_purpose(browser, world.case)
    page = browser.get(url(world, "identity"))
    assert page.status_code == 200
    assert "full_name" not in page.context["form"].fields
    assert "欧阳" not in page.content.decode()
    sent = {**pages.drawn(browser, url(world, "identity")), "full_name": "改名"}
    browser.post(url(world, "identity"), sent)
    assert pages.value(world, world.case, "full_name") == factories.NAME


def test_who_may_only_look_changes_nothing(world: World, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.REACH)
    browser = signed_in(world.colleague)
    assert browser.get(url(world, "reach")).status_code == 404
    assert browser.post(url(world, "reach"), {"town": "x"}).status_code == 404


def test_classifying_is_a_supervisor_s(world: World, client: Any, signed_in: Any, events: Any) -> None:
    assert "classification" not in client.get(url(world, "illness")).context["form"].fields
    browser = signed_in(world.supervisor)
    pages.state_purpose(browser, world.case, "P5")
    words = pages.drawn(browser, url(world, "illness"))
    assert browser.post(url(world, "illness"), {**words, "classification": "excluded"}).status_code == 302
    assert "classified_at" in events("case.change")[0]["fields"]
    assert pages.value(world, world.case, "classification") == "excluded"


def test_a_closed_case_is_not_corrected(world: World, client: Any) -> None:
    with factories.as_person(world.supervisor):
        actions.set_status(Case.objects.get(pk=world.case.pk), "closed", by=world.supervisor)
    assert client.get(url(world, "reach")).status_code == 302
    assert client.post(url(world, "reach"), {"town": "x"}).status_code == 302
    assert pages.value(world, world.case, "town") is None


def test_outsiders_and_other_roles(world: World, signed_in: Any) -> None:
    assert signed_in(world.outsider).get(url(world, "reach")).status_code == 404
    assert signed_in(world.other_supervisor).post(url(world, "reach"), {}).status_code == 404
    assert signed_in(world.auditor).get(url(world, "reach")).status_code == 403
    assert signed_in(world.investigator).get(url(world, "nonsense")).status_code == 404
