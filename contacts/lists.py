"""Pages of contacts by key: under follow-up the earliest end first, so what is overdue leads; ended latest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Count, Q

from access.models import User
from cases.lists import PAGE_SIZE, Cursor
from cases.models import Case
from contacts.follow_up import observation_day
from contacts.models import ENDED, Contact, ContactQuerySet

FILTERS: Final = ("status", "level")
_LISTED: Final = ("source_case__outbreak__disease", "responsible_org")


@dataclass(frozen=True)
class Row:
    """A contact as a list shows it on one day."""

    contact: Contact
    today: date

    @property
    def total(self) -> int:
        """How many days of observation the disease's protocol asks for."""
        days: int = self.contact.source_case.outbreak.disease.observation_days
        return days

    @property
    def day(self) -> int:
        """Which day of observation this is, between 0 and the last."""
        day = observation_day(self.contact.last_contact_date, self.today)
        return max(0, min(day, self.total))

    @property
    def done(self) -> int:
        """Days of observation that lie behind."""
        return self.total if self.is_overdue else max(0, self.day - 1)

    @property
    def shows_today(self) -> bool:
        """Is today a day of observation?"""
        return self.day > 0 and not self.is_overdue

    @property
    def is_overdue(self) -> bool:
        """Has the last day passed without a decision?"""
        return not self.contact.has_ended and self.contact.follow_up_end_date < self.today

    @property
    def ends_today(self) -> bool:
        """Is today the last day, so that a decision is due?"""
        return not self.contact.has_ended and self.contact.follow_up_end_date == self.today


@dataclass(frozen=True)
class Page:
    """Rows in order, and the keys of the pages before and after ("" where there is none)."""

    rows: list[Row]
    before: str
    after: str

    @property
    def contacts(self) -> list[Contact]:
        """The contacts of the rows."""
        return [row.contact for row in self.rows]


def of_cases(user: User, case: Case | None = None) -> ContactQuerySet:
    """All contacts that the person may see, or those of one case."""
    found: ContactQuerySet = Contact.objects.visible_to(user)
    return found if case is None else found.filter(source_case=case)


def page(
    contacts: ContactQuerySet,
    *,
    today: date,
    ended: bool = False,
    cursor: Cursor | None = None,
    filters: Mapping[str, str] | None = None,
) -> Page:
    """One page of these contacts at the cursor, either under follow-up or ended, that match the filters."""
    wanted = {name: value for name, value in (filters or {}).items() if value}
    chosen = contacts.filter(**wanted)
    chosen = chosen.filter(status__in=ENDED) if ended else chosen.under_follow_up()
    backwards = cursor is not None and cursor.newer
    ascending = ended is backwards
    order = "" if ascending else "-"
    if cursor is not None:
        chosen = chosen.filter(_beyond(cursor, ascending=ascending))
    rows = chosen.select_related(*_LISTED).order_by(f"{order}follow_up_end_date", f"{order}id")
    found = list(rows[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    if backwards:
        found.reverse()
    return Page(
        [Row(contact, today) for contact in found],
        before=_key(found, 0, newer=True) if (more if backwards else cursor is not None) else "",
        after=_key(found, -1, newer=False) if (True if backwards else more) else "",
    )


def counts(contacts: ContactQuerySet, today: date) -> dict[str, int]:
    """How many of these contacts are under follow-up, end today and are overdue, in one query."""
    found: dict[str, Any] = contacts.under_follow_up().aggregate(
        overdue=Count("pk", filter=Q(follow_up_end_date__lt=today)),
        due=Count("pk", filter=Q(follow_up_end_date=today)),
        open=Count("pk"),
    )
    return found


def _beyond(cursor: Cursor, *, ascending: bool) -> Q:
    side = "gt" if ascending else "lt"
    later = Q(**{f"follow_up_end_date__{side}": cursor.day})
    return later | Q(follow_up_end_date=cursor.day) & Q(**{f"id__{side}": cursor.case_id})


def _key(found: list[Contact], index: int, *, newer: bool) -> str:
    if not found:
        return ""
    contact = found[index]
    return str(Cursor(contact.follow_up_end_date, contact.pk, newer))
