"""The sections of a case: which fields stand together on its page and are corrected together."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cases.policy import Words


@dataclass(frozen=True)
class Section:
    """Fields of the case under one heading, in the order in which they are asked."""

    code: str
    title: Words
    fields: tuple[str, ...]


SECTIONS = (
    Section(
        "identity",
        _("Identity"),
        (
            "full_name", "sex", "age_value", "age_unit", "birth_date", "id_kind", "id_number", "nationality",
            "occupation_group", "is_health_worker", "guardian_name", "guardian_relation",
        ),
    ),
    Section(
        "reach",
        _("Contact details"),
        (
            "phone", "interviewee_relation", "district", "town", "street", "address_detail", "workplace_name",
            "school_name", "school_class",
        ),
    ),
    Section(
        "illness",
        _("Onset and care"),
        (
            "classification", "severity", "is_asymptomatic", "onset_date", "onset_precision",
            "first_positive_date", "first_visit_date", "diagnosed_at", "isolated_date", "symptoms",
            "max_temperature", "underlying", "complications", "pregnancy", "hospital", "admitted_date",
            "icu_date",
        ),
    ),
    Section(
        "exposure",
        pgettext_lazy("section", "Exposure"),
        ("origin", "detection_route", "exposure_kind", "exposure_start_date", "exposure_end_date"),
    ),
    Section(
        "report",
        _("Report and outcome"),
        (
            "reported_at", "report_org", "interviewed_at", "notice_given", "outcome", "outcome_date",
            "summary_note",
        ),
    ),
)  # fmt: skip
BY_CODE = {section.code: section for section in SECTIONS}
