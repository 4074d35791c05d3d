"""Values in the reader's words: labels of codes, short dates, people and places by name."""

from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from access.dates import day_words, moment_words
from cases.codes import label
from cases.models import Case
from cases.policy import policy_of


def words(model: type[models.Model], name: str, value: Any) -> str:
    """A plain value of a field as it stands on a page; "" for nothing."""
    if value is None or value in ("", []):
        return ""
    policy = policy_of(model._meta.get_field(name))
    codes = policy.codes if policy else ""
    if isinstance(value, list):
        return _(", ").join(label(codes, str(one)) if codes else str(one) for one in value)
    if codes:
        return label(codes, str(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return moment_words(value)
    return day_words(value) if isinstance(value, date) else str(value)


def plain_words(case: Case, name: str) -> str:
    """A plain column of a case in words; an age comes with its unit."""
    if name == "age_value" and case.age_value is not None:
        return age_words(case.age_value, case.age_unit)
    if name == "district":
        return str(case.district.area)
    return words(Case, name, getattr(case, name))


def age_words(number: int, unit: str) -> str:
    """An age with its unit; years while no unit is said."""
    if unit == "M":
        words = ngettext("%(n)d month", "%(n)d months", number)
    elif unit == "D":
        words = ngettext("%(n)d day", "%(n)d days", number)
    else:
        words = ngettext("%(n)d year", "%(n)d years", number)
    return words % {"n": number}


def field_label(model: type[models.Model], name: str) -> str:
    """What the field is called."""
    return str(getattr(model._meta.get_field(name), "verbose_name", name))
