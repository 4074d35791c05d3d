"""Moving a part of the tree of organisations, and merging two districts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count, QuerySet
from django.utils import timezone

from access.models import Organisation, User
from audit import trail
from audit.acts import Act

Level = Organisation.Level
ABOVE: Final = {Level.DISTRICT: Level.CITY, Level.CITY: Level.PROVINCE}


class OrganisationRefused(Exception):
    """The tree may not be changed like this; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Weight:
    """How much a change takes along."""

    people: int
    cases: int


def tree() -> QuerySet[Organisation]:
    """All organisations in the order of the tree, with the people of each."""
    rows = Organisation.objects.select_related("parent__parent", "merged_into")
    return rows.annotate(n_people=Count("users")).order_by("code")


def weight(place: Organisation) -> Weight:
    """People and cases of the organisation and all below it; zero for whoever may not know."""
    with connection.cursor() as cursor:
        cursor.execute("select n_people, n_cases from sec.weight(%s)", [place.pk])
        row = cursor.fetchone()
    return Weight(*row) if row else Weight(0, 0)


def possible_parents(place: Organisation) -> QuerySet[Organisation]:
    """Where the organisation may be moved to: open ones of the level above, but for where it is."""
    rows = Organisation.objects.filter(level=ABOVE.get(Level(place.level), ""), closed_at__isnull=True)
    return rows if place.parent_id is None else rows.exclude(pk=place.parent_id)


def possible_survivors(place: Organisation) -> QuerySet[Organisation]:
    """Into which the organisation may be merged: other open districts, for a district."""
    if place.level != Level.DISTRICT:
        return Organisation.objects.none()
    return Organisation.objects.filter(level=Level.DISTRICT, closed_at__isnull=True).exclude(pk=place.pk)


def move(place: Organisation, to: Organisation, *, by: User) -> Weight:
    """Put a district under another city, a city under another province; its cases are seen from there at once.

    Raises OrganisationRefused: closed ("closed"), or not one of `possible_parents` ("level"). Grants stay.
    """
    if place.closed_at is not None:
        raise OrganisationRefused("closed")
    if not possible_parents(place).filter(pk=to.pk).exists():
        raise OrganisationRefused("level")
    moved, before = weight(place), place.parent_id
    place.parent = to
    place.save(update_fields=["parent"])
    trail.record(
        Act.ORGANISATION_MOVE,
        place,
        counts={"people": moved.people, "cases": moved.cases},
        extra={"old_parent": before, "new_parent": to.pk},
    )
    return moved


def merge(place: Organisation, into: Organisation, *, by: User) -> Weight:
    """Close a district: its cases, contacts, people and teams go to another one. This is not undone.

    Raises OrganisationRefused: closed ("closed"), or not one of `possible_survivors` ("level").
    """
    if place.closed_at is not None:
        raise OrganisationRefused("closed")
    if not possible_survivors(place).filter(pk=into.pk).exists():
        raise OrganisationRefused("level")
    moved = weight(place)
    place.merged_into, place.closed_at = into, timezone.now()
    place.save(update_fields=["merged_into", "closed_at"])
    trail.record(
        Act.ORGANISATION_MERGE,
        place,
        subjects=[into],
        counts={"people": moved.people, "cases": moved.cases},
        extra={"into": into.pk},
    )
    return moved
