"""What the synthetic outbreak consists of, before any of it is stored."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from epicase.demo.city import Place
from epicase.demo.diary import Stay
from epicase.demo.people import Person
from epicase.demo.spread import Infection


@dataclass(frozen=True, slots=True)
class Calendar:
    """Turns days since the first infection into local moments; the last of `days` is the day before today."""

    today: date
    days: int

    def moment(self, days: float) -> datetime:
        """The moment so many days after the first infection, on an even minute."""
        start = datetime.combine(self.today - timedelta(days=self.days), time())
        return start + timedelta(minutes=round(days * 24 * 30) * 2)

    @property
    def now(self) -> datetime:
        """The last moment that can be known: the midnight before today."""
        return datetime.combine(self.today, time())


@dataclass(frozen=True, slots=True)
class DemoCase:
    """One case as the investigators know it. Moments are local times without a zone."""

    number: int
    person: Person
    infection: Infection
    onset_date: date | None
    first_positive_date: date
    reported_at: datetime
    isolated_at: datetime | None
    daily_place: int | None
    symptoms: tuple[str, ...]
    underlying: tuple[str, ...]
    status: str
    outcome: str
    outcome_date: date | None


@dataclass(frozen=True, slots=True)
class DemoContact:
    """One contact of a case. `parent` is the position in the list of a second-order contact's parent."""

    case: int
    person: Person
    level: str
    relation: str
    modes: tuple[str, ...]
    first_contact: date
    last_contact: date
    status: str
    parent: int | None
    became_case: int | None


@dataclass(frozen=True, slots=True)
class DemoLink:
    """A transmission that the investigation found."""

    infector: int
    infectee: int
    setting: str
    certainty: str


@dataclass
class Outbreak:
    """Everything the seed command stores."""

    today: date
    places: list[Place]
    cases: list[DemoCase]
    visits: dict[int, list[Stay]]
    contacts: list[DemoContact]
    links: list[DemoLink]
    truth: dict[str, Any] = field(default_factory=dict)

    @property
    def visit_count(self) -> int:
        return sum(map(len, self.visits.values()))
