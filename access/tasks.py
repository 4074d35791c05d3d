"""Celery tasks around access, in nobody's name."""

from __future__ import annotations

from celery import shared_task

from access import actions
from access.actions import emergency
from access.actions.notices import notify, supervisors_of
from access.actor import acting_as_role
from access.models import Notice, Organisation
from access.roles import PgRole
from audit import trail
from audit.acts import Act
from audit.trail import audit_job


@shared_task(name="access.tasks.expire_requests")
def expire_requests() -> int:
    """End requests for access that nobody answered in a week; gives how many."""
    with acting_as_role(PgRole.JOB), audit_job("request_expire"):
        return actions.expire()


@shared_task(name="access.tasks.remind_reviews", ignore_result=True)
def remind_reviews() -> int:
    """Remind of emergency accesses that wait for their review; gives how many were told of."""
    with acting_as_role(PgRole.JOB), audit_job("remind_reviews"):
        return emergency.remind()


@shared_task(name="access.tasks.tell_of_unused_grants")
def tell_of_unused_grants() -> int:
    """Tell supervisors that access in their area lies unused; gives how many grants do.

    Whoever has not read the last such notice gets no second one.
    """
    with acting_as_role(PgRole.JOB), audit_job("grants_unused"):
        counted = actions.unused_by_place()
        places = Organisation.objects.filter(pk__in=counted).select_related("parent__parent")
        people = {person for place in places for person in supervisors_of(place)}
        unread = Notice.objects.filter(kind=Notice.Kind.GRANTS_UNUSED, read_at__isnull=True)
        people -= set(unread.values_list("person_id", flat=True))
        notify(Notice.Kind.GRANTS_UNUSED, people)
        trail.record(
            Act.JOB, reason="grants_unused", counts={"grants": sum(counted.values()), "told": len(people)}
        )
        return sum(counted.values())
