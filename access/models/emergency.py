"""Emergency access ("break the glass") and the review that each one must have."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.grants import AccessDecision
from access.models.reach import Reach
from access.models.users import User

REVIEW_WITHIN: Final = timedelta(hours=72)


class EmergencyQuerySet(Reach):
    person_path, case_path, is_for_auditors = "person", "case", True


class EmergencyAccess(models.Model):
    """One use of emergency access: who, which case, why, until when. Written by ``sec.break_glass``, never changed.

    The case's number is kept beside the case, because auditors may read the number and no case.
    """

    class Reason(models.TextChoices):
        LIFE = "life_threat", _("Life-threatening clinical state")
        TRACING = "tracing_night", _("Contacts must be traced now, out of hours")
        UNREACHABLE = "unreachable", _("The supervisor cannot be reached")
        OTHER = "other", _("Another reason, in words")

    decision = models.OneToOneField(
        AccessDecision, on_delete=models.PROTECT, primary_key=True, related_name="emergency"
    )
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    case_no = models.CharField(max_length=24)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="emergencies")
    reason_code = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    opened_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()

    objects = EmergencyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("emergency access")
        indexes = (models.Index(name="emergency_of_person", fields=["person", "-opened_at"]),)
        constraints = (
            models.CheckConstraint(
                name="emergency_ends_after_start", condition=Q(ends_at__gt=F("opened_at"))
            ),
            models.CheckConstraint(
                name="emergency_reason_known",
                condition=Q(reason_code__in=("life_threat", "tracing_night", "unreachable", "other")),
            ),
        )

    def __str__(self) -> str:
        return f"emergency {self.pk}"

    @property
    def audit_label(self) -> str:
        return self.case_no

    @property
    def due_at(self) -> datetime:
        """Until when somebody must have reviewed it."""
        return self.opened_at + REVIEW_WITHIN

    @property
    def is_running(self) -> bool:
        """Whether its time still runs (a review may have ended it earlier)."""
        return self.ends_at > timezone.now()

    @property
    def is_late(self) -> bool:
        """Whether the time for its review has passed."""
        return self.due_at <= timezone.now()


class Verdict(models.TextChoices):
    """What a reviewer finds."""

    JUSTIFIED = "justified", _("Justified")
    NOT_JUSTIFIED = "not_justified", _("Not justified")
    UNCLEAR = "unclear", _("Not clear")


class DecisionReview(models.Model):
    """What another person found about a use of emergency access. Never changed, never deleted, never by oneself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.OneToOneField(AccessDecision, on_delete=models.PROTECT, related_name="review")
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict.choices)
    words = models.CharField(_("in words"), max_length=200, blank=True)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        verbose_name = _("review")
        constraints = (
            models.CheckConstraint(
                name="review_verdict_known",
                condition=Q(verdict__in=("justified", "not_justified", "unclear")),
            ),
        )

    def __str__(self) -> str:
        return f"review {self.pk}"
