"""What waits for a person, as the navigation says it."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import ngettext

from access.actor import current
from access.models import AccessRequest, DecisionReview, EmergencyAccess, QuotaBreach, User
from access.models.emergency import REVIEW_WITHIN
from access.navigation import Count

MOST_COUNTED: Final = 200


def requests(person: User) -> Count | None:
    """How many requests wait for the supervisor's answer; asked only while their role is worn."""
    if not person.is_supervisor or current().user_id != person.pk:
        return None
    number = AccessRequest.objects.waiting_for(person).count()
    return Count(str(number)) if number else None


def reviews(person: User) -> Count | None:
    """How much waits for its review; in words when something is overdue."""
    if not isinstance(person, User) or current().user_id != person.pk:
        return None
    judged = DecisionReview.objects.filter(decision_id=OuterRef("pk"))
    found = (
        EmergencyAccess.objects.visible_to(person).filter(~Exists(judged)).values_list("opened_at", flat=True)
    )
    opened = list(found[:MOST_COUNTED])
    late = sum(opened_at + REVIEW_WITHIN <= timezone.now() for opened_at in opened)
    if late:
        return Count(ngettext("%(n)d overdue", "%(n)d overdue", late) % {"n": late}, is_late=True)
    number = len(opened) + QuotaBreach.objects.visible_to(person).filter(reviewed_at__isnull=True).count()
    return Count(str(number)) if number else None
