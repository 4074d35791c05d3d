"""Decisions, the grants behind which they stand, and what happened to these."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.managers import UserObjectPermissionManager
from guardian.models import UserObjectPermissionBase

from access.models.reach import Reach
from access.models.users import User
from access.purposes import Purpose


def kinds() -> Any:
    """The ways to access, as choices (asked for late, so that a new way needs no migration)."""
    return AccessDecision.Kind.choices


class AccessDecision(models.Model):
    """Why someone was given access: who decided, for what purpose, until when. Never changed, never deleted."""

    class Kind(models.TextChoices):
        CREATED = "created", _("Opened the case")
        DIRECT = "direct", _("Given by a supervisor")
        REQUEST = "request", _("Asked for and approved")
        BULK = "bulk", _("Given for several cases")
        TEAM = "team", _("Given to a team")
        STAND_IN = "stand_in", _("Stands in for a colleague")
        HANDOVER = "handover", _("Handed over by a supervisor")
        EMERGENCY = "emergency", _("Emergency access")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=kinds)
    purpose = models.CharField(_("purpose"), max_length=4, choices=Purpose.choices)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    second_approver = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # One answer to one request; a trigger compares the two.
    request = models.OneToOneField(
        "access.AccessRequest", on_delete=models.PROTECT, null=True, blank=True, related_name="decision"
    )
    team = models.ForeignKey(
        "access.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    stands_in_for = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # Whose work was handed over.
    taken_over_from = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="decision_of_a_team_names_it",
                condition=Q(kind="team", team__isnull=False) | (~Q(kind="team") & Q(team__isnull=True)),
            ),
            models.CheckConstraint(
                name="decision_of_a_stand_in_names_who_is_absent",
                condition=Q(kind="stand_in", stands_in_for__isnull=False)
                | (~Q(kind="stand_in") & Q(stands_in_for__isnull=True)),
            ),
            models.CheckConstraint(
                name="decision_of_a_hand_over_names_whose_work",
                condition=Q(kind="handover", taken_over_from__isnull=False)
                | (~Q(kind="handover") & Q(taken_over_from__isnull=True)),
            ),
            models.CheckConstraint(
                name="decision_second_approver_has_a_request",
                condition=Q(second_approver__isnull=True) | Q(request__isnull=False),
            ),
            models.CheckConstraint(
                name="decision_second_approver_is_another",
                condition=Q(second_approver__isnull=True) | ~Q(second_approver=F("granted_by")),
            ),
        )


class GrantQuerySet(Reach):
    """Grants by whose they are and whether they run."""

    person_path, case_path = "user", "content_object"

    def live(self) -> Self:
        return self.filter(expires_at__gt=Now())


class CaseGrant(UserObjectPermissionBase):
    """One person's permission on one case, until it ends: guardian's direct tuple with an expiry.

    ``sort_date`` copies the case's, kept by a trigger, so that a person's list is a walk over this table's index.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    permission = models.ForeignKey("auth.Permission", on_delete=models.PROTECT)
    content_object = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="grants")
    decision = models.ForeignKey(AccessDecision, on_delete=models.PROTECT, related_name="grants")
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=kinds)
    starts_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    sort_date = models.DateField(null=True, editable=False)
    # The first opening starts the last fifteen minutes (`sec.use_once`).
    single_use = models.BooleanField(default=False)
    used_at = models.DateTimeField(null=True, editable=False)

    objects = UserObjectPermissionManager.from_queryset(GrantQuerySet)()  # type: ignore[misc]

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()
        unique_together: ClassVar[list[Sequence[str]]] = []
        constraints = (
            models.UniqueConstraint(
                name="grant_one_per_person_permission_case",
                fields=["user", "permission", "content_object"],
                include=["expires_at"],
            ),
            models.CheckConstraint(
                name="grant_nobody_to_oneself",
                condition=~Q(user=F("granted_by")) | Q(kind__in=("created", "emergency")),
            ),
            models.CheckConstraint(
                name="grant_used_only_when_single", condition=Q(used_at__isnull=True) | Q(single_use=True)
            ),
            models.CheckConstraint(name="grant_ends_after_start", condition=Q(expires_at__gt=F("starts_at"))),
        )
        indexes = (
            models.Index(
                name="grant_walk",
                fields=["user", "permission", "-sort_date", "-content_object"],
                include=["expires_at"],
            ),
            models.Index(name="grant_of_case", fields=["content_object", "permission"]),
            models.Index(name="grant_expiry", fields=["expires_at"]),
        )

    def __str__(self) -> str:
        return f"grant {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.expires_at > timezone.now()


class GrantHistory(models.Model):
    """What happened to grants: written by a trigger, read by auditors, changed by nobody."""

    id = models.BigAutoField(primary_key=True)
    happened_at = models.DateTimeField()
    change = models.CharField(max_length=8)
    by_id = models.UUIDField(null=True)
    grant_id = models.UUIDField()
    user_id = models.UUIDField()
    case_id = models.UUIDField()
    codename = models.CharField(max_length=100)
    decision_id = models.UUIDField()
    kind = models.CharField(max_length=12)
    expires_at = models.DateTimeField()
    # The database role that was worn: what a security administrator ended is somebody's work that is left behind.
    by_role = models.CharField(max_length=16, default="")
    single_use = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = (
            models.Index(name="grant_history_case", fields=["case_id", "happened_at"]),
            models.Index(
                name="grant_history_left",
                fields=["user_id", "happened_at"],
                condition=Q(change="delete", by_role="ep_secadmin"),
            ),
        )
