"""The yearly pledge: that a person knows what the law says and what is logged."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.users import User
from audit.capture import AuditedModel

# Raised when the words of the page change: everybody is asked anew.
VERSION: Final = 1
LASTS: Final = timedelta(days=365)


class Pledge(AuditedModel):
    """One acceptance of one version of the words; never changed, never deleted."""

    audited_values: ClassVar[tuple[str, ...]] = ("version",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="pledges")
    version = models.PositiveSmallIntegerField(_("version"))
    accepted_at = models.DateTimeField(_("accepted"), default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes = (models.Index(name="pledge_of_user", fields=["user", "version", "accepted_at"]),)

    @classmethod
    def live_of(cls, person_id: uuid.UUID) -> Pledge | None:
        """The person's acceptance of the present words within the last year (365 days), if there is one."""
        since = timezone.now() - LASTS
        return (
            cls.objects.filter(user_id=person_id, version=VERSION, accepted_at__gt=since)
            .order_by("-accepted_at")
            .first()
        )

    @property
    def ends_at(self) -> datetime:
        return self.accepted_at + LASTS
