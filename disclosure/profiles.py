"""What may leave: the exportable fields, made from the fields' own policies, and the sets to start from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, cast

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from access.purposes import Purpose
from cases.models import Visit
from cases.policy import Policed, policies
from vault.classes import DataClass

Words = str | Promise
GENERAL: Final = "general"
AGE_BAND: Final = "age_band"
VISITS: Final = "visits"
# What the column of movements says of each visit.
VISIT_TIMES: Final = ("start_at", "end_at")
VISIT_DETAILS: Final = ("place_kind", "place_name", "address", "transport", "service_no", "carriage", "seat")
# A visit to the home, the school, the workplace or the hospital says what these fields of the case say.
SAID_BY_VISITS: Final = frozenset(
    {"town", "street", "address_detail", "workplace_name", "school_name", "hospital"}
)

CLASS_WORDS: Final[dict[str, Words]] = {
    GENERAL: pgettext_lazy("data class", "General"),
    DataClass.IDENTITY: pgettext_lazy("data class", "Identity"),
    DataClass.REACH: pgettext_lazy("data class", "Contact details"),
    DataClass.HEALTH: pgettext_lazy("data class", "Health"),
    DataClass.TRAJECTORY: pgettext_lazy("data class", "Movements"),
}
CLASS_ORDER: Final = tuple(CLASS_WORDS)
# A document number never leaves in a table: its last digits are compared inside the system.
NEVER: Final = frozenset({"id_number"})
# These exist for the program's own sake and say nothing that another column does not say.
INTERNAL: Final = frozenset({"sort_date", "city", "province", "classified_at", "id_kind"})
FIRST: Final = (
    "case_no",
    "classification",
    "status",
    "sex",
    AGE_BAND,
    "age_value",
    "age_unit",
    "onset_date",
    "district",
    "full_name",
    "phone",
)
QUASI_IDENTIFIERS: Final = ("sex", AGE_BAND, "age_value", "district")
WIDTHS: Final[dict[str, int]] = {
    "case_no": 18,
    VISITS: 60,
    "summary_note": 60,
    "outbreak": 28,
    "district": 18,
}
DEFAULT_WIDTH: Final = 16


class Form(StrEnum):
    """How a field's value stands in the file."""

    AS_IS = "as_is"
    BAND = "band"
    NEVER = "never"


FORM_WORDS: Final[dict[Form, Words]] = {
    Form.AS_IS: _("as it is"),
    Form.BAND: _("ten-year bands"),
    Form.NEVER: _("never exported"),
}


@dataclass(frozen=True)
class ExportField:
    """A column that an export may hold: its name, heading, data class, and whether it has to be opened.

    `parts`: the headings of what a column of several values is made of; `says`: the fields it repeats.
    """

    name: str
    label: Words
    data_class: str
    is_sealed: bool = False
    form: Form = Form.AS_IS
    purpose: str = ""
    parts: tuple[Words, ...] = ()
    says: frozenset[str] = frozenset()

    @property
    def class_label(self) -> Words:
        return CLASS_WORDS[self.data_class]

    @property
    def form_label(self) -> Words:
        return FORM_WORDS[self.form]

    @property
    def may_leave(self) -> bool:
        return self.form is not Form.NEVER

    @property
    def width(self) -> int:
        return WIDTHS.get(self.name, DEFAULT_WIDTH)


@dataclass(frozen=True)
class FieldSet:
    """A set of fields to start from, for one purpose."""

    code: str
    label: Words
    purpose: str
    names: tuple[str, ...]


# The smallest set comes first and is the default.
STATISTICS: Final = FieldSet(
    "statistics",
    _("Smallest set for statistics"),
    Purpose.STATISTICS,
    ("case_no", "classification", "status", "sex", AGE_BAND, "onset_date", "district"),
)
REPORT: Final = FieldSet(
    "report",
    _("Report to a higher level"),
    Purpose.NOTIFY,
    (
        *("case_no", "outbreak", "classification", "status", "sex", AGE_BAND, "onset_date", "district"),
        *("first_positive_date", "reported_at", "report_org", "occupation_group", "severity", "outcome"),
    ),
)
CUSTOM: Final = FieldSet("custom", _("My own choice"), "", ())
FIELD_SETS: Final = {one.code: one for one in (STATISTICS, REPORT, CUSTOM)}
PURPOSES: Final = (
    Purpose.STATISTICS,
    Purpose.NOTIFY,
    Purpose.SOURCE,
    Purpose.CONTACTS,
    Purpose.ISOLATION,
    Purpose.ACCOUNTABILITY,
)


