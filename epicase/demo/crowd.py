"""The contacts of each case; those it infected are among them."""

from datetime import date, timedelta

import numpy as np

from epicase.demo.facts import Calendar, DemoCase, DemoContact
from epicase.demo.people import People, Person
from epicase.demo.spread import Infection

CONTACTS_MEAN, CONTACTS_DISPERSION = 10.0, 1.0
OBSERVATION_DAYS = 7
LOOK_BACK_DAYS = 2
# setting: relations, how exposed
CONTACT_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "household": (("spouse", "parent", "child", "household"), ("live", "meal")),
    "work": (("colleague",), ("work", "room")),
    "meal": (("friend", "relative", "stranger"), ("meal", "room")),
    "market": (("service", "stranger"), ("room", "environment")),
    "entertainment": (("friend", "stranger"), ("entertain", "room")),
    "school": (("classmate", "teacher"), ("class", "room")),
    "health": (("patient_staff", "stranger"), ("care", "room")),
    "transport": (("passenger",), ("transport",)),
    "community": (("neighbour", "friend"), ("room", "toilet")),
}
SETTING_WEIGHTS = (0.2, 0.25, 0.15, 0.07, 0.06, 0.1, 0.05, 0.06, 0.06)
LEVELS, LEVEL_WEIGHTS = ("close", "secondary", "general"), (0.6, 0.25, 0.15)


def contacts(
    rng: np.random.Generator,
    cases: list[DemoCase],
    infections: list[Infection],
    people: People,
    calendar: Calendar,
) -> list[DemoContact]:
    """The contacts of all cases; a second-order contact names the position of its parent in the list."""
    infected_by: dict[int, list[Infection]] = {}
    for one in infections:
        if one.infector is not None:
            infected_by.setdefault(one.infector, []).append(one)
    maker = _Maker(rng, people, calendar)
    for case in cases:
        maker.meet(case, [(one, cases[one.number].person) for one in infected_by.get(case.number, [])])
    return maker.made


class _Maker:
    def __init__(self, rng: np.random.Generator, people: People, calendar: Calendar) -> None:
        self._rng, self._people, self._calendar = rng, people, calendar
        self.made: list[DemoContact] = []

    def meet(self, case: DemoCase, infected: list[tuple[Infection, Person]]) -> None:
        """Adds the contacts of one case: negative binomial, mean 10, k 1, at least those infected."""
        chance = CONTACTS_DISPERSION / (CONTACTS_DISPERSION + CONTACTS_MEAN)
        wanted = int(self._rng.negative_binomial(CONTACTS_DISPERSION, chance))
        close: list[int] = []
        for one, person in infected:
            close.append(len(self.made))
            last = self._calendar.moment(one.infected).date()
            self._add(case, person, one.setting, level="close", last=last, became_case=one.number)
        for _ in range(wanted - len(infected)):
            level = str(self._rng.choice(LEVELS, p=LEVEL_WEIGHTS))
            level = level if close or level != "secondary" else "close"
            setting = str(self._rng.choice(tuple(CONTACT_KINDS), p=SETTING_WEIGHTS))
            parent = int(self._rng.choice(close)) if level == "secondary" else None
            if level == "close":
                close.append(len(self.made))
            self._add(case, self._person(case, setting), setting, level=level, parent=parent)

    def _add(
        self,
        case: DemoCase,
        person: Person,
        setting: str,
        *,
        level: str,
        last: date | None = None,
        parent: int | None = None,
        became_case: int | None = None,
    ) -> None:
        relations, modes = CONTACT_KINDS[setting]
        last = last or self._last_contact(case)
        first = last - timedelta(days=int(self._rng.integers(0, 3)))
        status = "case" if became_case is not None else self._status(level, last)
        relation = self._relation(case, person, relations)
        self.made.append(
            DemoContact(case.number, person, level, relation, modes, first, last, status, parent, became_case)
        )

    def _person(self, case: DemoCase, setting: str) -> Person:
        if setting == "household":
            return self._people.housemate(case.person)
        near = case.person.district if self._rng.random() < 0.7 else None
        return self._people.stranger(near, {"school": "03", "work": "14"}.get(setting, ""))

    def _relation(self, case: DemoCase, person: Person, relations: tuple[str, ...]) -> str:
        """What the contact is to the case; in a family the ages decide."""
        if "spouse" not in relations:
            return str(self._rng.choice(relations))
        older = person.age - case.person.age
        if abs(older) > 16:
            return "parent" if older > 0 else "child"
        grown = min(person.age, case.person.age) > 21
        return "spouse" if grown and person.sex != case.person.sex else "household"

    def _status(self, level: str, last: date) -> str:
        if (self._calendar.today - last).days > OBSERVATION_DAYS:
            return "lost" if self._rng.random() < 0.02 else "released"
        if level == "general":
            return "home_monitoring"
        return str(self._rng.choice(("under_observation", "to_notify", "referred"), p=(0.8, 0.1, 0.1)))

    def _last_contact(self, case: DemoCase) -> date:
        reference = self._calendar.moment(case.infection.reference).date()
        latest = min(
            case.isolated_at.date() if case.isolated_at else self._calendar.today, self._calendar.today
        )
        earliest = min(reference - timedelta(days=LOOK_BACK_DAYS), latest)
        return earliest + timedelta(days=int(self._rng.integers(0, (latest - earliest).days + 1)))
