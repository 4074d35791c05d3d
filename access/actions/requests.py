"""Asking for access, proposing it, and answering: narrower or as asked, never wider."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from access.actions.grants import (
    GrantRefused,
    check,
    classes_of,
    forget_grants,
    issue,
    record_issue,
    write_grants,
)
from access.actions.notices import notify
from access.actions.people import ledger_actor
from access.models import AccessDecision, AccessRequest, CaseGrant, Notice, User
from access.models.requests import OPEN_AT_MOST
from access.permissions import CasePermission
from access.purposes import Purpose
from access.two_persons import needs_second, too_much_for_research
from audit import trail
from audit.acts import Act

if TYPE_CHECKING:
    from django.db.models import Model

Kind, Status = AccessRequest.Kind, AccessRequest.Status
MOST_DAYS = 90


class RequestAnswered(Exception):
    """Somebody has answered, withdrawn or let the request lapse before; `status` says which."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@transaction.atomic
def ask(
    case_no: str,
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    reason: str,
    days: int,
    by: User,
    kind: AccessRequest.Kind = Kind.ASK,
) -> AccessRequest:
    """Ask for access to whatever case has this number; nothing here depends on whether there is one.

    Raises GrantRefused: too many open requests ("open"), this one is open already ("asked"), too much for research
    ("research").
    """
    if too_much_for_research(purpose, permissions):
        raise GrantRefused("research", "classes")
    undecided = list(AccessRequest.objects.filter(asker=by).undecided().values_list("case_no", "kind"))
    if (case_no, kind) in undecided:
        raise GrantRefused("asked", "case_no")
    if len(undecided) >= OPEN_AT_MOST:
        raise GrantRefused("open")
    request = AccessRequest(
        kind=kind,
        asker=by,
        person=by,
        case_no=case_no,
        permissions=_sorted(permissions),
        purpose=purpose,
        reason=reason,
        days=days,
    )
    request.save(force_insert=True)
    _record(Act.GRANT_REQUEST, request, request, permissions, days=days)
    return request


def extend(
    grant: CaseGrant,
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    reason: str,
    days: int,
    by: User,
) -> AccessRequest:
    """Ask for longer, before the own grant ends.

    Raises GrantRefused as `ask`, "none" when it has ended, and "more" when it is not of what is held.
    """
    if grant.user_id != by.pk or not grant.is_live:
        raise GrantRefused("none")
    case_no = grant.content_object.case_no
    return ask(case_no, permissions, purpose=purpose, reason=reason, days=days, by=by, kind=Kind.EXTENSION)


def give(
    case: Model,
    to: User,
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    reason: str,
    until: datetime,
    by: User,
    single_use: bool = False,
) -> AccessDecision | AccessRequest:
    """Give access at once, or propose it where a second supervisor has to agree. Raises GrantRefused.

    Access for a single use is never proposed: "once", when it would take a second supervisor.
    """
    if needs_second(purpose, until - timezone.now()):
        if single_use:
            raise GrantRefused("once", "single_use")
        return propose(case, to, permissions, purpose=purpose, reason=reason, until=until, by=by)
    return issue(
        case, to, permissions, purpose=purpose, reason=reason, until=until, by=by, single_use=single_use
    )


