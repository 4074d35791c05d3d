"""What a person is told: a kind, and the case, decision and colleague it is about. Never a sentence or a value."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.grants import AccessDecision
from access.models.users import User


class Notice(models.Model):
    """One thing that one person is told. The text is made from the kind in the reader's language.

    Rows come from the function ``sec.notify`` alone, so that nobody can put words into another's mouth.
    """

    class Kind(models.TextChoices):
        EMERGENCY_OPENED = "emergency_opened"
        EMERGENCY_TO_REVIEW = "emergency_to_review"
        EMERGENCY_REVIEWED = "emergency_reviewed"
        EMERGENCY_UNJUSTIFIED = "emergency_unjustified"
        REVIEW_OVERDUE = "review_overdue"
        QUOTA_EXCEEDED = "quota_exceeded"
        GRANT_ENDING = "grant_ending"
        GRANTS_UNUSED = "grants_unused"
        GRANT_REVOKED = "grant_revoked"
        REQUEST_WAITING = "request_waiting"
        REQUEST_ANSWERED = "request_answered"
        WORK_LEFT = "work_left"
        WORK_HANDED_OVER = "work_handed_over"
        FACTORS_RESET = "factors_reset"
        FACTORS_RESET_OF = "factors_reset_of"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=24)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, null=True, related_name="+")
    decision = models.ForeignKey(AccessDecision, on_delete=models.PROTECT, null=True, related_name="+")
    about = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("notice")
        indexes = (
            models.Index(name="notice_of_person", fields=["person", "-created_at"]),
            models.Index(name="notice_unread", fields=["person"], condition=Q(read_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"notice {self.pk}"

    @property
    def is_read(self) -> bool:
        return self.read_at is not None
