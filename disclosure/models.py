"""Exports and the cases they take along."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Self

from django.db import connection, models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose
from vault import masks
from vault.classes import DataClass
from vault.fields import EncryptedTextField
from vault.models import EncryptedModel
from vault.queries import EncryptedQuerySet

if TYPE_CHECKING:
    from access.models import User

LIFETIME: Final = timedelta(hours=24)
# A worker notes that it lives with every batch; after this silence another one may begin anew.
SILENCE: Final = timedelta(seconds=60)
MOST_ATTEMPTS: Final = 5


class Status(models.TextChoices):
    """Where an export stands."""

    REQUESTED = "requested", _("waiting for approval")
    APPROVED = "approved", _("approved, waiting to be built")
    REJECTED = "rejected", _("declined")
    BUILDING = "building", _("being built")
    BUILT = "built", _("ready to download")
    DOWNLOADED = "downloaded", _("downloaded")
    EXPIRED = "expired", _("expired")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("withdrawn")


# What may follow what; the database refuses everything else (migrations, export_guard).
TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    Status.REQUESTED: frozenset({Status.APPROVED, Status.REJECTED, Status.CANCELLED, Status.EXPIRED}),
    Status.APPROVED: frozenset({Status.BUILDING, Status.CANCELLED, Status.FAILED, Status.EXPIRED}),
    Status.BUILDING: frozenset({Status.BUILT, Status.FAILED, Status.CANCELLED}),
    Status.BUILT: frozenset({Status.DOWNLOADED, Status.EXPIRED, Status.CANCELLED}),
    Status.DOWNLOADED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}


class Failure(models.TextChoices):
    """Why an export could not be built; a code, so that no value slips into it."""

    NONE = "", ""
    GRANT_ENDED = "grant_ended", _("access to at least one of the cases has ended")
    CLOSED = "closed", _("a value could not be opened: its key is gone or not granted")
    TOO_LONG = "too_long", _("a text does not fit a cell")
    GAVE_UP = "gave_up", _("building stopped several times")


class ExportQuerySet(EncryptedQuerySet["Export"]):
    """Named questions about exports."""

    def visible_to(self, user: User) -> Self:
        """Own requests; for a supervisor those of the jurisdiction's organisations as well."""
        if user.is_supervisor:
            place = user.organisation.level
            return self.filter(**{f"{place}_id": user.organisation_id})
        return self.filter(requester=user)

    def newest_first(self) -> Self:
        people = self.select_related("requester", "approver").defer(
            "requester__password", "approver__password"
        )
        return people.order_by("-requested_at", "-id")

    def waiting_to_be_built(self, now: datetime) -> Self:
        """Approved ones, and those whose worker has fallen silent."""
        silent = Q(status=Status.BUILDING, claimed_at__lt=now - SILENCE)
        return self.filter(Q(status=Status.APPROVED) | silent)

    def overdue(self, now: datetime) -> Self:
        """Files whose time has run out, and requests that nobody answered in a week."""
        unanswered = Q(
            status__in=(Status.REQUESTED, Status.APPROVED), requested_at__lt=now - timedelta(days=7)
        )
        return self.filter(Q(status=Status.BUILT, expires_at__lte=now) | unanswered)


