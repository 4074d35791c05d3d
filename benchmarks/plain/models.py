"""Cases in plain text: the product's columns, the sealed ones as text."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

SEALED = (
    "exposure_kind", "exposure_start_date", "exposure_end_date", "symptoms", "max_temperature", "underlying",
    "complications", "pregnancy", "hospital", "admitted_date", "icu_date", "summary_note", "full_name",
    "id_number", "birth_date", "nationality", "guardian_name", "guardian_relation", "phone", "town", "street",
    "address_detail", "workplace_name", "school_name", "school_class", "interviewee_relation",
)  # fmt: skip
CODES = (
    "id_kind", "sex", "age_unit", "occupation_group", "is_health_worker", "status", "classification",
    "severity", "origin", "detection_route", "onset_precision", "outcome", "notice_given",
)  # fmt: skip
DATES = ("onset_date", "first_positive_date", "first_visit_date", "isolated_date", "outcome_date")
MOMENTS = ("diagnosed_at", "interviewed_at")


class Organisation(models.Model):
    """A CDC."""

    code = models.CharField(max_length=6)
    level = models.CharField(max_length=8)
    parent = models.ForeignKey("self", models.PROTECT, null=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    area_zh = models.CharField(max_length=40)
    area_en = models.CharField(max_length=60)


class Outbreak(models.Model):
    """An outbreak."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    code = models.CharField(max_length=16)
    name = models.CharField(max_length=80)
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    started_on = models.DateField()
    ended_on = models.DateField(null=True)
    legal_basis = models.JSONField(default=list)
    optional_fields = models.JSONField(default=dict)


def _columns() -> dict[str, Any]:
    return {
        **{name: models.TextField(null=True) for name in SEALED},
        **{name: models.CharField(max_length=24, blank=True) for name in CODES},
        **{name: models.DateField(null=True) for name in DATES},
        **{name: models.DateTimeField(null=True) for name in MOMENTS},
    }


class Case(models.Model):
    """A case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case_no = models.CharField(max_length=24, unique=True)
    outbreak = models.ForeignKey(Outbreak, models.PROTECT, related_name="+")
    district = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    city = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True)
    province = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True)
    report_org = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    investigator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    age_value = models.PositiveSmallIntegerField(null=True)
    is_asymptomatic = models.BooleanField(default=False)
    classified_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    sort_date = models.DateField()
    vars().update(_columns())

    class Meta:
        indexes = (models.Index(models.F("sort_date").desc(), models.F("id").desc(), name="plain_newest"),)


class Assignment(models.Model):
    """Whose case it is, with the case's day: a list is a walk over this index."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    case = models.ForeignKey(Case, models.PROTECT)
    sort_date = models.DateField()

    class Meta:
        indexes = (models.Index(fields=["user", "-sort_date", "-case"], name="plain_walk"),)
