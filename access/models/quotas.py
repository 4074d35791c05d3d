"""How many values people were shown lately, and when somebody asked for more than allowed."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.emergency import Verdict
from access.models.organisations import Organisation
from access.models.reach import Reach
from access.models.users import User


class RevealTally(models.Model):
    """Values shown to a person in five minutes from `slot`. Only ``sec.count_reveals`` reads and writes it."""

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    slot = models.DateTimeField()
    shown = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(name="tally_one_per_slot", fields=["person", "slot"]),)


class BreachQuerySet(Reach):
    organisation_path, is_for_auditors = "organisation", True


class QuotaBreach(models.Model):
    """A person asked for more values than an hour allows: told once an hour, then reviewed by a supervisor."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    happened_at = models.DateTimeField(default=timezone.now)
    quota = models.PositiveIntegerField()
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict.choices, blank=True)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    objects = BreachQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("exceeded quota")
        indexes = (models.Index(name="breach_of_person", fields=["person", "-happened_at"]),)
        constraints = (
            models.CheckConstraint(
                name="breach_reviewed_whole",
                condition=Q(verdict="", reviewed_by__isnull=True, reviewed_at__isnull=True)
                | Q(
                    verdict__in=("justified", "not_justified", "unclear"),
                    reviewed_by__isnull=False,
                    reviewed_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="breach_reviewed_by_another",
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=models.F("person")),
            ),
        )

    def __str__(self) -> str:
        return f"exceeded quota {self.pk}"
