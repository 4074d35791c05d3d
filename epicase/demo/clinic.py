"""The cases: who fell ill, when it was noticed, and how far the investigation has come."""

from datetime import timedelta

import numpy as np

from epicase.demo.city import Popularity
from epicase.demo.diary import Stay
from epicase.demo.facts import Calendar, DemoCase
from epicase.demo.people import People, Person
from epicase.demo.spread import Infection

# How often infector and infectee live in the same district.
NEIGHBOURS = {
    "work": 0.4,
    "meal": 0.5,
    "market": 0.7,
    "entertainment": 0.4,
    "school": 0.8,
    "health": 0.4,
    "transport": 0.3,
    "community": 0.8,
}
SYMPTOMS = (
    "fever",
    "cough_dry",
    "throat",
    "fatigue",
    "muscle",
    "headache",
    "runny",
    "smell",
    "diarrhoea",
    "breath",
)


def infected_people(
    rng: np.random.Generator, infections: list[Infection], crowd: People, popularity: Popularity
) -> tuple[dict[int, Person], dict[int, int | None]]:
    """The person behind each infection, and where that person works or learns, in the order of infection."""
    persons: dict[int, Person] = {}
    daily: dict[int, int | None] = {}
    for one in sorted(infections, key=lambda infection: infection.infected):
        source = one.infector
        if source is None:
            person = crowd.stranger(0, "10")
        elif one.setting == "household":
            person = crowd.housemate(persons[source])
        else:
            near = persons[source].district if rng.random() < NEIGHBOURS[one.setting] else None
            person = crowd.stranger(near, "03" if one.setting == "school" else "")
        persons[one.number] = person
        daily[one.number] = _daily_place(person, popularity)
        if source is not None and one.setting in ("work", "school"):
            # They share the place of work or learning; who had none before has one now.
            if daily[source] is None:
                daily[source] = popularity.choose("workplace", persons[source].district).number
            daily[one.number] = daily[source]
    return persons, daily


def _daily_place(person: Person, popularity: Popularity) -> int | None:
    if person.learns:
        return popularity.choose("nursery" if person.age < 7 else "school", person.district).number
    if not person.works:
        return None
    kind = {"06": "restaurant", "07": "mall", "08": "hospital", "09": "factory", "10": "factory"}
    return popularity.choose(kind.get(person.occupation, "workplace"), person.district).number


def case_of(
    rng: np.random.Generator,
    one: Infection,
    person: Person,
    *,
    daily_place: int | None,
    shared: list[Stay],
    calendar: Calendar,
) -> DemoCase:
    """The case that this infection became."""
    reference = calendar.moment(one.reference).date()
    reported = calendar.moment(one.reported)
    # Nobody meets anyone after isolation: the last meeting comes first.
    isolated = max([calendar.moment(one.isolated), *(stay.end + timedelta(minutes=20) for stay in shared)])
    age_days = (calendar.today - reported.date()).days
    symptoms = (
        ()
        if one.is_asymptomatic
        else tuple(str(name) for name in rng.choice(SYMPTOMS, size=int(rng.integers(1, 5)), replace=False))
    )
    underlying = ("hypertension",) if person.age > 55 and rng.random() < 0.4 else ("none",)
    recovered = age_days > 16
    return DemoCase(
        number=one.number,
        person=person,
        infection=one,
        onset_date=None if one.is_asymptomatic else reference,
        first_positive_date=reference if one.is_asymptomatic else reported.date(),
        reported_at=reported,
        isolated_at=isolated if isolated < calendar.now else None,
        daily_place=daily_place,
        symptoms=symptoms,
        underlying=underlying,
        status=_work_status(rng, age_days),
        outcome="recovered" if recovered else "treating",
        outcome_date=reported.date() + timedelta(days=14) if recovered else None,
    )


def _work_status(rng: np.random.Generator, age_days: int) -> str:
    if age_days > 21:
        return "closed"
    if age_days > 4:
        return str(rng.choice(("closed", "review", "investigating"), p=(0.4, 0.3, 0.3)))
    return str(rng.choice(("new", "assigned", "investigating"), p=(0.15, 0.2, 0.65)))
