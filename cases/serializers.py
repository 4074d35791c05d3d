"""How a record is told over the API: plain columns as they are, protected values masked."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import models

from cases.lists import Shown
from cases.models import Case, Visit
from cases.policy import is_encrypted, policy_of

LISTED = (
    "case_no",
    "status",
    "classification",
    "is_asymptomatic",
    "onset_date",
    "first_positive_date",
    "reported_at",
    "sex",
    "age_value",
    "full_name",
)
SHOWN = Shown(sealed=("full_name",), names=False)


def tell(record: models.Model, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The record's declared fields by name; protected ones as their masked form, links as ids."""
    told: dict[str, Any] = {"id": record.pk}
    for name, attname, is_secret in _told(type(record), names):
        if is_secret:
            secret = getattr(record, name)
            told[name] = None if secret is None else secret.masked
        else:
            told[name] = getattr(record, attname)
    return told


@cache
def _told(model: type[models.Model], names: tuple[str, ...] | None) -> tuple[tuple[str, str, bool], ...]:
    """Name, attribute and secrecy of the declared fields; a list asks for each of its rows."""
    return tuple(
        (field.name, field.attname, is_encrypted(field))
        for field in model._meta.concrete_fields
        if policy_of(field) is not None and (names is None or field.name in names)
    )


def tell_listed(case: Case) -> dict[str, Any]:
    """A case for a list that was read as `SHOWN`."""
    told = tell(case, LISTED)
    return {**told, "outbreak": case.outbreak_code, "district": case.district_code}  # type: ignore[attr-defined]


def tell_case(case: Case, *, whole: bool) -> dict[str, Any]:
    """A case for a search, or whole, with its outbreak's code."""
    told = tell(case, None if whole else LISTED)
    return {**told, "outbreak": case.outbreak.code, "district": case.district.code}


def tell_visit(visit: Visit) -> dict[str, Any]:
    return tell(visit)


def secret_fields(model: type[models.Model]) -> tuple[str, ...]:
    """The names of the model's protected fields."""
    return tuple(field.name for field in model._meta.concrete_fields if is_encrypted(field))
