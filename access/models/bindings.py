"""Who is who at the provider of single sign-on."""

from __future__ import annotations

import hashlib
import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.users import User
from audit.capture import AuditedModel


class Binding(AuditedModel):
    """One person at one provider: never found by name or address, only by the subject that the provider signs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="bindings")
    issuer = models.CharField(_("provider"), max_length=200)
    # SHA-256 of issuer and subject: some providers take the staff number as subject.
    subject_hash = models.CharField(max_length=64, unique=True, editable=False)
    bound_at = models.DateTimeField(_("bound"), default=timezone.now)

    class Meta:
        default_permissions = ()
        verbose_name = _("single sign-on")
        constraints = (
            models.UniqueConstraint(name="binding_one_per_provider", fields=["user", "issuer"]),
            models.CheckConstraint(
                name="binding_hash_is_one", condition=Q(subject_hash__regex=r"^[0-9a-f]{64}$")
            ),
        )

    def __str__(self) -> str:
        return f"binding {self.pk}"


def subject_hash(issuer: str, subject: str) -> str:
    """What the table keeps of a person at a provider (64 hex digits)."""
    length = len(issuer.encode()).to_bytes(4, "big")
    return hashlib.sha256(b"epicase/binding/1" + length + issuer.encode() + subject.encode()).hexdigest()
