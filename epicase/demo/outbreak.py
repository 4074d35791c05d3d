"""The synthetic outbreak: about 200 cases, 2,000 contacts, 10,000 visits; the same for the same seed and day.

The outbreak reaches until yesterday, so the demonstration looks alive. What really happened (who infected
whom, where, which mistakes were planted) is kept apart in `truth`, to score chain and co-location finders.
"""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from epicase.demo import city, diary, people
from epicase.demo.city import Popularity
from epicase.demo.clinic import case_of, infected_people
from epicase.demo.crowd import contacts
from epicase.demo.diary import Habits, Stay
from epicase.demo.facts import Calendar, DemoLink, Outbreak
from epicase.demo.people import People
from epicase.demo.spread import Infection, spread

SEED = 235
DAYS = 56
FOUND = 0.95
PLANTED = 0.01

PLACE_OF_SETTING = {
    "meal": "restaurant",
    "market": "market",
    "entertainment": "entertainment",
    "health": "hospital",
    "community": "park",
}


def generate(today: date, *, seed: int = SEED, days: int = DAYS) -> Outbreak:
    """The outbreak as it is known on that day."""
    # Each step draws from a stream of its own, so that changing one leaves the others as they were.
    town, days_out, met, clinic, slips, homes = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(6)
    )
    calendar, crowd = Calendar(today, days), People(seed, today)
    infections = spread(np.random.default_rng(seed), days=days)
    places = city.build(town)
    popularity = Popularity(places, days_out)
    persons, daily = infected_people(homes, infections, crowd, popularity)
    shared, meetings = _meetings(days_out, infections, daily, popularity, calendar)
    cases = [
        case_of(
            clinic,
            one,
            persons[one.number],
            daily_place=daily[one.number],
            shared=shared[one.number],
            calendar=calendar,
        )
        for one in infections
    ]
    visits = {
        case.number: diary.fill(
            days_out,
            Habits(case.person, case.daily_place),
            shared[case.number],
            popularity,
            reference=calendar.moment(case.infection.reference).date(),
            until=case.isolated_at or calendar.now,
        )
        for case in cases
    }
    met_by_cases = contacts(met, cases, infections, crowd, calendar)
    outbreak = Outbreak(today, places, cases, visits, met_by_cases, _found_links(slips, infections))
    outbreak.truth = {"seed": seed, "today": today.isoformat(), "links": meetings}
    _plant_mistakes(slips, outbreak)
    return outbreak


def _meetings(
    rng: np.random.Generator,
    infections: list[Infection],
    daily: dict[int, int | None],
    popularity: Popularity,
    calendar: Calendar,
) -> tuple[dict[int, list[Stay]], list[dict[str, Any]]]:
    """The stays that infector and infectee share, by case, and the same as truth."""
    shared: dict[int, list[Stay]] = {one.number: [] for one in infections}
    truth: list[dict[str, Any]] = []
    for one in infections:
        if one.infector is None:
            continue
        place = None
        if one.setting in PLACE_OF_SETTING:
            place = popularity.choose(
                PLACE_OF_SETTING[one.setting], int(rng.integers(0, len(city.DISTRICTS)))
            )
        elif one.setting in ("work", "school"):
            place = popularity.place(daily[one.number])
        first, second = diary.shared_stay(rng, calendar.moment(one.infected), place, setting=one.setting)
        diary.reserve(shared[one.infector], first)
        diary.reserve(shared[one.number], second)
        truth.append(
            {
                "infector": one.infector,
                "infectee": one.number,
                "setting": one.setting,
                "place": "home" if place is None else place.number,
                "from": max(first.start, second.start).isoformat(),
                "to": min(first.end, second.end).isoformat(),
            }
        )
    return shared, truth


def _found_links(rng: np.random.Generator, infections: list[Infection]) -> list[DemoLink]:
    """The transmissions the investigation found: 19 in 20 of the true ones."""
    found = []
    for one in infections:
        if one.infector is not None and rng.random() < FOUND:
            certainty = str(rng.choice(("3", "2", "1"), p=(0.6, 0.3, 0.1)))
            found.append(DemoLink(one.infector, one.number, one.setting, certainty))
    return found


def _plant_mistakes(rng: np.random.Generator, outbreak: Outbreak) -> None:
    """One record in a hundred gets a mistake: a check digit, full-width digits, or the same person twice."""
    planted: list[dict[str, Any]] = []
    for index, case in enumerate(outbreak.cases):
        if rng.random() < PLANTED:
            outbreak.cases[index] = replace(case, person=people.with_wrong_check_digit(case.person))
            planted.append({"kind": "check_digit", "case": case.number})
    for index, contact in enumerate(outbreak.contacts):
        if rng.random() >= PLANTED or contact.became_case is not None:
            continue
        kind = str(rng.choice(("full_width", "duplicate")))
        if kind == "full_width":
            outbreak.contacts[index] = replace(contact, person=people.with_full_width_phone(contact.person))
        else:
            outbreak.contacts.append(replace(contact, parent=contact.parent))
        planted.append({"kind": kind, "contact": index})
    counts = Counter(slip["kind"] for slip in planted)
    outbreak.truth |= {"planted": planted, "planted_counts": dict(counts)}
