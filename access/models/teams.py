"""Teams: people who are given access together."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.organisations import Organisation
from access.models.reach import Reach
from access.models.users import User


class TeamQuerySet(Reach):
    person_path, organisation_path = "members__user", "organisation"


class Team(models.Model):
    """Investigators whom a supervisor of the organisation gives access together; access itself stays per person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="teams")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TeamQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("team")
        constraints = (
            models.UniqueConstraint(name="team_name_once_per_organisation", fields=["organisation", "name"]),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def audit_label(self) -> str:
        """How the ledger names this team."""
        return self.name


class TeamMember(models.Model):
    """One person in one team. Leaving deletes the row, and a trigger deletes the access that came with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="teams")
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(name="team_member_once", fields=["team", "user"]),)

    def __str__(self) -> str:
        return f"member {self.pk}"
