"""Days of observation of a contact: when it ends, which day today is, when samples are due."""

from collections.abc import Sequence
from datetime import date, timedelta


def follow_up_end_date(last_contact_date: date, observation_days: int) -> date:
    """Last day of follow-up, inclusive. The day of last contact is day 0.

    Source: the disease's protocol; e.g. WHO, Contact tracing in the context of COVID-19 (2020): 14 days.
    """
    return last_contact_date + timedelta(days=observation_days)


def observation_day(last_contact_date: date, day: date) -> int:
    """Which day of observation this is; 0 is the day of last contact, negative before it."""
    return (day - last_contact_date).days


def due_dates(last_contact_date: date, observation_days: int) -> list[date]:
    """Every day on which a follow-up is due: day 1 to the last day, both included."""
    return [last_contact_date + timedelta(days=n) for n in range(1, observation_days + 1)]


def sample_dates(last_contact_date: date, test_days: Sequence[int]) -> list[date]:
    """The days on which the protocol asks for a sample."""
    return [last_contact_date + timedelta(days=n) for n in sorted(test_days)]


def is_over(last_contact_date: date, observation_days: int, today: date) -> bool:
    """Has the last day of follow-up passed?"""
    return today > follow_up_end_date(last_contact_date, observation_days)
