"""The synthetic outbreak is repeatable, of the stated size, and names nobody real."""

import re
import unicodedata
from datetime import date, timedelta
from itertools import pairwise

import pytest
from stdnum.iso7064 import mod_11_2

from epicase.demo import outbreak
from epicase.demo.diary import HOME
from epicase.demo.facts import Outbreak

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def made() -> Outbreak:
    return outbreak.generate(TODAY)


def test_the_same_seed_and_day_give_the_same_outbreak(made: Outbreak) -> None:
    assert outbreak.generate(TODAY) == made


def test_another_seed_gives_another_outbreak(made: Outbreak) -> None:
    assert outbreak.generate(TODAY, seed=1).cases != made.cases


def test_the_figures_are_as_stated(made: Outbreak) -> None:
    assert 190 <= len(made.cases) <= 210
    assert 1_800 <= len(made.contacts) <= 2_300
    assert 9_000 <= made.visit_count <= 11_000
    assert len(made.places) == 400
    assert len({case.person.district for case in made.cases}) == 12
    asymptomatic = sum(case.onset_date is None for case in made.cases)
    assert 0.1 < asymptomatic / len(made.cases) < 0.3


@pytest.mark.parametrize("shift", [0, 1, 3, 100, 400])
def test_the_outbreak_is_alive_on_any_day(shift: int) -> None:
    today = TODAY + timedelta(days=shift)
    made = outbreak.generate(today)
    assert 190 <= len(made.cases) <= 210
    assert max(case.reported_at.date() for case in made.cases) < today
    assert max(case.reported_at.date() for case in made.cases) >= today - timedelta(days=2)
    assert all(stay.end.date() <= today for stays in made.visits.values() for stay in stays)


def test_infector_and_infectee_shared_a_visit(made: Outbreak) -> None:
    links = made.truth["links"]
    assert len(links) == len(made.cases) - 1
    for link in links:
        for number in (link["infector"], link["infectee"]):
            assert any(
                stay.start.isoformat() <= link["from"]
                and stay.end.isoformat() >= link["to"]
                and stay.is_shared
                for stay in made.visits[number]
            ), link


def test_those_infected_are_contacts_of_their_infector(made: Outbreak) -> None:
    converted = {
        (contact.case, contact.became_case) for contact in made.contacts if contact.became_case is not None
    }
    assert converted == {(link["infector"], link["infectee"]) for link in made.truth["links"]}


def test_a_second_order_contact_has_a_close_contact_of_the_same_case(made: Outbreak) -> None:
    for contact in made.contacts:
        assert (contact.level == "secondary") == (contact.parent is not None)
        if contact.parent is not None:
            parent = made.contacts[contact.parent]
            assert (parent.level, parent.case) == ("close", contact.case)


def test_dates_are_in_order(made: Outbreak) -> None:
    for case in made.cases:
        reference = case.onset_date or case.first_positive_date
        assert reference <= case.reported_at.date() < made.today
        assert case.first_positive_date <= made.today
        assert case.isolated_at is None or case.isolated_at > case.reported_at
    for contact in made.contacts:
        assert contact.first_contact <= contact.last_contact <= made.today
    for stays in made.visits.values():
        assert [stay.start for stay in stays] == sorted(stay.start for stay in stays)
        assert all(stay.start < stay.end for stay in stays)


def test_no_number_can_be_somebody_s(made: Outbreak) -> None:
    people = [case.person for case in made.cases] + [contact.person for contact in made.contacts]
    assert all(re.fullmatch(r"99\d{15}[\dX]", person.id_number) for person in people)
    by_number = {person.number: person for person in people}
    phones = {unicodedata.normalize("NFKC", person.phone) for person in by_number.values()}
    assert all(re.fullmatch(r"1000000\d{4}", phone) for phone in phones)
    assert len(phones) == len(by_number)


def test_one_record_in_a_hundred_holds_a_planted_mistake(made: Outbreak) -> None:
    planted = made.truth["planted"]
    records = len(made.cases) + len(made.contacts)
    assert 0.003 < len(planted) / records < 0.02
    assert set(made.truth["planted_counts"]) == {"check_digit", "full_width", "duplicate"}
    wrong = {case.number for case in made.cases if not mod_11_2.is_valid(case.person.id_number)}
    assert wrong == {slip["case"] for slip in planted if slip["kind"] == "check_digit"}


def test_some_visits_overlap_by_mistake(made: Outbreak) -> None:
    overlaps = sum(
        earlier.end > later.start and not earlier.is_shared
        for stays in made.visits.values()
        for earlier, later in pairwise(stays)
    )
    assert 0.002 < overlaps / made.visit_count < 0.03


def test_housemates_share_their_address(made: Outbreak) -> None:
    for link in made.truth["links"]:
        if link["setting"] == "household":
            infector, infectee = (made.cases[link[end]].person for end in ("infector", "infectee"))
            assert infector.address == infectee.address
            assert any(stay.place == HOME for stay in made.visits[link["infectee"]])
