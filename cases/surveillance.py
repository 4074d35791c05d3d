"""What surveillance counts: how a case is classified, and the days on which it became ill, was found, and ended."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose
from cases.codes import CodeField
from cases.policy import Need, Retention, Sensitivity, policed
from vault.classes import DataClass

COUNTS = "generalised: counts"
COUNTS_BY_DAY = "generalised: counts by day if >=5"


class Classification(models.Model):
    """How sure and how severe the case is, where it came from and how it was found."""

    classification = policed(
        CodeField(_("Classification"), codes="CASE_CLASS"),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.OPEN,
    )
    classified_at = policed(
        models.DateTimeField(_("Classified at"), default=timezone.now, editable=False),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        search="range",
        disclosure="generalised: counts by day",
        need=Need.AUTOMATIC,
    )
    severity = policed(
        CodeField(_("Severity"), codes="SEVERITY", blank=True),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure="generalised: counts if >=5",
        need=Need.CONDITION,
        condition=_("for a confirmed case"),
    )
    origin = policed(
        CodeField(_("Origin"), codes="ORIGIN", blank=True),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.SUBMIT,
    )
    detection_route = policed(
        CodeField(_("How found"), codes="DETECTION", blank=True),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.SUBMIT,
    )
    is_asymptomatic = policed(
        models.BooleanField(_("No symptoms"), default=False),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.OPEN,
    )

    class Meta:
        abstract = True


class Milestones(models.Model):
    """From onset to outcome: when the person fell ill, was found, reported and isolated."""

    onset_date = policed(
        models.DateField(_("Onset"), null=True, blank=True),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="range",
        disclosure=COUNTS_BY_DAY,
        need=Need.OPEN,
        condition=_("or the first positive sample"),
    )
    onset_precision = policed(
        CodeField(_("Precision of onset"), codes="PRECISION", default="day", blank=True),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        need=Need.CONDITION,
        condition=_("when an onset is given"),
    )
    first_positive_date = policed(
        models.DateField(_("First positive sample"), null=True, blank=True),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="range",
        disclosure=COUNTS,
        need=Need.CONDITION,
        condition=_("without symptoms, or when confirmed"),
    )
    first_visit_date = policed(
        models.DateField(_("First consultation"), null=True, blank=True),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="range",
    )
    diagnosed_at = policed(
        models.DateTimeField(_("Diagnosed at"), null=True, blank=True),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="range",
        disclosure=COUNTS,
        need=Need.CONDITION,
        condition=_("unless suspected"),
    )
    reported_at = policed(
        models.DateTimeField(_("Reported at"), default=timezone.now),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        search="range",
        disclosure=COUNTS,
        need=Need.OPEN,
    )
    report_org = policed(
        models.ForeignKey(
            "access.Organisation", on_delete=models.PROTECT, related_name="+", verbose_name=_("Reported by")
        ),
        purpose=Purpose.NOTIFY,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        search="exact",
        need=Need.OPEN,
    )
    isolated_date = policed(
        models.DateField(_("Isolated"), null=True, blank=True),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="range",
        need=Need.CONDITION,
        condition=_("when confirmed or without symptoms"),
    )
    outcome = policed(
        CodeField(_("Outcome"), codes="OUTCOME", blank=True),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.CONDITION,
        condition=_("to close the case"),
    )
    outcome_date = policed(
        models.DateField(_("Date of outcome"), null=True, blank=True),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="range",
        disclosure=COUNTS,
        need=Need.CONDITION,
        condition=_("when an outcome is given"),
    )

    class Meta:
        abstract = True
