"""Invitations into an account, and changes of accounts that wait for a second security administrator."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.organisations import Organisation
from access.models.users import TEMPORARY_ROLES, User
from access.roles import Role

INVITATION_LIFE = timedelta(hours=72)


class InvitationManager(models.Manager["Invitation"]):
    """Invitations without the hash of their code, which no person reads."""

    def get_queryset(self) -> models.QuerySet[Invitation]:
        return super().get_queryset().defer("code_hash")


class Invitation(models.Model):
    """A code with which one person sets the password of one account, once, within 72 hours.

    Without `person` it makes a new account; with one it lets that person set a new password. The table keeps the
    SHA-256 of the code (100 random bits); used, withdrawn and expired ones stay as rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code_hash = models.BinaryField(max_length=32, unique=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="invitations")
    username = models.CharField(_("user name"), max_length=64)
    display_name = models.CharField(_("name"), max_length=80)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(_("language"), max_length=8, default="zh-hans")
    is_temporary = models.BooleanField(_("temporary"), default=False)
    ends_at = models.DateTimeField(_("account ends"), null=True, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    # Who makes or resets a security administrator is not alone.
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    objects = InvitationManager()
    whole: ClassVar[models.Manager[Invitation]] = models.Manager()

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        ordering = ("-made_at",)
        verbose_name = _("invitation")
        constraints = (
            models.CheckConstraint(
                name="invitation_at_most_72_hours",
                condition=Q(expires_at__gt=F("made_at"), expires_at__lte=F("made_at") + INVITATION_LIFE),
            ),
            models.CheckConstraint(
                name="invitation_confirmed_by_another",
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("made_by")),
            ),
            models.CheckConstraint(
                name="invitation_not_for_oneself", condition=Q(person__isnull=True) | ~Q(person=F("made_by"))
            ),
            models.CheckConstraint(
                name="invitation_temporary_is_narrow",
                condition=Q(is_temporary=False) | (Q(ends_at__isnull=False) & Q(role__in=TEMPORARY_ROLES)),
            ),
        )

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @property
    def needs_second(self) -> bool:
        """Whether another security administrator has to confirm before the code works."""
        return self.role == Role.SECADMIN and self.confirmed_by_id is None

    @property
    def state(self) -> str:
        """ "used", "withdrawn", "expired", "waiting" (for a second person) or "open"."""
        if self.used_at:
            return "used"
        if self.withdrawn_at:
            return "withdrawn"
        if self.expires_at <= timezone.now():
            return "expired"
        return "waiting" if self.needs_second else "open"


class AccountChange(models.Model):
    """What shall become of a security administrator's account, once a second security administrator agrees.

    The database applies it when the verdict is confirmed; nobody changes such an account by hand.
    """

    LIFE: ClassVar[timedelta] = timedelta(days=7)

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Refused")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="changes")
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(_("active"))
    is_temporary = models.BooleanField(_("temporary"), default=False)
    ends_at = models.DateTimeField(_("account ends"), null=True, blank=True)
    # Only the second factors go: the other columns repeat the account as it was.
    resets_factors = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(_("reason"), max_length=12)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=9, choices=Verdict.choices, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ("-asked_at",)
        verbose_name = _("account change")
        constraints = (
            models.CheckConstraint(
                name="account_change_second_is_another",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="account_change_decided_whole",
                condition=Q(verdict="", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(verdict="") & Q(decided_by__isnull=False, decided_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return f"account change {self.pk}"

    @property
    def open_until(self) -> datetime:
        """After which moment nobody decides any more."""
        return self.asked_at + self.LIFE

    @property
    def is_open(self) -> bool:
        """Whether somebody may still decide."""
        return not self.verdict and self.open_until > timezone.now()
