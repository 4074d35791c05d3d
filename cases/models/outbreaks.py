"""Outbreaks, the disease parameters they choose, and the counter that numbers their records."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from audit.capture import AuditedModel
from cases.codes import CodeField

CODE = r"^[A-Z0-9]+(-[A-Z0-9]+)*$"
CODE_LENGTH = 16


class DiseaseProfile(models.Model):
    """A disease's figures for windows and observation, each with where it comes from."""

    code = models.CharField(_("code"), max_length=24, unique=True)
    name_en = models.CharField(_("English name"), max_length=80)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    law_class = CodeField(_("class in law"), codes="LAW_CLASS", blank=True)
    incubation_min_days = models.DecimalField(_("shortest incubation (days)"), max_digits=5, decimal_places=1)
    incubation_median_days = models.DecimalField(
        _("median incubation (days)"), max_digits=5, decimal_places=1
    )
    incubation_max_days = models.DecimalField(_("longest incubation (days)"), max_digits=5, decimal_places=1)
    infectious_before_days = models.DecimalField(
        _("infectious before onset (days)"), max_digits=5, decimal_places=1
    )
    infectious_after_days = models.DecimalField(
        _("infectious after onset (days)"), max_digits=5, decimal_places=1
    )
    observation_days = models.PositiveSmallIntegerField(_("observation since last exposure (days)"))
    test_days = models.JSONField(_("days of tests"), default=list, blank=True)
    serial_interval_mean_days = models.DecimalField(
        _("mean serial interval (days)"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    serial_interval_sd_days = models.DecimalField(
        _("standard deviation of the serial interval (days)"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
    )
    source = models.CharField(_("source"), max_length=300)
    source_doi = models.CharField(_("DOI"), max_length=80, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["code"]
        verbose_name = _("disease profile")
        verbose_name_plural = _("disease profiles")
        constraints = [
            models.CheckConstraint(
                name="disease_incubation_in_order",
                condition=Q(incubation_min_days__lte=F("incubation_median_days"))
                & Q(incubation_median_days__lte=F("incubation_max_days")),
            ),
            models.CheckConstraint(
                name="disease_days_not_negative",
                condition=Q(
                    incubation_min_days__gte=0, infectious_before_days__gte=0, infectious_after_days__gte=0
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return self.name_zh if (get_language() or "").startswith("zh") else self.name_en


class Outbreak(AuditedModel):
    """An event under investigation; its end starts the clock of retention."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(
        _("code"),
        max_length=CODE_LENGTH,
        unique=True,
        validators=[RegexValidator(CODE)],
        help_text=_("e.g. YT-2026"),
    )
    name = models.CharField(
        _("working title"),
        max_length=80,
        help_text=_("No person's name, nothing that brands a place or a group."),
    )
    disease = models.ForeignKey(
        DiseaseProfile, on_delete=models.PROTECT, related_name="outbreaks", verbose_name=_("disease")
    )
    organisation = models.ForeignKey(
        "access.Organisation",
        on_delete=models.PROTECT,
        related_name="outbreaks",
        verbose_name=_("responsible organisation"),
    )
    opened_by = models.ForeignKey(
        "access.User", on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by")
    )
    started_on = models.DateField(_("started on"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    legal_basis = models.JSONField(_("legal basis"), default=list)
    optional_fields = models.JSONField(_("optional fields in use"), default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    audited_values = ("code", "started_on", "ended_on")

    class Meta:
        default_permissions = ()
        ordering = ["-started_on", "code"]
        permissions = [
            ("view_outbreaks", "Can see outbreaks"),
            ("open_outbreak", "Can open an outbreak"),
            ("change_outbreak", "Can change or end an outbreak"),
        ]
        verbose_name = _("outbreak")
        verbose_name_plural = _("outbreaks")
        constraints = [
            models.CheckConstraint(name="outbreak_code_is_plain", condition=Q(code__regex=CODE)),
            models.CheckConstraint(
                name="outbreak_ends_after_start",
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def audit_label(self) -> str:
        """How the ledger names this outbreak."""
        return self.code

    @property
    def is_open(self) -> bool:
        """Is the outbreak still under investigation?"""
        return self.ended_on is None


class CaseCounter(models.Model):
    """The last numbers given in an outbreak; a table of its own, because who opens a case updates it."""

    outbreak = models.OneToOneField(
        Outbreak, on_delete=models.PROTECT, primary_key=True, related_name="counter"
    )
    last_case = models.PositiveIntegerField(default=0)
    last_contact = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"counter {self.pk}"
