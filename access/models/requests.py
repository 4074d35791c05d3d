"""Requests for access: asked for by who needs it, proposed by a supervisor, or asked for longer."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.users import User
from access.permissions import CasePermission
from access.purposes import Purpose
from access.roles import Role
from access.two_persons import ALONE_AT_MOST, NEVER_FOR_RESEARCH
from audit.capture import AuditedModel

# A case number's letters and figures, so that no sentence about a person fits in.
CASE_NO: Final = r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$"
KEPT_OPEN: Final = timedelta(days=7)
OPEN_AT_MOST: Final = 20


class RequestQuerySet(models.QuerySet["AccessRequest"]):
    """Requests by who may see them and what state they are in."""

    def visible_to(self, user: User) -> Self:
        """The asker's own; for a supervisor those on cases of the jurisdiction; nothing for anyone else."""
        if user.role == Role.SUPERVISOR:
            return self.filter(**{f"case__{user.organisation.level}": user.organisation_id})
        if user.role == Role.INVESTIGATOR:
            return self.filter(asker=user)
        return self.none()

    def undecided(self) -> Self:
        """Requests that still wait for somebody."""
        return self.filter(status__in=UNDECIDED)

    def waiting_for(self, supervisor: User) -> Self:
        """Requests of the jurisdiction that this supervisor can answer: not their own, not those they agreed to."""
        others = self.visible_to(supervisor).undecided().exclude(asker=supervisor)
        return others.exclude(status="waiting_second", first_approver=supervisor)

    def overdue(self, now: datetime) -> Self:
        """Requests that nobody answered in a week."""
        return self.undecided().filter(created_at__lt=now - KEPT_OPEN)

    def for_supervisor(self) -> Self:
        """With the case's key and the people beside each, without their password hashes."""
        names = ("asker", "person", "first_approver", "decided_by")
        people = self.defer(None).select_related(*(f"{name}__organisation" for name in names))
        return people.defer(*(f"{name}__password" for name in names))

    def for_asker(self) -> Self:
        """With whoever answered beside each."""
        return self.select_related("decided_by").defer("case", "first_approver", "decided_by__password")


class RequestManager(models.Manager["AccessRequest"]):
    """Never reads what tells the asker about the case: the asker's database role has no right to it."""

    def get_queryset(self) -> RequestQuerySet:
        return RequestQuerySet(self.model, using=self._db).defer("case", "first_approver")


