"""Giving access to a case."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils import timezone

from access.actions.people import ledger_actor
from access.models import AccessDecision, CaseGrant, User
from access.purposes import Purpose
from access.roles import Role
from access.two_persons import needs_second, too_much_for_research
from access.visibility import CLASS_PERMISSIONS, CasePermission, permission_id
from audit import trail
from audit.acts import Act

if TYPE_CHECKING:
    from django.db.models import Model

LONGEST: Final = timedelta(days=90)
# For temporary staff and contractors.
LONGEST_TEMPORARY: Final = timedelta(days=7)


class GrantRefused(Exception):
    """Access may not be given like this; ``code`` says why, ``field`` names the input it belongs to."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code, self.field = code, field


def issue(
    case: Model,
    to: User,
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    reason: str,
    until: datetime,
    by: User,
    single_use: bool = False,
) -> AccessDecision:
    """Give a person permissions on a case until a moment, for a purpose; earlier grants of the same are replaced.

    For a single use, the first opening of the case starts the last fifteen minutes.

    Raises GrantRefused: to oneself ("self"), to someone who is no investigator ("role"), without an end, past it or
    longer than 90 days ("until"), of nothing ("permissions"), of too much for research ("research"), or of what
    takes two supervisors ("second"; `access.actions.propose` is the way), or too wide for temporary staff
    ("temporary_until", "temporary_export"). The database refuses the same again.
    """
    check(to, permissions, purpose, until, by)
    if single_use and CasePermission.EXPORT in permissions:
        raise GrantRefused("once", "single_use")
    if needs_second(purpose, until - timezone.now()):
        raise GrantRefused("second", "until")
    decision = AccessDecision(kind=AccessDecision.Kind.DIRECT, purpose=purpose, reason=reason, granted_by=by)
    decision.save(force_insert=True)
    wanted = {CasePermission.VIEW, *permissions}
    forget_grants(case, to, wanted)
    write_grants(decision, case, to, wanted, until, single_use=single_use)
    extra = {"single_use": True} if single_use else {}
    record_issue(decision, case, to, wanted, until, **extra)
    return decision


def forget_grants(case: Model, to: User, permissions: Collection[CasePermission]) -> None:
    """Delete the person's grants of these permissions: new ones take their place."""
    ids = [permission_id(permission) for permission in permissions]
    CaseGrant.objects.filter(user=to, content_object_id=case.pk, permission_id__in=ids).delete()


def write_grants(
    decision: AccessDecision,
    case: Model,
    to: User,
    permissions: Collection[CasePermission],
    until: datetime,
    *,
    single_use: bool = False,
) -> None:
    """Write one grant per permission behind a decision, in the name of who decided."""
    now = timezone.now()
    CaseGrant.objects.bulk_create(
        CaseGrant(
            user=to,
            permission_id=permission_id(permission),
            content_object_id=case.pk,
            decision=decision,
            granted_by_id=decision.granted_by_id,
            kind=decision.kind,
            starts_at=now,
            expires_at=until,
            single_use=single_use,
        )
        for permission in sorted(permissions)
    )


def record_issue(
    decision: AccessDecision,
    case: Model,
    to: User,
    permissions: Collection[CasePermission],
    until: datetime,
    **extra: Any,
) -> None:
    """Tell the ledger that access was given, and behind which decision it stands."""
    trail.record(
        Act.GRANT_ISSUE,
        case,
        decision_id=decision.pk,
        purpose=decision.purpose,
        data_classes=classes_of(permissions),
        extra={"permissions": sorted(permissions), "until": until, **extra},
        toward=ledger_actor(to),
    )


def possible_grantees(by: User) -> QuerySet[User]:
    """Investigators to whom a supervisor may give access: all active ones but oneself, own organisation first."""
    people = User.objects.present().filter(role=Role.INVESTIGATOR).exclude(pk=by.pk)
    return (
        people.select_related("organisation")
        .annotate(
            is_elsewhere=ExpressionWrapper(~Q(organisation=by.organisation_id), output_field=BooleanField())
        )
        .order_by("is_elsewhere", "display_name")
    )


def check(
    to: User, permissions: Collection[CasePermission], purpose: Purpose, until: datetime, by: User
) -> None:
    """What holds for every access that a supervisor gives. Raises GrantRefused, as `issue` says."""
    now = timezone.now()
    if to.pk == by.pk:
        raise GrantRefused("self", "to")
    if to.role != Role.INVESTIGATOR or not to.is_present:
        raise GrantRefused("role", "to")
    if not permissions:
        raise GrantRefused("permissions", "permissions")
    if until <= now or until - now > LONGEST:
        raise GrantRefused("until", "until")
    if too_much_for_research(purpose, permissions):
        raise GrantRefused("research", "permissions")
    refuse_too_wide(to, permissions, until)


def refuse_too_wide(to: User, permissions: Collection[str], until: datetime) -> None:
    """Temporary staff get 7 days at most and export nothing: GrantRefused "temporary_export", "temporary_until".

    The database (sec.grant_of_temporary) refuses the same.
    """
    if not to.is_temporary:
        return
    if CasePermission.EXPORT in permissions:
        raise GrantRefused("temporary_export", "more")
    if until - timezone.now() > LONGEST_TEMPORARY:
        raise GrantRefused("temporary_until", "lasts")


def classes_of(permissions: Iterable[str]) -> list[str]:
    """The data classes that these permissions open, as codes."""
    held = set(permissions)
    return sorted(
        data_class.value for data_class, permission in CLASS_PERMISSIONS.items() if permission in held
    )