@transaction.atomic
def propose(
    case: Model,
    to: User,
    permissions: Collection[CasePermission],
    *,
    purpose: Purpose,
    reason: str,
    until: datetime,
    by: User,
) -> AccessRequest:
    """Propose access that takes two supervisors; its days count from the second one's approval.

    Raises GrantRefused as `issue`, and "reason" (a second person has to understand it), "asked".
    """
    check(to, permissions, purpose, until, by)
    if len(reason.strip()) < 10:
        raise GrantRefused("reason", "reason")
    case_no = case.case_no  # type: ignore[attr-defined]
    if AccessRequest.objects.filter(person=to, case_no=case_no, kind=Kind.PROPOSAL).undecided().exists():
        raise GrantRefused("asked", "to")
    wanted = _sorted(permissions)
    days = min(MOST_DAYS, -((timezone.now() - until) // timedelta(days=1)))
    request = AccessRequest(
        kind=Kind.PROPOSAL,
        asker=by,
        person=to,
        case_no=case_no,
        permissions=wanted,
        purpose=purpose,
        reason=reason,
        days=days,
        status=Status.WAITING_SECOND,
        first_approver=by,
        given_permissions=wanted,
        given_days=days,
    )
    request.save(force_insert=True)
    _record(Act.GRANT_PROPOSE, request, case, wanted, toward=to, days=days)
    return request


@transaction.atomic
def withdraw(request: AccessRequest, *, by: User) -> None:
    """Take the own request back. Raises RequestAnswered, GrantRefused("other")."""
    locked = _locked(AccessRequest.objects.filter(pk=request.pk))
    if locked.asker_id != by.pk:
        raise GrantRefused("other")
    locked.status = Status.WITHDRAWN
    locked.save(update_fields=["status"])
    trail.record(Act.GRANT_WITHDRAW, locked, purpose=locked.purpose)


@transaction.atomic
def approve(
    request: AccessRequest, *, permissions: Collection[CasePermission], days: int, by: User
) -> AccessDecision | None:
    """Agree to a request, or to less of it. None: it takes a second supervisor and waits for one now.

    A second approver agrees to what the first one left of it; `permissions` and `days` must be the same then.
    Raises RequestAnswered; GrantRefused: one's own ("own"), one has agreed before ("first"), more than was asked
    ("wider"), the person is no active investigator any more ("role").
    """
    locked = _locked(AccessRequest.objects.defer(None).filter(pk=request.pk))
    _require_another(locked, by)
    given = _sorted(permissions)
    if not set(given) <= set(locked.permissions) or not 1 <= days <= locked.days:
        raise GrantRefused("wider")
    if locked.waits_for_second and (given != locked.given_permissions or days != locked.given_days):
        raise GrantRefused("wider")
    case = _case(locked, by)
    person = _person(locked.person_id)
    until = timezone.now() + timedelta(days=days)
    purpose = Purpose(locked.purpose)
    check(person, permissions, purpose, until, by)
    locked.given_permissions, locked.given_days = given, days
    if not locked.waits_for_second and needs_second(purpose, timedelta(days=days)):
        _leave_to_second(locked, case, person, by)
        return None
    decision = _decide(locked, by)
    missing = {CasePermission(one) for one in given} - _held_longer(case, person, purpose, until)
    forget_grants(case, person, missing)
    write_grants(decision, case, person, missing, until)
    record_issue(decision, case, person, [CasePermission(one) for one in given], until, request=locked.pk)
    if locked.kind != Kind.PROPOSAL:
        notify(Notice.Kind.REQUEST_ANSWERED, [person], case=case, about=by)
    return decision


@transaction.atomic
def refuse(request: AccessRequest, *, refusal: AccessRequest.Refusal, by: User) -> None:
    """Decline a request, for a reason from the list. Raises RequestAnswered, GrantRefused("own", "first")."""
    locked = _locked(AccessRequest.objects.defer(None).filter(pk=request.pk))
    _require_another(locked, by)
    locked.status, locked.refusal = Status.REFUSED, refusal
    locked.decided_by, locked.decided_at = by, timezone.now()
    locked.save(update_fields=["status", "refusal", "decided_by", "decided_at"])
    case = _case(locked, by)
    trail.record(
        Act.GRANT_REJECT,
        case,
        subjects=[locked],
        purpose=locked.purpose,
        reason=refusal.value,
        toward=ledger_actor(_person(locked.asker_id)),
    )
    notify(Notice.Kind.REQUEST_ANSWERED, [locked.asker_id], about=by)


def expire(*, at_once: int = 500) -> int:
    """End requests that nobody answered in a week; gives how many. Called by the nightly task as ``ep_job``."""
    overdue = AccessRequest.objects.overdue(timezone.now()).select_for_update(skip_locked=True)[:at_once]
    ended = list(overdue)
    for request in ended:
        request.status = Status.EXPIRED
        request.save(update_fields=["status"])
        trail.record(Act.GRANT_LAPSE, request, purpose=request.purpose)
    return len(ended)


def _locked(rows: QuerySet[AccessRequest]) -> AccessRequest:
    """The request as it is now, locked until the end of the transaction; of two who decide, one waits here."""
    locked = rows.select_for_update().first()
    if locked is None or not locked.is_undecided:
        raise RequestAnswered(locked.status if locked else "")
    return locked


def _case(request: AccessRequest, by: User) -> Any:
    return apps.get_model("cases.Case").objects.visible_to(by).get(requests=request)


def _require_another(request: AccessRequest, by: User) -> None:
    if by.pk in (request.asker_id, request.person_id):
        raise GrantRefused("own")
    if by.pk == request.first_approver_id:
        raise GrantRefused("first")


def _leave_to_second(request: AccessRequest, case: Model, person: User, by: User) -> None:
    request.status, request.first_approver = Status.WAITING_SECOND, by
    request.save(update_fields=["status", "first_approver", "given_permissions", "given_days"])
    given = request.given_permissions or ()
    _record(Act.GRANT_PROPOSE, request, case, given, toward=person, days=request.given_days)


def _decide(request: AccessRequest, by: User) -> AccessDecision:
    """The decision in the name of whoever agreed first, and the request that it answers."""
    proposed = request.kind == Kind.PROPOSAL
    decision = AccessDecision(
        kind=AccessDecision.Kind.DIRECT if proposed else AccessDecision.Kind.REQUEST,
        purpose=request.purpose,
        reason=request.reason,
        granted_by_id=request.first_approver_id or by.pk,
        second_approver=by if request.first_approver_id else None,
        request=request,
    )
    decision.save(force_insert=True)
    request.status, request.decided_by, request.decided_at = Status.APPROVED, by, timezone.now()
    request.save(update_fields=["status", "decided_by", "decided_at", "given_permissions", "given_days"])
    return decision


def _held_longer(case: Model, person: User, purpose: Purpose, until: datetime) -> set[CasePermission]:
    """What the person holds for the same purpose until later: an approval never shortens."""
    rows = CaseGrant.objects.filter(user=person, content_object_id=case.pk, expires_at__gt=until).filter(
        Q(decision__purpose=purpose) | Q(kind=AccessDecision.Kind.CREATED)
    )
    return {CasePermission(codename) for codename in rows.values_list("permission__codename", flat=True)}


def _person(pk: UUID) -> User:
    person: User = User.objects.select_related("organisation").get(pk=pk)
    return person


def _sorted(permissions: Collection[str]) -> list[str]:
    return sorted({CasePermission.VIEW.value, *(str(one) for one in permissions)})


def _record(
    act: Act,
    request: AccessRequest,
    subject: Model,
    permissions: Collection[str],
    *,
    toward: User | None = None,
    **extra: Any,
) -> None:
    trail.record(
        act,
        subject,
        subjects=[] if subject is request else [request],
        purpose=request.purpose,
        data_classes=classes_of(permissions),
        extra={"permissions": sorted(str(one) for one in permissions), **extra},
        toward=ledger_actor(toward) if toward else None,
    )