@cache
def every_field() -> tuple[ExportField, ...]:
    """All fields of a case that a person could wish to take along, even the never exported, in file order."""
    declared = [_from_policy(found) for found in policies("cases.Case") if found.field.name not in INTERNAL]
    declared.append(ExportField(AGE_BAND, _("Age band"), GENERAL, form=Form.BAND, purpose=Purpose.STATISTICS))
    declared.append(_movements())
    return tuple(sorted(declared, key=_file_order))


def visit_heading(name: str) -> Words:
    """What people call a field of a visit."""
    return cast("models.Field[Any, Any]", Visit._meta.get_field(name)).verbose_name


def _movements() -> ExportField:
    return ExportField(
        VISITS,
        _("Movements"),
        DataClass.TRAJECTORY,
        is_sealed=True,
        purpose=Purpose.CONTACTS,
        parts=tuple(visit_heading(name) for name in (*VISIT_TIMES, *VISIT_DETAILS)),
        says=SAID_BY_VISITS,
    )


def _from_policy(found: Policed) -> ExportField:
    policy, field = found.policy, found.field
    health = policy.data_class == DataClass.HEALTH
    data_class = policy.data_class if policy.encrypted or health else GENERAL
    form = Form.NEVER if field.name in NEVER else Form.AS_IS
    return ExportField(
        field.name,
        field.verbose_name,
        data_class,
        is_sealed=policy.encrypted,
        form=form,
        purpose=policy.purpose,
    )


def _file_order(field: ExportField) -> tuple[int, int]:
    if field.name in FIRST:
        return (0, FIRST.index(field.name))
    return (1, CLASS_ORDER.index(field.data_class))


def exportable() -> tuple[ExportField, ...]:
    """The fields that may leave."""
    return tuple(field for field in every_field() if field.may_leave)


def chosen(names: Collection[str]) -> tuple[ExportField, ...]:
    """The fields of these names, in file order. Raises UnknownField for a name that may not leave."""
    found = tuple(field for field in exportable() if field.name in names)
    if len(found) != len(set(names)):
        raise UnknownField(", ".join(sorted(set(names) - {field.name for field in found})))
    return found


class UnknownField(ValueError):
    """A name that is no exportable field."""


def sealed_classes(fields: Sequence[ExportField]) -> list[DataClass]:
    """The data classes that have to be opened for these fields, in their fixed order."""
    wanted = {field.data_class for field in fields if field.is_sealed}
    return [data_class for data_class in DataClass if data_class in wanted]


def left_behind(names: Collection[str]) -> tuple[ExportField, ...]:
    """Protected fields that stay: everything sealed that was not chosen, and that no chosen column repeats."""
    leaves = {*names, *also_said(names)}
    return tuple(field for field in every_field() if field.is_sealed and field.name not in leaves)


def also_said(names: Collection[str]) -> frozenset[str]:
    """Fields that were not chosen and whose values may leave all the same, inside a chosen column."""
    said = {name for field in every_field() if field.name in names for name in field.says}
    return frozenset(said - set(names))


def beyond_purpose(names: Collection[str], purpose: str) -> tuple[ExportField, ...]:
    """The chosen fields that the purpose does not need by itself."""
    needed = needed_for(purpose)
    return tuple(field for field in chosen(names) if field.name not in needed)


def needed_for(purpose: str) -> frozenset[str]:
    """What the purpose needs: traits and days; beyond statistics also what is collected for the purpose."""
    basis = set(STATISTICS.names) - {"case_no"}
    if purpose == Purpose.STATISTICS:
        return frozenset(basis)
    return frozenset(basis | {"case_no"} | {field.name for field in exportable() if field.purpose == purpose})
