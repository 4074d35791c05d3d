"""Opening a case: it works, it is logged, and bad words change nothing and are kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from cases.models import Case
from tests import factories
from tests.cases import pages
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]
URL = "/cases/open/"


def count(world: World) -> int:
    with factories.as_person(world.supervisor):
        found: int = Case.objects.count()
        return found


def test_one_form_opens_a_case_and_leads_to_its_page(world: World, signed_in: Any, events: Any) -> None:
    client = signed_in(world.investigator)
    answer = client.post(URL, pages.first_form(world))
    assert answer.status_code == 302
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "新**" in page.content.decode()
    assert "100****5566" in page.content.decode()
    event = events("case.create")[0]
    assert {"full_name", "phone", "town", "onset_date"} <= set(event["fields"])
    assert "新种植" not in str(event)


def test_a_person_whose_name_is_not_known_yet(world: World, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    assert client.post(URL, pages.first_form(world, full_name="unknown 1")).status_code == 302


def test_a_supervisor_opens_a_case_too(world: World, signed_in: Any) -> None:
    client = signed_in(world.supervisor)
    answer = client.post(URL, pages.first_form(world))
    assert client.get(answer["Location"]).status_code == 200


def day(days: int) -> str:
    return str(timezone.localdate() + timedelta(days=days))


BAD = [
    ({"phone": "12345"}, "phone"),
    ({"onset_date": "2026-02-30"}, "onset_date"),
    ({"onset_date": "0001-01-01"}, "onset_date"),
    ({"onset_date": "+1"}, "onset_date"),
    ({"onset_date": "0", "reported_at": "-3"}, "onset_date"),
    ({"onset_date": "1926-01-01"}, "onset_date"),
    ({"onset_date": "-400"}, "onset_date"),
    ({"onset_date": "0", "first_positive_date": "-40"}, "first_positive_date"),
    ({"onset_date": ""}, "onset_date"),
    ({"is_asymptomatic": "on"}, "onset_date"),
    ({"id_kind": "01", "id_number": "990101198805152138"}, "id_number"),
    ({"id_number": "990101198805152137"}, "id_kind"),
    ({"sex": "7"}, "sex"),
    ({"classification": "zombie"}, "classification"),
    ({"age_value": "131"}, "age_value"),
    ({"age_value": "40", "age_unit": "M"}, "age_value"),
    ({"full_name": ""}, "full_name"),
    ({"full_name": "张\x00三"}, "full_name"),
    ({"full_name": "张\x1b三"}, "full_name"),
    ({"full_name": "长" * 81}, "full_name"),
    ({"town": "长" * 81}, "town"),
    ({"district": "0"}, "district"),
    ({"outbreak": "OB-NONE"}, "outbreak"),
    ({"reported_at": "+2"}, "reported_at"),
    ({"reported_at": "25:99"}, "reported_at"),
]


@pytest.mark.parametrize(("words", "field"), BAD)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_bad_words_are_refused_beside_their_field(
    world: World, signed_in: Any, words: dict[str, str], field: str, language: str
) -> None:
    words = {name: _dated(name, word) for name, word in words.items()}
    client = signed_in(world.investigator)
    client.post(reverse("access:language"), {"language": language})
    before = count(world)
    answer = client.post(URL, pages.first_form(world, **words))
    assert answer.status_code == 422
    form = answer.context["form"]
    assert field in form.errors
    assert len(form.errors) == 1 + ("is_asymptomatic" in words)
    with translation.override(language):
        message = str(form.errors[field][0])
    assert message.isascii() == (language == "en"), message
    assert form["town"].value() == words.get("town", "示例街道")
    assert count(world) == before


def _dated(name: str, word: str) -> str:
    if word.lstrip("+-").isdigit() and name in ("onset_date", "first_positive_date", "reported_at"):
        return day(int(word)) + ("T08:00" if name == "reported_at" else "")
    return word


def test_a_district_elsewhere_is_not_offered(world: World, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    answer = client.post(URL, pages.first_form(world, district=str(world.other_district.pk)))
    assert answer.status_code == 422
    assert "district" in answer.context["form"].errors


def test_bad_input_is_logged_without_what_was_typed(world: World, signed_in: Any, events: Any) -> None:
    client = signed_in(world.investigator)
    client.post(URL, pages.first_form(world, phone="7777"))
    assert events("input.refused")
    assert "7777" not in str(events())


@pytest.mark.parametrize("role", ["auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_other_roles_open_no_case(world: World, signed_in: Any, role: str) -> None:
    client = signed_in(getattr(world, role))
    assert client.get(URL).status_code == 403
    assert client.post(URL, pages.first_form(world)).status_code == 403


WRONG_SHAPES = [
    ("onset_date", "2026-02-30"),
    ("onset_date", "11/31/2026"),
    ("onset_date", "２０２６-11-01x"),
    ("first_positive_date", "2026-11-31"),
    ("reported_at", "2026-11-31T25:99"),
    ("age_value", "3e"),
    ("age_value", "abc"),
]


@pytest.mark.parametrize(("name", "typed"), WRONG_SHAPES)
def test_what_a_browser_cannot_show_is_not_lost(world: World, signed_in: Any, name: str, typed: str) -> None:
    answer = signed_in(world.investigator).post(URL, pages.first_form(world, **{name: typed}))
    assert answer.status_code == 422
    assert name in answer.context["form"].errors
    drawn = str(answer.context["form"][name])
    assert 'type="text"' in drawn
    assert f'value="{typed}"' in drawn


def test_a_day_written_otherwise_is_not_lost_by_another_mistake(world: World, signed_in: Any) -> None:
    words = {"onset_date": "11/01/2026", "first_positive_date": "2026-11-02", "phone": "12"}
    form = signed_in(world.investigator).post(URL, pages.first_form(world, **words)).context["form"]
    assert "onset_date" not in form.errors
    assert 'type="text"' in str(form["onset_date"])
    assert 'type="date"' in str(form["first_positive_date"])
    assert 'type="number"' in str(form["age_value"])


def test_the_browser_checks_dates_where_no_script_runs(world: World, signed_in: Any) -> None:
    page = signed_in(world.investigator).get(URL).content.decode()
    assert "novalidate" not in page
    assert "data-own-words" in page
