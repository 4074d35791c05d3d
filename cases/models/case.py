"""The case: one infected or suspected person in one outbreak."""

from datetime import UTC
from typing import Any, ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose
from access.visibility import VisibleCases
from cases.clinical import ClinicalCourse
from cases.codes import CodeField
from cases.models.case_table import CONSTRAINTS, INDEXES
from cases.person import Person
from cases.policy import Need, Retention, Sensitivity, policed
from cases.registration import Registration
from cases.surveillance import Classification, Milestones
from cases.windows import Windows, windows
from vault import masks
from vault.classes import DataClass
from vault.fields import EncryptedTextField
from vault.models import EncryptedModel
from vault.queries import EncryptedQuerySet


class CaseQuerySet(VisibleCases, EncryptedQuerySet["Case"]):
    """Cases, by who may see them and what state they are in."""

    def newest_first(self) -> "CaseQuerySet":
        """In the order of lists: latest day first, the id breaks ties."""
        return self.order_by("-sort_date", "-id")

    def unfinished(self) -> "CaseQuerySet":
        """Cases whose investigation still runs."""
        return self.exclude(status__in=["closed", "archived"])


class Case(Registration, Classification, Milestones, Person, ClinicalCourse, EncryptedModel):
    """A case. Plain columns are what lists, statistics and constraints need; see docs/plain-columns.md."""

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
        indexes = INDEXES
        constraints = CONSTRAINTS

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
