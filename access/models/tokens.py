"""Personal tokens: a person's program asks the API for one purpose, for part of what the person may, until an end."""

from __future__ import annotations

import uuid
from datetime import timedelta
from enum import StrEnum
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.users import User
from access.purposes import REVEAL_CHOICES

TOKEN_AT_MOST: Final = timedelta(days=90)


class Scope(StrEnum):
    """A part of the API; what the person's role does not hold is refused all the same."""

    CASES = "cases"
    REVEAL = "reveal"
    CONTACTS = "contacts"
    GRANTS = "grants"
    GIVE = "give"
    LEDGER = "ledger"


SCOPE_PERMISSIONS: Final[dict[Scope, frozenset[str]]] = {
    Scope.CASES: frozenset({"cases.list_cases", "cases.view_cases"}),
    Scope.REVEAL: frozenset({"cases.reveal_values"}),
    Scope.CONTACTS: frozenset({"contacts.list_contacts"}),
    Scope.GRANTS: frozenset({"access.view_grants"}),
    Scope.GIVE: frozenset({"access.issue_grant", "access.revoke_grant"}),
    Scope.LEDGER: frozenset({"audit.view_ledger"}),
}
SCOPE_WORDS: Final = {
    Scope.CASES: _("Read cases, masked"),
    Scope.REVEAL: _("Show values, for the purpose above"),
    Scope.CONTACTS: _("Read contacts, masked"),
    Scope.GRANTS: _("Read grants"),
    Scope.GIVE: _("Give and revoke access"),
    Scope.LEDGER: _("Read the log"),
}


_HEX: Final = r"^[0-9a-f]{64}$"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens by whose they are and whether they work; never with their hash, which no person's role may read."""

    def visible_to(self, user: User) -> Self:
        return self.filter(user=user).defer("token_hash", "stamp")

    def live(self) -> Self:
        return self.filter(revoked_at__isnull=True, expires_at__gt=Now())


class ApiToken(models.Model):
    """One token. The table holds the SHA-256 of 256 random bits; the token itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=60)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # The account's stamp of that moment: a changed password, role or state of the account ends its tokens too.
    stamp = models.UUIDField(editable=False)
    purpose = models.CharField(_("purpose"), max_length=4, choices=REVEAL_CHOICES)
    scopes = ArrayField(models.CharField(max_length=12), verbose_name=_("permitted"))
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(_("ends"))
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="token_ends_within_90_days",
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + TOKEN_AT_MOST),
            ),
            models.CheckConstraint(name="token_hash_is_one", condition=Q(token_hash__regex=_HEX)),
            models.CheckConstraint(
                name="token_scopes_known",
                condition=Q(scopes__contained_by=[scope.value for scope in Scope], scopes__len__gte=1),
            ),
        )
        indexes = (models.Index(name="token_of_person", fields=["user", "-created_at"]),)

    def __str__(self) -> str:
        return f"token {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def scope_words(self) -> list[str]:
        return [str(SCOPE_WORDS[Scope(scope)]) for scope in self.scopes]
