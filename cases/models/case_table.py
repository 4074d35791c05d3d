"""The table of cases: in which orders it is read, and what the database refuses to hold."""

from typing import Final

from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from cases.codes import code_check

_NEWEST: Final = (F("sort_date").desc(), F("id").desc())
# The columns that hold a code, and the list it is from.
_CODED: Final = {
    "status": "CASE_STATUS",
    "classification": "CASE_CLASS",
    "severity": "SEVERITY",
    "origin": "ORIGIN",
    "detection_route": "DETECTION",
    "onset_precision": "PRECISION",
    "outcome": "OUTCOME",
    "notice_given": "NOTICE",
    "sex": "SEX",
    "age_unit": "AGE_UNIT",
    "id_kind": "ID_KIND",
    "occupation_group": "OCCUPATION",
    "is_health_worker": "YNU",
}

INDEXES: Final = [
    Index(*_NEWEST, name="case_newest"),
    Index(F("district"), *_NEWEST, name="case_newest_in_district"),
    Index(F("city"), *_NEWEST, name="case_newest_in_city"),
    Index(F("province"), *_NEWEST, name="case_newest_in_province"),
]
CONSTRAINTS: Final = [
    UniqueConstraint(name="case_one_per_source_row", fields=["outbreak", "source_token"]),
    *(code_check("case", field, codes) for field, codes in _CODED.items()),
    CheckConstraint(name="case_age_is_possible", condition=Q(age_value__isnull=True) | Q(age_value__lte=130)),
    CheckConstraint(
        name="case_no_onset_without_symptoms",
        condition=Q(is_asymptomatic=False) | Q(onset_date__isnull=True),
    ),
    CheckConstraint(
        name="case_onset_not_after_first_visit",
        condition=Q(onset_date__isnull=True)
        | Q(first_visit_date__isnull=True)
        | Q(onset_date__lte=F("first_visit_date")),
    ),
    CheckConstraint(
        name="case_onset_not_after_outcome",
        condition=Q(onset_date__isnull=True)
        | Q(outcome_date__isnull=True)
        | Q(onset_date__lte=F("outcome_date")),
    ),
]
