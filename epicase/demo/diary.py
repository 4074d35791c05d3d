"""Where each case was, day by day: work or school, outings, home; and the visits that two cases shared."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import numpy as np

from epicase.demo.city import Place, Popularity
from epicase.demo.people import Person

DAYS_BEFORE = 14
HOME = -1
TRANSIT = -2
OUTINGS = ("restaurant", "market", "mall", "entertainment", "gym", "park", "pharmacy", "gov")
OUTING_WEIGHTS = (0.28, 0.2, 0.2, 0.09, 0.05, 0.12, 0.04, 0.02)
RIDES = ("walk", "bus", "metro", "car", "bicycle", "motorbike", "taxi")
RIDE_WEIGHTS = (0.32, 0.2, 0.12, 0.14, 0.08, 0.09, 0.05)
PLANTED = 0.01


@dataclass(frozen=True, slots=True)
class Stay:
    """One stretch of time at a place; `place` is a place's number, HOME or TRANSIT. Times are local."""

    start: datetime
    end: datetime
    place: int
    transport: str = ""
    service_no: str = ""
    carriage: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """What does not change from day to day for one person."""

    person: Person
    daily_place: int | None


def reserve(stays: list[Stay], stay: Stay) -> None:
    """Adds a stay that must happen; another reserved one at that time is kept too (they met both)."""
    if stay not in stays:
        stays.append(stay)


def fill(
    rng: np.random.Generator,
    habits: Habits,
    reserved: list[Stay],
    popularity: Popularity,
    *,
    reference: date,
    until: datetime,
) -> list[Stay]:
    """The whole diary, in order of time: from 14 days before the reference day until isolation."""
    stays: list[Stay] = []
    day = reference - timedelta(days=DAYS_BEFORE)
    while day <= until.date():
        fixed = [stay for stay in reserved if stay.start.date() == day]
        stays += _day(rng, habits, fixed, day, popularity, is_ill=day > reference)
        day += timedelta(days=1)
    kept = [stay for stay in stays if stay.start < until]
    cut = [replace(stay, end=min(stay.end, until)) for stay in kept]
    return _with_planted_overlaps(rng, sorted(cut, key=lambda stay: stay.start))


def _day(
    rng: np.random.Generator,
    habits: Habits,
    fixed: list[Stay],
    day: date,
    popularity: Popularity,
    *,
    is_ill: bool,
) -> list[Stay]:
    stays = sorted(fixed, key=lambda stay: stay.start)
    person = habits.person
    goes_out = habits.daily_place is not None and day.weekday() < 5 and not (is_ill and rng.random() < 0.5)
    if goes_out and habits.daily_place is not None:
        start, end = _clock(rng, day, 8, 30, 20), _clock(rng, day, 17, 20, 40)
        if rng.random() < 0.3:
            noon = _clock(rng, day, 12, 6, 10)
            lunch = popularity.choose("restaurant", person.district)
            stays += _outside(
                stays, noon, noon + timedelta(minutes=36), lunch.number, shortest=20, ride="walk"
            )
        stays += _outside(stays, start, end, habits.daily_place, shortest=45, ride=_ride(rng))
        outings = [(18, 30)] if rng.random() < (0.25 if is_ill else 0.65) else []
    else:
        outings = [(9, 30), (15, 0)][: int(rng.integers(0 if is_ill else 1, 3))]
    for hour, minute in outings:
        start = _clock(rng, day, hour, minute, 30)
        end = start + timedelta(minutes=int(rng.integers(25, 110)))
        kind = "hospital" if is_ill and rng.random() < 0.4 else str(rng.choice(OUTINGS, p=OUTING_WEIGHTS))
        place = popularity.choose(kind, person.district)
        stays += _outside(stays, start, end, place.number, shortest=20, ride=_ride(rng))
    # One evening in eight is not remembered: a gap for the investigator to ask about.
    if rng.random() > 0.12:
        last = max((stay.end for stay in stays), default=datetime.combine(day, time(19)))
        home_from = max(
            last + timedelta(minutes=int(rng.integers(12, 50))), datetime.combine(day, time(18, 30))
        )
        midnight = datetime.combine(day, time(23, 59))
        if home_from < midnight - timedelta(minutes=30):
            stays.append(Stay(home_from, midnight, HOME, _ride(rng)))
    return stays


def _outside(
    taken: list[Stay], start: datetime, end: datetime, place: int, *, shortest: int, ride: str
) -> list[Stay]:
    """The parts of [start, end] that no taken stay (and the way to it) covers."""
    pieces = [(start, end)]
    way = timedelta(minutes=10)
    for stay in taken:
        pieces = [
            piece
            for low, high in pieces
            for piece in ((low, min(high, stay.start - way)), (max(low, stay.end + way), high))
            if piece[1] > piece[0]
        ]
    return [Stay(low, high, place, ride) for low, high in pieces if high - low >= timedelta(minutes=shortest)]


def _clock(rng: np.random.Generator, day: date, hour: int, minute: int, spread: int) -> datetime:
    moment = datetime.combine(day, time(hour, minute)) + timedelta(
        minutes=int(rng.integers(-spread, spread + 1))
    )
    return moment - timedelta(minutes=moment.minute % 2)


def _ride(rng: np.random.Generator) -> str:
    return str(rng.choice(RIDES, p=RIDE_WEIGHTS))


def _with_planted_overlaps(rng: np.random.Generator, stays: list[Stay]) -> list[Stay]:
    """One stay in a hundred ends half an hour after the next has begun: a mistake to be found."""
    result = list(stays)
    for index in range(len(result) - 1):
        stay, following = result[index], result[index + 1]
        late = following.start + timedelta(minutes=30)
        if not stay.is_shared and rng.random() < PLANTED and stay.end < late < following.end:
            result[index] = replace(stay, end=late)
    return result


def shared_stay(
    rng: np.random.Generator, moment: datetime, place: Place | None, *, setting: str
) -> tuple[Stay, Stay]:
    """The two stays, one of each person, that overlap by at least 20 minutes on the day of the infection.

    No place means the common home. The hour is moved into the hours in which such a place is visited.
    """
    if setting == "transport":
        start = datetime.combine(
            moment.date(), time(7 + int(rng.integers(0, 12)), 2 * int(rng.integers(0, 20)))
        )
        line, carriage = f"{int(rng.integers(2, 40))}路", str(int(rng.integers(1, 7)))
        first = Stay(start, start + timedelta(minutes=34), TRANSIT, "bus", line, carriage, is_shared=True)
        six = timedelta(minutes=6)
        return first, replace(first, start=first.start + six, end=first.end + six)
    number = HOME if place is None else place.number
    lowest, highest = (19, 21) if place is None else (9, 18)
    hour = min(max(moment.hour, lowest), highest)
    start = datetime.combine(moment.date(), time(hour, 2 * int(rng.integers(0, 25))))
    length = timedelta(minutes=int(rng.integers(45, 120)))
    late = timedelta(minutes=int(rng.integers(0, 24)))
    return (
        Stay(start, start + length, number, _ride(rng), is_shared=True),
        Stay(start + late, start + late + length, number, _ride(rng), is_shared=True),
    )
