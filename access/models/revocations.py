"""What was taken back by one act: who did it, and which access of whom to which case ended."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.organisations import Organisation
from access.models.users import User


class Revocation(models.Model):
    """One act of taking access back. Never changed, never deleted."""

    class Kind(models.TextChoices):
        ONE = "one", _("One person's access to one case")
        PERSON = "person", _("All access of a person")
        CASE = "case", _("All access to a case")
        ORGANISATION = "organisation", _("All access of an organisation's people")
        CHOSEN = "chosen", _("Chosen grants")
        TEAM = "team", _("Access that came with a team")
        STAND_IN = "stand_in", _("Access as a stand-in")
        HANDOVER = "handover", _("Work that was handed over")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    n_grants = models.PositiveIntegerField()
    n_people = models.PositiveIntegerField()
    n_exports = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"revocation {self.pk}"


class EndedAccess(models.Model):
    """One person's access to one case that an act ended, and what it had permitted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, related_name="ended")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    codenames = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(name="ended_once_per_act", fields=["revocation", "user", "case"]),
        )

    def __str__(self) -> str:
        return f"ended {self.pk}"
