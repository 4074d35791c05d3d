"""Whether the dates of a case, a contact or a day's movements can be true together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from django.utils import timezone
from django.utils.translation import gettext as _

EARLIEST_ISOLATION_DAYS = 14
TOLERATED_OVERLAP = timedelta(hours=2)
FASTEST_KMH = 900
ADULT_ENOUGH = 14
# Nobody investigates what lies more than a year back: so far off, the year was mistyped.
LONGEST_LOOK_BACK_DAYS = 366
# How far beyond the longest incubation a positive sample may precede the onset: the figures are estimates.
POSITIVE_SLACK_DAYS = 14
# Before the case was infected it infected nobody; a month is left for a wrong onset.
CONTACT_SLACK_DAYS = 31


@dataclass(frozen=True)
class Finding:
    """One contradiction: the field to look at, a code, words for the person, and whether it stops saving."""

    field: str
    code: str
    message: str
    is_error: bool = True


@dataclass(frozen=True)
class CaseFacts:
    """The dates and codes of a case as typed; unknown ones stay None or empty.

    `may_fall_ill_later`: the case was reported before; until the longest incubation the onset may follow.
    """

    classification: str = ""
    is_asymptomatic: bool = False
    severity: str = ""
    outcome: str = ""
    onset_date: date | None = None
    first_positive_date: date | None = None
    first_visit_date: date | None = None
    diagnosed_at: datetime | date | None = None
    reported_at: datetime | date | None = None
    isolated_date: date | None = None
    admitted_date: date | None = None
    icu_date: date | None = None
    outcome_date: date | None = None
    birth_date: date | None = None
    age_years: int | None = None
    has_guardian: bool = False
    outbreak_started: date | None = None
    longest_incubation_days: float | None = None
    may_fall_ill_later: bool = False


@dataclass(frozen=True)
class Stay:
    """Where a person was, from arrival to departure; `place` tells one place from another."""

    start: datetime
    end: datetime | None = None
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None


def case_findings(facts: CaseFacts, *, now: datetime | None = None) -> list[Finding]:
    """Everything that contradicts itself in a case."""
    now = now or timezone.now()
    return [*_future(facts, now), *_order(facts), *_too_early(facts), *_too_late(facts), *_codes(facts)]


def exposure_findings(
    start: datetime | date,
    end: datetime | date | None,
    *,
    onset_date: date | None = None,
    incubation_days: tuple[float, float] | None = None,
    now: datetime | None = None,
) -> list[Finding]:
    """What is wrong with a stretch of exposure, given the onset and the incubation (shortest, longest)."""
    today = _day(now or timezone.now())
    first, last = _day(start), _day(end or start)
    found = []
    if first > last:
        found.append(
            Finding("end", "order", _("The exposure ends before it starts. Exchange or correct the dates."))
        )
    if last > today:
        found.append(Finding("end", "future", _("The exposure lies in the future. Check the date.")))
    if onset_date is not None and last > onset_date:
        found.append(Finding("end", "after_onset", _("The last exposure is after onset. Check both dates.")))
    elif onset_date is not None and incubation_days is not None:
        found += _incubation((onset_date - last).days, incubation_days)
    return found


def contact_findings(
    last_contact_date: date,
    *,
    first_contact_date: date | None = None,
    infectious: tuple[date, date] | None = None,
    exposed_from: date | None = None,
    today: date | None = None,
) -> list[Finding]:
    """What is wrong with the dates of a contact.

    `infectious`: the source case's window, with its ends; `exposed_from`: the first day it can be infected.
    """
    found = list(_long_before(exposed_from, first_contact_date, last_contact_date))
    if last_contact_date > (today or timezone.localdate()):
        found.append(
            Finding("last_contact_date", "future", _("The last contact lies in the future. Check the date."))
        )
    if first_contact_date is not None and first_contact_date > last_contact_date:
        message = _("The first contact is after the last. Exchange or correct the dates.")
        found.append(Finding("first_contact_date", "order", message))
    if infectious is not None and not infectious[0] <= last_contact_date <= infectious[1]:
        message = _(
            "The case was not infectious on this day. Check the date, or say that this is no contact."
        )
        found.append(Finding("last_contact_date", "outside_window", message, is_error=False))
    return found


def _long_before(exposed_from: date | None, first: date | None, last: date) -> Iterator[Finding]:
    """Contact before the case can have been infected; people may have known each other for longer."""
    if exposed_from is None:
        return
    message = _("This is long before the case can have been infected. Check the date and its year.")
    if (exposed_from - last).days > CONTACT_SLACK_DAYS:
        yield Finding("last_contact_date", "too_early", message)
    if first is not None and (exposed_from - first).days > LONGEST_LOOK_BACK_DAYS:
        yield Finding("first_contact_date", "too_early", message)


def stay_findings(stays: Sequence[Stay], *, now: datetime | None = None) -> list[list[Finding]]:
    """What is wrong with each stay of one person, in the order given.

    An overlap of more than two hours at different places, or a journey faster than 900 km/h, is an error; a
    shorter overlap is a remark. Cost: one sort and one sweep.
    """
    now = now or timezone.now()
    found: list[list[Finding]] = [list(_single(stay, now)) for stay in stays]
    order = sorted(range(len(stays)), key=lambda n: stays[n].start)
    reach: int | None = None
    for n in order:
        if reach is not None:
            found[n] += _pair(stays[reach], stays[n])
        if reach is None or _end(stays[n]) >= _end(stays[reach]):
            reach = n
    return found


def gaps(stays: Sequence[Stay], longest: timedelta = timedelta(hours=6)) -> list[tuple[datetime, datetime]]:
    """Stretches longer than `longest` about which nothing is known, between the first and the last stay."""
    ordered = sorted(stays, key=lambda stay: stay.start)
    found, known_until = [], None
    for stay in ordered:
        if known_until is not None and stay.start - known_until > longest:
            found.append((known_until, stay.start))
        known_until = max(known_until, _end(stay)) if known_until else _end(stay)
    return found


MOMENTS = (
    "onset_date",
    "first_positive_date",
    "first_visit_date",
    "diagnosed_at",
    "reported_at",
    "isolated_date",
    "admitted_date",
    "icu_date",
    "outcome_date",
)


def _future(facts: CaseFacts, now: datetime) -> Iterator[Finding]:
    today = _day(now)
    for field in MOMENTS:
        value = getattr(facts, field)
        if value is not None and _day(value) > today:
            yield Finding(field, "future", _("This lies in the future. Check the date."))


ORDER = (
    ("onset_date", "first_visit_date"),
    ("first_visit_date", "diagnosed_at"),
    ("onset_date", "diagnosed_at"),
    ("first_positive_date", "diagnosed_at"),
    ("admitted_date", "icu_date"),
    ("onset_date", "outcome_date"),
    ("diagnosed_at", "outcome_date"),
    ("admitted_date", "outcome_date"),
    ("icu_date", "outcome_date"),
    ("birth_date", "onset_date"),
    ("birth_date", "first_positive_date"),
)


# Contacts who are tested may be diagnosed before they fall ill: a remark, no error.
POSSIBLE = {("onset_date", "diagnosed_at")}


def _order(facts: CaseFacts) -> Iterator[Finding]:
    messages = _order_messages()
    for earlier, later in ORDER:
        first, second = getattr(facts, earlier), getattr(facts, later)
        if first is not None and second is not None and _day(first) > _day(second):
            is_error = (earlier, later) not in POSSIBLE
            yield Finding(later, f"before_{earlier}", messages[earlier], is_error)
    if facts.diagnosed_at and facts.reported_at and _day(facts.reported_at) < _day(facts.diagnosed_at):
        message = _("The report is dated before the diagnosis. Check both.")
        yield Finding("reported_at", "before_diagnosed_at", message, is_error=False)
    if _is_isolated_long_before(facts):
        message = _("Isolation starts more than 14 days before onset. Check both dates.")
        yield Finding("isolated_date", "long_before_onset", message)


def _too_early(facts: CaseFacts) -> Iterator[Finding]:
    """Days so far before the outbreak, the report or the onset that one of the two is mistyped."""
    report = None if facts.reported_at is None else _day(facts.reported_at)
    for field in MOMENTS:
        value = getattr(facts, field)
        if value is None:
            continue
        if _is_years_before(_day(value), facts.outbreak_started):
            message = _("This is more than a year before the outbreak began. Check the year.")
            yield Finding(field, "before_outbreak", message)
        elif _is_years_before(_day(value), report):
            message = _("This is more than a year before the report. Check both dates.")
            yield Finding(field, "long_before_report", message)
    if _is_positive_long_before(facts):
        message = _("No incubation is as long as from this sample to the onset. Check both dates.")
        yield Finding("first_positive_date", "long_before_onset", message)


def _too_late(facts: CaseFacts) -> Iterator[Finding]:
    """Nobody who was reported as infected falls ill later than the longest incubation after it."""
    if facts.onset_date is None or facts.reported_at is None:
        return
    days = (facts.onset_date - _day(facts.reported_at)).days
    if days > 0:
        message = _("The onset is after the report. Check both dates.")
        longest = facts.longest_incubation_days or 0 if facts.may_fall_ill_later else 0
        yield Finding("onset_date", "after_report", message, days > longest)


def _is_years_before(day: date, other: date | None) -> bool:
    return other is not None and (other - day).days > LONGEST_LOOK_BACK_DAYS


def _is_positive_long_before(facts: CaseFacts) -> bool:
    onset, positive, longest = facts.onset_date, facts.first_positive_date, facts.longest_incubation_days
    if onset is None or positive is None or longest is None:
        return False
    return (onset - positive).days > longest + POSITIVE_SLACK_DAYS


def _is_isolated_long_before(facts: CaseFacts) -> bool:
    if facts.onset_date is None or facts.isolated_date is None:
        return False
    return (facts.onset_date - facts.isolated_date).days > EARLIEST_ISOLATION_DAYS


def _order_messages() -> dict[str, str]:
    return {
        "onset_date": _("This is before the onset. Check both dates."),
        "first_visit_date": _("This is before the first consultation. Check both dates."),
        "first_positive_date": _("This is before the first positive sample. Check both dates."),
        "diagnosed_at": _("This is before the diagnosis. Check both dates."),
        "admitted_date": _("This is before the admission. Check both dates."),
        "icu_date": _("This is before intensive care. Check both dates."),
        "birth_date": _("This is before the birth date. Check both dates."),
    }


def _codes(facts: CaseFacts) -> Iterator[Finding]:
    if (
        facts.severity
        and facts.severity != "asymptomatic"
        and facts.classification not in ("confirmed", "clinical")
    ):
        yield Finding(
            "severity", "not_confirmed", _("Severity needs a confirmed or clinically diagnosed case.")
        )
    if facts.is_asymptomatic and facts.onset_date is not None:
        message = _(
            "A person without symptoms has no onset. Clear the date, or say that there were symptoms."
        )
        yield Finding("onset_date", "asymptomatic", message)
    if not facts.is_asymptomatic and facts.onset_date is None and facts.first_positive_date is None:
        yield Finding(
            "onset_date",
            "missing",
            _("Enter the onset, or the first positive sample if the onset is unknown."),
        )
    if facts.is_asymptomatic and facts.first_positive_date is None:
        message = _("Enter the first positive sample: without symptoms, the windows are counted from it.")
        yield Finding("first_positive_date", "missing", message)
    if facts.age_years is not None and facts.age_years < ADULT_ENOUGH and not facts.has_guardian:
        message = _("A child under 14 needs a guardian. Enter the guardian's name.")
        yield Finding("guardian_name", "minor", message, is_error=False)


def _incubation(days: int, bounds: tuple[float, float]) -> list[Finding]:
    shortest, longest = bounds
    if shortest <= days <= longest:
        return []
    message = _(
        "From the last exposure to onset it took %(days)d days, no known incubation. Check both dates."
    )
    return [Finding("end", "incubation", message % {"days": days}, is_error=False)]


def _single(stay: Stay, now: datetime) -> Iterator[Finding]:
    if stay.end is not None and stay.end < stay.start:
        yield Finding("end_at", "order", _("The stay ends before it starts. Correct one of the times."))
    if stay.start > now:
        yield Finding("start_at", "future", _("This lies in the future. Check the date."))


def _pair(before: Stay, after: Stay) -> Iterator[Finding]:
    overlap = min(_end(before), _end(after)) - after.start
    if overlap > timedelta() and before.place != after.place:
        minutes = int(overlap.total_seconds() // 60)
        message = _(
            "Overlaps another row by %(minutes)d minutes. One person cannot be in both: change one time."
        )
        yield Finding(
            "start_at", "overlap", message % {"minutes": minutes}, is_error=overlap > TOLERATED_OVERLAP
        )
    elif is_too_fast(before, after):
        message = _("Nobody travels this far in that time. Check the place and both times.")
        yield Finding("start_at", "speed", message)


def is_too_fast(before: Stay, after: Stay) -> bool:
    """Would the way between two stays need more than 900 km/h? False while a position is unknown."""
    positions = (before.latitude, before.longitude, after.latitude, after.longitude)
    if any(value is None for value in positions):
        return False
    hours = max((after.start - _end(before)).total_seconds() / 3600, 1 / 60)
    return _kilometres(*(float(value) for value in positions if value is not None)) / hours > FASTEST_KMH


def _kilometres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance (haversine, mean earth radius 6371 km)."""
    dlat, dlon = radians(lat2 - lat1), radians(lon2 - lon1)
    h = sin(dlat / 2) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(dlon / 2) ** 2
    return 2 * 6371 * asin(min(1.0, sqrt(h)))


def _end(stay: Stay) -> datetime:
    return stay.end if stay.end is not None and stay.end >= stay.start else stay.start


def _day(value: date | datetime) -> date:
    """The local calendar day of a moment; a date stays itself."""
    if isinstance(value, datetime):
        return timezone.localdate(value) if timezone.is_aware(value) else value.date()
    return value
