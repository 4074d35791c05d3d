"""Contacts of cases, and who infected whom."""

import uuid
from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose
from access.visibility import VisibleWithCase
from audit.capture import AuditedModel
from cases.codes import CodeField, code_check, code_list
from cases.models import Case
from cases.person import Person
from cases.policy import Need, Retention, Sensitivity, policed
from contacts.follow_up import follow_up_end_date
from vault import masks
from vault.classes import DataClass
from vault.fields import EncryptedDateField, EncryptedJSONField, EncryptedTextField
from vault.models import EncryptedModel
from vault.queries import EncryptedQuerySet

COUNTS = "generalised: counts"
ENDED = ("released", "case", "lost", "cancelled")


class ContactQuerySet(VisibleWithCase, EncryptedQuerySet["Contact"]):
    """Contacts, by who may see their source case and what state they are in."""

    case_path = "source_case"

    def under_follow_up(self) -> "ContactQuerySet":
        """Contacts that are still to be notified or observed."""
        return self.exclude(status__in=ENDED)

    def overdue(self, today: date) -> "ContactQuerySet":
        """Contacts whose observation has passed its last day without a decision."""
        return self.under_follow_up().filter(follow_up_end_date__lt=today)


class Contact(Person, EncryptedModel):
    """A person who met a case. A scope of its own, opened by the grants of the source case."""

    contact_no = policed(
        models.CharField(_("Contact number"), max_length=12, editable=False),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.CONTACT,
        need=Need.AUTOMATIC,
    )
    source_case = policed(
        models.ForeignKey(
            Case,
            on_delete=models.PROTECT,
            related_name="contacts",
            db_index=False,
            verbose_name=_("Source case"),
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
        search="exact",
        need=Need.OPEN,
    )
    level = policed(
        CodeField(_("Level"), codes="CONTACT_LEVEL"),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.OPEN,
    )
    status = policed(
        CodeField(_("State"), codes="CONTACT_STATUS", default="to_notify"),
        purpose=Purpose.ISOLATION,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.CONTACT,
        search="exact",
        disclosure=COUNTS,
        need=Need.AUTOMATIC,
    )
    first_contact_date = policed(
        EncryptedDateField(
            DataClass.TRAJECTORY,
            "contact.first_contact_date",
            verbose_name=_("First contact"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
    )
    last_contact_date = policed(
        models.DateField(_("Last contact")),
        purpose=Purpose.ISOLATION,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
        data_class=DataClass.TRAJECTORY,
        search="range",
        need=Need.OPEN,
    )
    follow_up_end_date = policed(
        models.DateField(_("Last day of follow-up"), editable=False),
        purpose=Purpose.ISOLATION,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.CONTACT,
        search="range",
        need=Need.AUTOMATIC,
    )
    relation = policed(
        EncryptedTextField(
            DataClass.REACH,
            "contact.relation",
            verbose_name=_("Relation to the case"),
            mask=masks.text_hidden,
            max_length=24,
            null=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
        need=Need.OPEN,
        codes="RELATION",
    )
    mode = policed(
        EncryptedJSONField(
            DataClass.HEALTH, "contact.mode", verbose_name=_("How exposed"), mask=masks.text_hidden, null=True
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
        need=Need.OPEN,
        codes="CONTACT_MODE",
        many=True,
    )
    place_name = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "contact.place_name",
            verbose_name=_("Place of contact"),
            mask=masks.text_hidden,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
    )
    frequency = policed(
        CodeField(_("Frequency"), codes="FREQUENCY", blank=True),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.CONTACT,
    )
    duration_minutes = policed(
        models.PositiveSmallIntegerField(
            _("Longest contact (minutes)"), null=True, blank=True, validators=[MaxValueValidator(10080)]
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.CONTACT,
    )
    protection = policed(
        CodeField(_("Protection"), codes="PROTECTION", blank=True),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.CONTACT,
        data_class=DataClass.HEALTH,
        search="exact",
    )
    parent_contact = policed(
        models.ForeignKey(
            "self",
            on_delete=models.PROTECT,
            related_name="second_order",
            null=True,
            blank=True,
            verbose_name=_("Close contact in between"),
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.CONTACT,
        search="exact",
        need=Need.CONDITION,
        condition=_("for a contact of a contact"),
    )
    responsible_org = policed(
        models.ForeignKey(
            "access.Organisation",
            on_delete=models.PROTECT,
            related_name="+",
            verbose_name=_("Responsible organisation"),
        ),
        purpose=Purpose.ISOLATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.CONTACT,
        search="exact",
        need=Need.OPEN,
    )
    became_case = policed(
        models.ForeignKey(
            Case,
            on_delete=models.PROTECT,
            related_name="former_contacts",
            null=True,
            blank=True,
            editable=False,
            verbose_name=_("Became case"),
        ),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.AUTOMATIC,
    )
    created_by = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ContactQuerySet.as_manager()  # type: ignore[misc, assignment]

    audited_values: ClassVar[tuple[str, ...]] = ("status",)
    settled_fields: ClassVar[tuple[str, ...]] = ("follow_up_end_date", "changed_at")

    # The data keys are the contact's own: it can be destroyed alone. The source case's grants open them.
    vault_guard = "source_case_id"

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        permissions = [
            ("list_contacts", "Can list contacts"),
            ("add_contact", "Can add contacts"),
            ("correct_contact", "Can correct contacts"),
            ("link_cases", "Can say who infected whom"),
        ]
        indexes = [
            models.Index(fields=["source_case", "last_contact_date"], name="contact_of_case"),
            models.Index(fields=["follow_up_end_date", "id"], name="contact_follow_up_end"),
            # Every page of the product counts what is late: most contacts have ended and are not in this index.
            models.Index(
                fields=["follow_up_end_date", "id"],
                condition=~Q(status__in=ENDED),
                name="contact_open_follow_up",
            ),
        ]
        constraints = [
            code_check("contact", "level", "CONTACT_LEVEL"),
            code_check("contact", "status", "CONTACT_STATUS"),
            code_check("contact", "frequency", "FREQUENCY"),
            code_check("contact", "protection", "PROTECTION"),
            code_check("contact", "sex", "SEX"),
            code_check("contact", "age_unit", "AGE_UNIT"),
            code_check("contact", "id_kind", "ID_KIND"),
            code_check("contact", "occupation_group", "OCCUPATION"),
            code_check("contact", "is_health_worker", "YNU"),
            models.CheckConstraint(
                name="contact_age_is_possible", condition=Q(age_value__isnull=True) | Q(age_value__lte=130)
            ),
            models.CheckConstraint(
                name="contact_second_order_has_parent",
                condition=~Q(level="secondary") | Q(parent_contact__isnull=False),
            ),
            models.CheckConstraint(name="contact_is_not_own_parent", condition=~Q(parent_contact=F("id"))),
            models.CheckConstraint(
                name="contact_follow_up_ends_after_contact",
                condition=Q(follow_up_end_date__gte=F("last_contact_date")),
            ),
            models.CheckConstraint(
                name="contact_case_link_fits_state", condition=Q(status="case") | Q(became_case__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.contact_no

    def save(self, **options: Any) -> None:
        """Save, with the last day of follow-up brought up to date."""
        self.settle()
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], *self.settled_fields}
        super().save(**options)

    def settle(self) -> None:
        """Fill the columns that follow from others. `bulk_create` does not call save: call this before it."""
        days = self.source_case.outbreak.disease.observation_days
        self.follow_up_end_date = follow_up_end_date(self.last_contact_date, days)
        self.changed_at = timezone.now()

    def get_absolute_url(self) -> str:
        return reverse("contacts:detail", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """How the ledger names this contact."""
        return self.contact_no

    @property
    def has_ended(self) -> bool:
        """Is follow-up over?"""
        return self.status in ENDED


class TransmissionLinkQuerySet(VisibleWithCase, models.QuerySet["TransmissionLink"]):
    """Links, by who may see the infected case."""

    case_path = "infectee"


class TransmissionLink(AuditedModel):
    """Who infected whom, as far as is known; several possible infectors of one case are several links."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    infector = policed(
        models.ForeignKey(
            Case, on_delete=models.PROTECT, related_name="infected", verbose_name=_("Infector")
        ),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        search="exact",
        need=Need.OPEN,
    )
    infectee = policed(
        models.ForeignKey(
            Case, on_delete=models.PROTECT, related_name="infected_by", verbose_name=_("Infected")
        ),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        search="exact",
        need=Need.OPEN,
    )
    setting = policed(
        CodeField(_("Setting of transmission"), codes="SETTING", default="unknown"),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        data_class=DataClass.HEALTH,
        search="exact",
        disclosure=COUNTS,
        need=Need.OPEN,
    )
    certainty = policed(
        CodeField(_("Certainty"), codes="CERTAINTY", default="2"),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.EVENT,
        search="exact",
        need=Need.OPEN,
    )
    evidence = policed(
        models.JSONField(_("Evidence"), default=list, blank=True),
        purpose=Purpose.ACCOUNTABILITY,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.EVENT,
        search="exact",
        codes="EVIDENCE",
        many=True,
    )
    created_by = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TransmissionLinkQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("transmission link")
        verbose_name_plural = _("transmission links")
        constraints = [
            models.UniqueConstraint(name="link_once_per_pair", fields=["infector", "infectee"]),
            models.CheckConstraint(name="link_joins_two_cases", condition=~Q(infector=F("infectee"))),
            code_check("link", "setting", "SETTING"),
            code_check("link", "certainty", "CERTAINTY"),
        ]

    def __str__(self) -> str:
        return f"link {self.pk}"

    def clean(self) -> None:
        """Refuse words that are no evidence codes."""
        if any(code not in code_list("EVIDENCE") for code in self.evidence):
            raise ValidationError({"evidence": _("Choose evidence from the list.")})
