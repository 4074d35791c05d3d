"""Runs that import a line list: how far they came, which rows need a look, what was taken in before."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.models.outbreaks import Outbreak


class ImportRun(models.Model):
    """One import of one file into one outbreak. The file is kept, sealed, only until the run is over."""

    class Status(models.TextChoices):
        """How far a run has come."""

        PREVIEWED = "previewed", _("Previewed")
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outbreak = models.ForeignKey(Outbreak, on_delete=models.PROTECT, related_name="import_runs")
    profile = models.CharField(_("profile"), max_length=40)
    file_digest = models.CharField(_("SHA-256 of the file"), max_length=64)
    by = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+")
    status = models.CharField(_("state"), max_length=12, choices=Status.choices, default=Status.WAITING)
    failure = models.CharField(_("reason of failure"), max_length=40, blank=True)
    total_rows = models.PositiveIntegerField(default=0)
    next_row = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at", "-id"]
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["outbreak", "-created_at"], name="import_of_outbreak")]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @property
    def audit_label(self) -> str:
        """How the ledger names this run."""
        return self.file_digest[:12]

    @property
    def percent(self) -> int:
        """How much of the file has been read."""
        return 100 * self.next_row // self.total_rows if self.total_rows else 0

    @property
    def is_over(self) -> bool:
        """Has the run come to its end, good or bad?"""
        return self.status in (self.Status.DONE, self.Status.FAILED, self.Status.STOPPED)


class ImportRowIssue(models.Model):
    """Why a row was refused or needs a look: where and which rule, never the value."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="issues")
    row_number = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=60, blank=True)
    reason = models.CharField(_("reason"), max_length=40)
    is_error = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        ordering = ["row_number", "column"]
        verbose_name = _("row to look at")
        verbose_name_plural = _("rows to look at")
        indexes = [models.Index(fields=["run", "row_number"], name="issue_of_run")]

    def __str__(self) -> str:
        return f"row {self.row_number}: {self.reason}"


class ImportFile(models.Model):
    """The bytes of a run's file, sealed for the person who imports; erased when the run is over."""

    run = models.OneToOneField(ImportRun, on_delete=models.PROTECT, primary_key=True, related_name="file")
    sealed = models.BinaryField(null=True)
    district = models.ForeignKey("access.Organisation", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        verbose_name = _("file of an import")
        verbose_name_plural = _("files of imports")

    def __str__(self) -> str:
        return f"file of import {self.pk}"


class ImportedRow(models.Model):
    """What a source said about one row when last taken in, as keyed tokens: equality without values.

    So a second import tells what the source has changed, and leaves alone what people have corrected since.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outbreak = models.ForeignKey(Outbreak, on_delete=models.PROTECT, related_name="+")
    source_token = models.BinaryField(max_length=16)
    cells = models.JSONField(default=dict)
    record_id = models.UUIDField()
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        constraints = [models.UniqueConstraint(name="imported_row_once", fields=["outbreak", "source_token"])]

    def __str__(self) -> str:
        return f"imported row {self.pk}"
