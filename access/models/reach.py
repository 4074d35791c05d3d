"""Querysets of records about access itself: one's own, those of a supervisor's area, all of them for auditors.

PostgreSQL's policies say the same again (:mod:`access.security`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q

from access.roles import Role

if TYPE_CHECKING:
    from access.models.organisations import Organisation
    from access.models.users import User


def within(organisation: Organisation, path: str) -> Q:
    """Rows whose organisation, at the path, is this one or lies below it."""
    return (
        Q(**{path: organisation})
        | Q(**{f"{path}__parent": organisation})
        | Q(**{f"{path}__parent__parent": organisation})
    )


class Reach(models.QuerySet):  # type: ignore[type-arg]
    """Says by paths whose a record is: of which person, on which case or in which organisation."""

    person_path: ClassVar[str] = ""
    case_path: ClassVar[str] = ""
    organisation_path: ClassVar[str] = ""
    is_for_auditors: ClassVar[bool] = False

    def visible_to(self, user: User) -> Self:
        """An investigator's own, a supervisor's area's; nothing for anyone else but, where it says so, auditors."""
        if user.role == Role.SUPERVISOR:
            if self.case_path:
                return self.filter(**{f"{self.case_path}__{user.organisation.level}": user.organisation_id})
            return self.filter(within(user.organisation, self.organisation_path))
        if user.role == Role.INVESTIGATOR and self.person_path:
            return self.filter(**{self.person_path: user})
        if user.role == Role.AUDITOR and self.is_for_auditors:
            return self.all()
        return self.none()
