"""Pages of cases, newest first, by key and never by number: (day in lists, id) of the last row leads on.

An investigator's page walks the grants, whose index holds the case's day: 50 grants, then 50 rows by their ids, then
their keys in one call. One join would be slower: the planner underrates ``= any(array)`` (docs/decisions/0006).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from access.models import CaseGrant, User
from access.visibility import CasePermission, permission_id
from cases.models import Case

PAGE_SIZE: Final = 50
FILTERS: Final = ("status", "classification", "outbreak__code", "district_id")
_LISTED: Final = ("outbreak", "district", "investigator")


class NotACursor(ValueError):
    """The text in the address is no key of ours."""


@dataclass(frozen=True)
class Cursor:
    """The key of a row, and on which side of it the wanted page lies."""

    day: date
    case_id: UUID
    newer: bool = False

    def __str__(self) -> str:
        text = f"{'n' if self.newer else 'o'}{self.day.isoformat()}{self.case_id.hex}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """The cursor written in an address; None for the first page. Raises NotACursor."""
        if not text:
            return None
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
            if plain[0] not in "no" or len(plain) != 43:
                raise NotACursor
            return cls(date.fromisoformat(plain[1:11]), UUID(plain[11:]), plain[0] == "n")
        except (ValueError, binascii.Error, UnicodeDecodeError, IndexError) as error:
            raise NotACursor("the address of this page is not complete") from error


@dataclass(frozen=True)
class Shown:
    """What a list reads of its cases; the rest stays in the database, which is half of a list's time.

    sealed: the protected fields that are read, all of them when None.
    names: whether outbreak, district and investigator come as records; without, the codes of the first two come
    as `outbreak_code` and `district_code`.
    """

    sealed: tuple[str, ...] | None = None
    names: bool = True


ALL: Final = Shown()


@dataclass(frozen=True)
class Page:
    """Cases in order, and where the pages beside them begin ("" where there is none)."""

    cases: list[Case]
    newer: str
    older: str


def page(
    user: User,
    cursor: Cursor | None = None,
    filters: Mapping[str, Any] | None = None,
    *,
    shown: Shown = ALL,
) -> Page:
    """The page of cases at the cursor that the person may see and that match the filters (FILTERS)."""
    wanted = {name: value for name, value in (filters or {}).items() if value}
    if unknown := set(wanted) - set(FILTERS):
        raise ValueError(f"unknown filters: {sorted(unknown)}")
    walks = user.is_investigator and not wanted
    cases = _walk(user, cursor, shown) if walks else _listed(user, cursor, wanted, shown)
    more = len(cases) > PAGE_SIZE
    cases = cases[:PAGE_SIZE]
    backwards = cursor is not None and cursor.newer
    if backwards:
        cases.reverse()
    return Page(
        cases,
        newer=_key(cases, 0, newer=True) if (more if backwards else cursor is not None) else "",
        older=_key(cases, -1, newer=False) if (True if backwards else more) else "",
    )


def _walk(user: User, cursor: Cursor | None, shown: Shown) -> list[Case]:
    grants = CaseGrant.objects.filter(
        user_id=user.pk, permission_id=permission_id(CasePermission.VIEW), expires_at__gt=Now()
    )
    rows = _beside(grants, cursor, "sort_date", "content_object_id")[: PAGE_SIZE + 1]
    ids = list(rows.values_list("content_object_id", flat=True))
    found = {case.pk: case for case in _read(Case.objects.filter(pk__in=ids), shown)}
    return [found[case_id] for case_id in ids if case_id in found]


def _listed(user: User, cursor: Cursor | None, filters: Mapping[str, Any], shown: Shown) -> list[Case]:
    cases = _read(Case.objects.visible_to(user).filter(**filters), shown)
    return list(_beside(cases, cursor, "sort_date", "id")[: PAGE_SIZE + 1])


def _read(cases: QuerySet[Case], shown: Shown) -> QuerySet[Case]:
    """Cases with no more columns than are shown; no role may read a password, no list tells an outbreak's terms."""
    if shown.sealed is not None:
        unread = [field.name for field in Case.encrypted_fields() if field.name not in shown.sealed]
        cases = cases.defer(*unread)
    if not shown.names:
        return cases.annotate(outbreak_code=F("outbreak__code"), district_code=F("district__code"))
    return cases.select_related(*_LISTED).defer(
        "investigator__password", "outbreak__legal_basis", "outbreak__optional_fields"
    )


def _beside(rows: QuerySet[Any], cursor: Cursor | None, day: str, key: str) -> QuerySet[Any]:
    """The rows on the cursor's side, nearest first."""
    if cursor is None:
        return rows.order_by(f"-{day}", f"-{key}")
    if cursor.newer:
        beyond = Q(**{f"{day}__gt": cursor.day}) | Q(**{day: cursor.day, f"{key}__gt": cursor.case_id})
        return rows.filter(beyond, **{f"{day}__gte": cursor.day}).order_by(day, key)
    beyond = Q(**{f"{day}__lt": cursor.day}) | Q(**{day: cursor.day, f"{key}__lt": cursor.case_id})
    return rows.filter(beyond, **{f"{day}__lte": cursor.day}).order_by(f"-{day}", f"-{key}")


def _key(cases: list[Case], index: int, *, newer: bool) -> str:
    return str(Cursor(cases[index].sort_date, cases[index].pk, newer)) if cases else ""
