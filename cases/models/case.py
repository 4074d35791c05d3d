"""The case: one infected or suspected person in one outbreak."""

from datetime import UTC
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models import Organisation
from access.purposes import Purpose
from access.visibility import VisibleCases
from cases.clinical import ClinicalCourse
from cases.codes import CodeField, code_check
from cases.models.outbreaks import Outbreak
from cases.person import Person
from cases.policy import Need, Retention, Sensitivity, policed
from cases.windows import Windows, windows
from vault import masks
from vault.classes import DataClass
from vault.fields import EncryptedTextField
from vault.models import EncryptedModel
from vault.queries import EncryptedQuerySet

COUNTS = "generalised: counts"
COUNTS_BY_DAY = "generalised: counts by day if >=5"


class CaseQuerySet(VisibleCases, EncryptedQuerySet["Case"]):
    """Cases, by who may see them and what state they are in."""

    def newest_first(self) -> "CaseQuerySet":
        """In the order of lists: latest day first, the id breaks ties."""
        return self.order_by("-sort_date", "-id")

    def unfinished(self) -> "CaseQuerySet":
        """Cases whose investigation still runs."""
        return self.exclude(status__in=["closed", "archived"])


class Case(Person, ClinicalCourse, EncryptedModel):
    """A case. Plain columns are what lists, statistics and constraints need; see docs/plain-columns.md."""

    case_no = policed(
        models.CharField(_("Case number"), max_length=24, unique=True, editable=False),
        purpose=Purpose.IDENTIFY,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        search="exact, prefix",
        disclosure="never (bulletin uses none)",
        need=Need.AUTOMATIC,
    )
    outbreak = policed(
        models.ForeignKey(
            Outbreak, on_delete=models.PROTECT, related_name="cases", verbose_name=_("Outbreak")
        ),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        search="exact",
        disclosure="public",
        need=Need.OPEN,
    )
    district = policed(
        models.ForeignKey(
            "access.Organisation",
            on_delete=models.PROTECT,
            related_name="+",
            db_index=False,
            verbose_name=_("District"),
        ),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        search="exact",
        disclosure="generalised: district",
        need=Need.OPEN,
    )
    city = policed(
        models.ForeignKey(
            "access.Organisation",
            on_delete=models.PROTECT,
            related_name="+",
            db_index=False,
            null=True,
            editable=False,
            verbose_name=_("City"),
        ),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        need=Need.AUTOMATIC,
    )
    province = policed(
        models.ForeignKey(
            "access.Organisation",
            on_delete=models.PROTECT,
            related_name="+",
            db_index=False,
            null=True,
            editable=False,
            verbose_name=_("Province"),
        ),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        need=Need.AUTOMATIC,
    )
    status = policed(
        CodeField(_("State of investigation"), codes="CASE_STATUS", default="new"),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        search="exact",
        need=Need.AUTOMATIC,
    )
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
    notice_given = policed(
        CodeField(_("Privacy notice"), codes="NOTICE"),
        purpose=Purpose.ACCOUNTABILITY,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.ACCOUNT,
        search="exact",
        need=Need.OPEN,
    )
    interviewed_at = policed(
        models.DateTimeField(_("Interviewed at"), null=True, blank=True),
        purpose=Purpose.ACCOUNTABILITY,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        search="range",
        need=Need.SUBMIT,
    )
    investigator = policed(
        models.ForeignKey(
            "access.User",
            on_delete=models.PROTECT,
            related_name="+",
            null=True,
            blank=True,
            verbose_name=_("Investigator"),
        ),
        purpose=Purpose.ACCOUNTABILITY,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.ACCOUNT,
        search="exact",
        need=Need.OPEN,
    )
    sort_date = policed(
        models.DateField(_("Day in lists"), editable=False),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        need=Need.AUTOMATIC,
    )
    interviewee_relation = policed(
        EncryptedTextField(
            DataClass.REACH,
            "case.interviewee_relation",
            verbose_name=_("Who answered"),
            mask=masks.redact,
            max_length=24,
            null=True,
            blank=True,
        ),
        purpose=Purpose.ACCOUNTABILITY,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.EVENT,
        need=Need.OPEN,
        codes="RELATION",
    )
    source_token = models.BinaryField(max_length=16, null=True, editable=False)
    created_by = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CaseQuerySet.as_manager()  # type: ignore[misc, assignment]

    # What the ledger may keep with old and new value; of other fields it keeps names or fingerprints.
    audited_values: ClassVar[tuple[str, ...]] = ("status", "notice_given")
    settled_fields: ClassVar[tuple[str, ...]] = ("city", "province", "sort_date", "changed_at")

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        permissions = [
            ("view_case", "Can see this case"),
            ("change_case", "Can change this case"),
            ("export_case", "Can export this case"),
            ("reveal_identity", "Can open identity"),
            ("reveal_reach", "Can open contact details"),
            ("reveal_health", "Can open health data"),
            ("reveal_trajectory", "Can open movements"),
            ("list_cases", "Can list cases"),
            ("view_cases", "Can look at cases"),
            ("open_case", "Can open a case"),
            ("correct_case", "Can correct cases"),
            ("classify_case", "Can classify cases"),
            ("reveal_values", "Can ask to see masked values"),
            ("view_dictionary", "Can read the data dictionary"),
            ("import_linelist", "Can import a line list"),
        ]
        indexes = [
            models.Index(F("sort_date").desc(), F("id").desc(), name="case_newest"),
            models.Index(
                F("district"), F("sort_date").desc(), F("id").desc(), name="case_newest_in_district"
            ),
            models.Index(F("city"), F("sort_date").desc(), F("id").desc(), name="case_newest_in_city"),
            models.Index(
                F("province"), F("sort_date").desc(), F("id").desc(), name="case_newest_in_province"
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="case_one_per_source_row", fields=["outbreak", "source_token"]),
            code_check("case", "status", "CASE_STATUS"),
            code_check("case", "classification", "CASE_CLASS"),
            code_check("case", "severity", "SEVERITY"),
            code_check("case", "origin", "ORIGIN"),
            code_check("case", "detection_route", "DETECTION"),
            code_check("case", "onset_precision", "PRECISION"),
            code_check("case", "outcome", "OUTCOME"),
            code_check("case", "notice_given", "NOTICE"),
            code_check("case", "sex", "SEX"),
            code_check("case", "age_unit", "AGE_UNIT"),
            code_check("case", "id_kind", "ID_KIND"),
            code_check("case", "occupation_group", "OCCUPATION"),
            code_check("case", "is_health_worker", "YNU"),
            models.CheckConstraint(
                name="case_age_is_possible", condition=Q(age_value__isnull=True) | Q(age_value__lte=130)
            ),
            models.CheckConstraint(
                name="case_no_onset_without_symptoms",
                condition=Q(is_asymptomatic=False) | Q(onset_date__isnull=True),
            ),
            models.CheckConstraint(
                name="case_onset_not_after_first_visit",
                condition=Q(onset_date__isnull=True)
                | Q(first_visit_date__isnull=True)
                | Q(onset_date__lte=F("first_visit_date")),
            ),
            models.CheckConstraint(
                name="case_onset_not_after_outcome",
                condition=Q(onset_date__isnull=True)
                | Q(outcome_date__isnull=True)
                | Q(onset_date__lte=F("outcome_date")),
            ),
        ]

    def __str__(self) -> str:
        return self.case_no

    def save(self, **options: Any) -> None:
        """Save, with city, province and the day in lists brought up to date."""
        self.settle()
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], *self.settled_fields}
        super().save(**options)

    def settle(self) -> None:
        """Fill the columns that follow from others, as the database's trigger does for every writer."""
        if self._state.adding:
            self.place_in(self.district)
        self.sort_date = (
            self.onset_date or self.first_positive_date or self.reported_at.astimezone(UTC).date()
        )
        self.changed_at = timezone.now()

    def place_in(self, district: Organisation) -> None:
        """Put the case into a district and the areas above it."""
        self.district = district
        self.city = district.parent
        self.province = district.parent.parent if district.parent else None

    def get_absolute_url(self) -> str:
        return reverse("cases:detail", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """How the ledger names this case."""
        return self.case_no

    @property
    def windows(self) -> Windows | None:
        """Exposure and infectious window, or None while no reference day is known."""
        return windows(self, self.outbreak.disease)

    @property
    def is_closed(self) -> bool:
        """Has the investigation ended?"""
        return self.status in ("closed", "archived")