class Export(EncryptedModel):
    """One request to take data out, from asking to downloading."""

    # Only the requester may open the passphrase: a key of the system class is guarded by a person.
    vault_guard = "requester_id"

    number = models.CharField(_("number"), max_length=12, unique=True, editable=False)
    requester = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+")
    approver = models.ForeignKey(
        "access.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Where the requester works, so that the right supervisors see the request.
    province = models.ForeignKey("access.Organisation", on_delete=models.PROTECT, null=True, related_name="+")
    city = models.ForeignKey("access.Organisation", on_delete=models.PROTECT, null=True, related_name="+")
    district = models.ForeignKey("access.Organisation", on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.REQUESTED)
    purpose = models.CharField(_("purpose"), max_length=4, choices=Purpose.choices)
    recipient = models.CharField(_("recipient"), max_length=80)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    answer = models.CharField(_("answer of the approver"), max_length=200, blank=True)
    use_until = models.DateField(_("use until"))
    language = models.CharField(max_length=8, default="zh-hans")
    fields = models.JSONField(_("fields"), default=list)
    n_cases = models.PositiveIntegerField(_("rows"), default=0)
    n_done = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=16, choices=Failure.choices, blank=True)

    file_name = models.CharField(max_length=40, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    trace_code = models.CharField(max_length=19, blank=True)
    passphrase = EncryptedTextField(
        DataClass.SYSTEM,
        "export.passphrase",
        verbose_name=_("passphrase"),
        mask=masks.redact,
        max_length=40,
        null=True,
    )

    requested_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    built_at = models.DateTimeField(null=True)
    passphrase_shown_at = models.DateTimeField(null=True)
    downloaded_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    # The worker that builds: its random mark and when it last gave a sign of life.
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = ExportQuerySet.as_manager()  # type: ignore[misc, django-manager-missing]

    # What the ledger may keep with old and new value; of other fields it keeps names.
    audited_values: ClassVar[tuple[str, ...]] = ("status", "failure")

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        permissions = (
            ("list_exports", "Can see exports"),
            ("request_export", "Can ask for an export"),
            ("approve_export", "Can approve or decline an export"),
            ("download_export", "Can download an export once"),
        )
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        constraints = (
            models.CheckConstraint(
                name="export_approver_is_another",
                condition=Q(approver__isnull=True) | ~Q(approver=F("requester")),
            ),
            models.CheckConstraint(
                name="export_goes_on_only_when_approved",
                condition=~Q(status__in=(Status.APPROVED, Status.BUILDING, Status.BUILT, Status.DOWNLOADED))
                | Q(approver__isnull=False, decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="export_built_has_its_file",
                condition=~Q(status__in=(Status.BUILT, Status.DOWNLOADED))
                | (~Q(file_name="") & ~Q(digest="") & ~Q(trace_code="") & Q(expires_at__isnull=False)),
            ),
            models.CheckConstraint(name="export_done_within_all", condition=Q(n_done__lte=F("n_cases"))),
            models.CheckConstraint(name="export_status_known", condition=Q(status__in=Status.values)),
        )
        indexes = (
            models.Index(name="export_of_requester", fields=["requester", "-requested_at"]),
            models.Index(name="export_of_district", fields=["district", "-requested_at"]),
            models.Index(
                name="export_unfinished",
                fields=["status"],
                condition=Q(status__in=("approved", "building", "built")),
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def audit_label(self) -> str:
        """How the ledger names this export."""
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("disclosure:export", args=[self.pk])

    @property
    def download_name(self) -> str:
        """What the browser calls the file: the number, never a person or an outbreak."""
        return f"{self.number}.xlsx"

    @property
    def is_waiting(self) -> bool:
        return self.status == Status.REQUESTED

    @property
    def is_under_way(self) -> bool:
        return self.status in (Status.APPROVED, Status.BUILDING)

    @property
    def is_not_built_yet(self) -> bool:
        return self.is_waiting or self.is_under_way

    @property
    def is_ready(self) -> bool:
        """Is there a file that may still be downloaded?"""
        return (
            self.status == Status.BUILT and self.expires_at is not None and self.expires_at > timezone.now()
        )

    @property
    def can_be_withdrawn(self) -> bool:
        return Status.CANCELLED in TRANSITIONS[self.status]

    @property
    def passphrase_can_be_shown(self) -> bool:
        """Once, while the file lives or after it was downloaded."""
        return (
            self.passphrase_shown_at is None
            and self.passphrase is not None
            and self.status
            in (
                Status.BUILT,
                Status.DOWNLOADED,
            )
        )

    @property
    def step(self) -> int:
        """Which of the four steps it is at, counted from 1; 5 when it has left."""
        if self.status == Status.DOWNLOADED:
            return 5
        if self.built_at is not None:
            return 4
        return 3 if self.decided_at is not None and self.status != Status.REJECTED else 2


class ExportCase(models.Model):
    """A case that an export takes along, and its place in the file."""

    pk = models.CompositePrimaryKey("export_id", "position")
    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="rows")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(name="export_case_once", fields=["export", "case"]),)

    def __str__(self) -> str:
        return f"{self.export_id} {self.position}"


def next_number() -> str:
    """The next export's number, e.g. E-0230; gaps mean nothing: a number is drawn even for what is undone."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval('disclosure_export_number')")
        [number] = cursor.fetchone()
    return f"E-{number:04}"
