"""Where a case was and when, and the public register of places."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose
from access.visibility import VisibleWithCase
from audit.capture import AuditedModel
from cases.codes import CodeField, code_check
from cases.models.case import Case
from cases.policy import Need, Retention, Sensitivity, policed
from vault import masks
from vault.classes import DataClass
from vault.fields import EncryptedDateTimeField, EncryptedIntegerField, EncryptedTextField
from vault.models import EncryptedModel
from vault.queries import EncryptedQuerySet

PUBLIC_IF_UNTRACED = "public if untraced"


class Place(AuditedModel):
    """A place open to people. Homes and other private places never stand here: only inside a visit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    kind = CodeField(_("kind"), codes="PLACE")
    access = CodeField(_("open to"), codes="PLACE_ACCESS", default="public")
    district = models.ForeignKey(
        "access.Organisation", on_delete=models.PROTECT, related_name="+", verbose_name=_("district")
    )
    address = models.CharField(_("address"), max_length=120, blank=True)
    latitude = models.DecimalField(
        _("latitude (WGS-84)"), max_digits=9, decimal_places=6, null=True, blank=True
    )
    longitude = models.DecimalField(
        _("longitude (WGS-84)"), max_digits=9, decimal_places=6, null=True, blank=True
    )
    ventilation = CodeField(_("ventilation"), codes="VENTILATION", blank=True)
    contacts_all_traced = models.BooleanField(_("all contacts traced"), default=False)
    disinfected_at = models.DateTimeField(_("disinfected at"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        verbose_name = _("place")
        verbose_name_plural = _("places")
        indexes = [models.Index(fields=["district", "name"], name="place_in_district")]
        constraints = [
            models.CheckConstraint(
                name="place_is_not_private", condition=~Q(kind="home") & Q(access__in=["public", "members"])
            ),
            code_check("place", "kind", "PLACE"),
            code_check("place", "ventilation", "VENTILATION"),
        ]

    def __str__(self) -> str:
        return self.name


class VisitQuerySet(VisibleWithCase, EncryptedQuerySet["Visit"]):
    """Visits, by who may see their case."""

    def standing(self) -> "VisitQuerySet":
        """Visits that have not been withdrawn, in the order of the case's movements."""
        return self.filter(withdrawn_at__isnull=True).order_by("case_id", "order", "id")


class Visit(EncryptedModel):
    """One stay or one journey of a case. That this person was at this place is the secret; so is the time."""

    case = policed(
        models.ForeignKey(
            Case, on_delete=models.PROTECT, related_name="visits", db_index=False, verbose_name=_("Case")
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.EVENT,
        need=Need.OPEN,
    )
    order = policed(
        models.PositiveSmallIntegerField(_("Row order")),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.EVENT,
        need=Need.AUTOMATIC,
    )
    time_precision = policed(
        CodeField(_("Precision of the times"), codes="PRECISION", default="minute"),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.EVENT,
        need=Need.OPEN,
    )
    info_source = policed(
        CodeField(_("Source of information"), codes="INFO_SOURCE", default="self"),
        purpose=Purpose.ACCOUNTABILITY,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.EVENT,
        search="exact",
        need=Need.OPEN,
    )
    start_at = policed(
        EncryptedDateTimeField(
            DataClass.TRAJECTORY,
            "visit.start_at",
            verbose_name=_("Arrival"),
            mask=masks.text_hidden,
            null=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure="generalised: 2h slot or half-day",
        need=Need.OPEN,
    )
    end_at = policed(
        EncryptedDateTimeField(
            DataClass.TRAJECTORY,
            "visit.end_at",
            verbose_name=_("Departure"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure="generalised",
    )
    place_kind = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.place_kind",
            verbose_name=_("Kind of place"),
            mask=masks.text_hidden,
            max_length=24,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure="generalised via bulletin",
        need=Need.CONDITION,
        condition=_("unless on the way"),
        codes="PLACE",
    )
    place_name = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.place_name",
            verbose_name=_("Place"),
            mask=masks.text_hidden,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure="generalised via bulletin",
        need=Need.CONDITION,
        condition=_("unless on the way"),
    )
    place_id = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.place_id",
            verbose_name=_("Place in the register"),
            mask=masks.text_hidden,
            max_length=36,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure="generalised via bulletin",
    )
    address = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.address",
            verbose_name=_("Address"),
            mask=masks.text_hidden,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
    )
    transport = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.transport",
            verbose_name=_("Transport"),
            mask=masks.text_hidden,
            max_length=24,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.EVENT,
        disclosure=PUBLIC_IF_UNTRACED,
        codes="TRANSPORT",
    )
    service_no = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.service_no",
            verbose_name=_("Flight, train or line"),
            mask=masks.text_hidden,
            max_length=20,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure=PUBLIC_IF_UNTRACED,
        need=Need.CONDITION,
        condition=_("for public transport"),
    )
    carriage = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.carriage",
            verbose_name=_("Carriage"),
            mask=masks.text_hidden,
            max_length=8,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure=PUBLIC_IF_UNTRACED,
    )
    seat = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.seat",
            verbose_name=_("Seat"),
            mask=masks.text_hidden,
            max_length=8,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.DIRECT,
        retention=Retention.EVENT,
    )
    plate = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.plate",
            verbose_name=_("Number plate"),
            mask=masks.text_hidden,
            max_length=12,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.DIRECT,
        retention=Retention.EVENT,
        need=Need.CONDITION,
        condition=_("for a taxi or a hired car"),
    )
    companions = policed(
        EncryptedIntegerField(
            DataClass.TRAJECTORY,
            "visit.companions",
            verbose_name=_("Number of companions"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.EVENT,
    )
    mask_worn = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.mask_worn",
            verbose_name=_("Mask worn"),
            mask=masks.text_hidden,
            max_length=24,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.EVENT,
        codes="YNU",
    )
    note = policed(
        EncryptedTextField(
            DataClass.TRAJECTORY,
            "visit.note",
            verbose_name=_("Note"),
            mask=masks.text_hidden,
            max_length=200,
            null=True,
            blank=True,
            help_text=_("Only what matters for transmission."),
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
    )
    created_by = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        "access.User", on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False
    )

    objects = VisitQuerySet.as_manager()  # type: ignore[misc, assignment]

    # A visit is sealed with its case's keys.
    vault_scope = "case_id"

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes = [models.Index(fields=["case", "order"], name="visit_of_case")]
        constraints = [
            code_check("visit", "time_precision", "PRECISION"),
            code_check("visit", "info_source", "INFO_SOURCE"),
        ]

    def __str__(self) -> str:
        return f"visit {self.pk}"

    @property
    def is_withdrawn(self) -> bool:
        """Was the visit entered by mistake and taken back?"""
        return self.withdrawn_at is not None
