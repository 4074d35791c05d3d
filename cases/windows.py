"""Exposure and infectious windows of a case, from its reference day and the disease's parameters."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Protocol

# Days by which a vaguely known onset widens a window on both sides.
WIDENING = {"minute": 0, "hour": 0, "halfday": 0, "day": 0, "approx": 3}


class Parameters(Protocol):
    """The figures of a disease that the windows need, in days."""

    incubation_min_days: Decimal
    incubation_max_days: Decimal
    infectious_before_days: Decimal
    infectious_after_days: Decimal


class CaseDates(Protocol):
    """The dates of a case that the windows need."""

    is_asymptomatic: bool
    onset_date: date | None
    onset_precision: str
    first_positive_date: date | None
    isolated_date: date | None


class Basis(StrEnum):
    """Which day the windows are counted from."""

    ONSET = "onset"
    FIRST_POSITIVE = "first_positive"


@dataclass(frozen=True)
class Window:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day <= self.end

    @property
    def days(self) -> int:
        """How many days the window has."""
        return (self.end - self.start).days + 1

    def overlaps(self, start: date, end: date) -> bool:
        """Does any day of this stretch lie in the window?"""
        return start <= self.end and end >= self.start


@dataclass(frozen=True)
class Reference:
    """The day the windows are counted from, and by how many days it may be wrong."""

    day: date
    basis: Basis
    slack_days: int


@dataclass(frozen=True)
class Windows:
    """Both windows of a case."""

    reference: Reference
    exposure: Window
    infectious: Window


def reference(case: CaseDates) -> Reference | None:
    """Onset, or the first positive sample of a person without symptoms; None while neither is known."""
    if case.onset_date is not None and not case.is_asymptomatic:
        return Reference(case.onset_date, Basis.ONSET, WIDENING.get(case.onset_precision, 0))
    if case.first_positive_date is not None:
        return Reference(case.first_positive_date, Basis.FIRST_POSITIVE, 0)
    return None


def windows(case: CaseDates, disease: Parameters) -> Windows | None:
    """Both windows, or None while no reference day is known.

    Exposure: [reference - longest incubation, reference - shortest]. Infectious: [reference - days before,
    the earlier of isolation and reference + days after]. Parts of a day round outwards.
    Source: reference/domain: windows; WHO FFX protocol v2 for the look-back.
    """
    ref = reference(case)
    if ref is None:
        return None
    return Windows(ref, exposure_window(ref, disease), infectious_window(ref, disease, case.isolated_date))


def exposure_window(ref: Reference, disease: Parameters) -> Window:
    """The days on which the person was probably infected."""
    start = ref.day - timedelta(days=_up(disease.incubation_max_days) + ref.slack_days)
    end = ref.day - timedelta(days=_down(disease.incubation_min_days)) + timedelta(days=ref.slack_days)
    return Window(start, end)


def infectious_window(ref: Reference, disease: Parameters, isolated_date: date | None) -> Window:
    """The days on which the person could infect others; isolation ends it, but never before its first day."""
    start = ref.day - timedelta(days=_up(disease.infectious_before_days) + ref.slack_days)
    end = ref.day + timedelta(days=_up(disease.infectious_after_days) + ref.slack_days)
    if isolated_date is not None:
        end = max(start, min(end, isolated_date))
    return Window(start, end)


def _up(days: Decimal) -> int:
    return int(Decimal(days).to_integral_value(ROUND_CEILING))


def _down(days: Decimal) -> int:
    return int(Decimal(days).to_integral_value(ROUND_FLOOR))