class AccessRequest(AuditedModel):
    """One wish for access to one case, from asking to its answer.

    `case_no` is what the asker typed. `case` is found by the database and hidden from the asker, so that a number
    that is nobody's, one of another area and one that is granted already look alike.
    """

    class Kind(models.TextChoices):
        ASK = "ask", _("Asked for")
        PROPOSAL = "proposal", _("Proposed by a supervisor")
        EXTENSION = "extension", _("Asked for longer")

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting")
        WAITING_SECOND = "waiting_second", _("Waiting for a second approval")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Not answered in 7 days")

    class Refusal(models.TextChoices):
        NOT_NEEDED = "not_needed", _("Not needed for this purpose")
        OTHER_PERSON = "other_person", _("Somebody else works on it")
        TOO_WIDE = "too_wide", _("Too much: ask for less")
        WRONG_PURPOSE = "wrong_purpose", _("Not for this purpose")
        UNCLEAR = "unclear", _("The reason is not clear: ask again")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    asker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    case_no = models.CharField(_("case number"), max_length=24, validators=[RegexValidator(CASE_NO)])
    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, null=True, editable=False, related_name="requests"
    )
    permissions = ArrayField(models.CharField(max_length=24), verbose_name=_("permitted"))
    purpose = models.CharField(_("purpose"), max_length=4, choices=Purpose.choices)
    reason = models.CharField(_("reason"), max_length=200)
    days = models.PositiveSmallIntegerField(_("days"))
    status = models.CharField(_("state"), max_length=16, choices=Status.choices, default=Status.OPEN)
    created_at = models.DateTimeField(default=timezone.now)

    first_approver = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    given_permissions = ArrayField(models.CharField(max_length=24), null=True)
    given_days = models.PositiveSmallIntegerField(null=True)
    refusal = models.CharField(max_length=16, choices=Refusal.choices, blank=True)

    objects = RequestManager.from_queryset(RequestQuerySet)()

    audited_values: ClassVar[tuple[str, ...]] = ("status", "refusal")

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("request for access")
        verbose_name_plural = _("requests for access")
        constraints = (
            models.CheckConstraint(
                name="request_for_oneself_unless_proposed",
                condition=Q(kind__in=("ask", "extension"), person=F("asker"))
                | (Q(kind="proposal", first_approver=F("asker")) & ~Q(person=F("asker"))),
            ),
            models.CheckConstraint(name="request_case_no_is_plain", condition=Q(case_no__regex=CASE_NO)),
            models.CheckConstraint(
                name="request_permissions_known",
                condition=Q(permissions__contains=[CasePermission.VIEW.value])
                & Q(permissions__contained_by=[one.value for one in CasePermission]),
            ),
            models.CheckConstraint(name="request_days", condition=Q(days__gte=1, days__lte=90)),
            models.CheckConstraint(
                name="request_research_without_identity",
                condition=~Q(purpose="P8") | ~Q(permissions__overlap=sorted(NEVER_FOR_RESEARCH)),
            ),
            models.CheckConstraint(
                name="request_reason_says_something",
                condition=Q(reason__regex=r"\S.{8,}\S") & ~Q(reason__regex=r"[[:cntrl:]]"),
            ),
            models.CheckConstraint(
                name="request_given_within_asked",
                condition=Q(given_permissions__isnull=True, given_days__isnull=True)
                | Q(
                    given_permissions__contained_by=F("permissions"),
                    given_permissions__contains=[CasePermission.VIEW.value],
                    given_days__gte=1,
                    given_days__lte=F("days"),
                ),
            ),
            models.CheckConstraint(
                name="request_decided_by_another",
                condition=Q(decided_by__isnull=True)
                | (
                    ~Q(decided_by=F("asker"))
                    & ~Q(decided_by=F("person"))
                    & (Q(first_approver__isnull=True) | ~Q(decided_by=F("first_approver")))
                ),
            ),
            models.CheckConstraint(
                name="request_first_approver_is_another",
                condition=Q(first_approver__isnull=True) | ~Q(first_approver=F("person")),
            ),
            models.CheckConstraint(
                name="request_second_has_a_first",
                condition=~Q(status="waiting_second")
                | Q(first_approver__isnull=False, given_days__isnull=False, given_permissions__isnull=False),
            ),
            models.CheckConstraint(
                name="request_long_has_two_approvers",
                condition=~Q(status="approved")
                | Q(first_approver__isnull=False)
                | (Q(given_days__lte=ALONE_AT_MOST.days) & ~Q(purpose="P8")),
            ),
            models.CheckConstraint(
                name="request_answer_is_whole",
                condition=Q(
                    status__in=("open", "waiting_second"), decided_by__isnull=True, decided_at__isnull=True
                )
                | Q(status__in=("withdrawn", "expired"), decided_by__isnull=True, decided_at__isnull=False)
                | (Q(status="refused", decided_by__isnull=False, decided_at__isnull=False) & ~Q(refusal=""))
                | Q(
                    status="approved",
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    given_days__isnull=False,
                    given_permissions__isnull=False,
                    case__isnull=False,
                ),
            ),
            models.UniqueConstraint(
                name="request_once_at_a_time",
                fields=["person", "case_no", "kind"],
                condition=Q(status__in=("open", "waiting_second")),
            ),
        )
        indexes = (
            models.Index(name="request_of_asker", fields=["asker", "-created_at"]),
            models.Index(name="request_of_case", fields=["case", "-created_at"]),
            models.Index(
                name="request_undecided",
                fields=["created_at"],
                condition=Q(status__in=("open", "waiting_second")),
            ),
        )

    def __str__(self) -> str:
        return f"request {self.pk}"

    @property
    def is_undecided(self) -> bool:
        return self.status in UNDECIDED

    @property
    def is_approved(self) -> bool:
        return self.status == self.Status.APPROVED

    @property
    def shown_state(self) -> str:
        """The state as a chip knows it; an asker is not told that the first of two has agreed."""
        return f"wish_{'open' if self.is_undecided else self.status}"

    @property
    def is_extension(self) -> bool:
        return self.kind == self.Kind.EXTENSION

    @property
    def waits_for_second(self) -> bool:
        return self.status == self.Status.WAITING_SECOND

    @property
    def lapses_at(self) -> datetime:
        """When it ends by itself unless somebody answers."""
        return self.created_at + KEPT_OPEN


UNDECIDED: Final = (AccessRequest.Status.OPEN.value, AccessRequest.Status.WAITING_SECOND.value)
