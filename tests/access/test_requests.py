"""Asking for access and answering: by the action, and again by PostgreSQL itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from access import actions
from access.actor import acting_as
from access.models import AccessDecision, AccessRequest, CaseGrant
from access.permissions import CasePermission
from access.purposes import Purpose
from cases.models import Case
from tests import factories
from tests.factories import as_person

pytestmark = [pytest.mark.django_db, pytest.mark.database]
WANTED = (CasePermission.HEALTH, CasePermission.REACH)
REASON = "second interview about the market"


def ask(
    by: Any, case_no: str, *permissions: CasePermission, days: int = 7, purpose: str = "P3"
) -> AccessRequest:
    with as_person(by):
        return actions.ask(
            case_no, permissions or WANTED, purpose=Purpose(purpose), reason=REASON, days=days, by=by
        )


def approve(request: AccessRequest, by: Any, *permissions: CasePermission, days: int | None = None) -> Any:
    with as_person(by):
        given = permissions or [CasePermission(one) for one in request.permissions]
        return actions.approve(request, permissions=given, days=days or request.days, by=by)


def sees(person: Any, case: Case) -> bool:
    with transaction.atomic(), acting_as(person):
        return Case.objects.visible_to(person).filter(pk=case.pk).exists()


def state(request: AccessRequest, by: Any) -> str:
    with transaction.atomic(), acting_as(by):
        return AccessRequest.objects.get(pk=request.pk).status


def held(person: Any) -> set[str]:
    with transaction.atomic(), acting_as(person):
        return set(CaseGrant.objects.values_list("permission__codename", flat=True))


@pytest.fixture
def second(world: Any) -> Any:
    """Another supervisor of the same district."""
    with factories.as_owner():
        return factories.user("second", "supervisor", world.district)


@pytest.fixture
def city(world: Any) -> Any:
    """The supervisor of the city, whose area holds the district."""
    with factories.as_owner():
        return factories.user("cityhead", "supervisor", world.city)


def test_an_approved_request_opens_the_case(world: Any, events: Any) -> None:
    request = ask(world.outsider, world.case.case_no)
    assert not sees(world.outsider, world.case)
    decision = approve(request, world.supervisor)
    assert sees(world.outsider, world.case)
    assert held(world.outsider) == {"view_case", "reveal_health", "reveal_reach"}
    assert state(request, world.outsider) == "approved"
    [asked] = events("grant.request")
    assert asked["object"]["pk"] == str(request.pk)
    [issued] = events("grant.issue")
    assert issued["decision"] == str(decision.pk)
    assert issued["object"]["pk"] == str(world.case.pk)


def test_approving_narrows(world: Any) -> None:
    request = ask(world.outsider, world.case.case_no)
    approve(request, world.supervisor, CasePermission.HEALTH, days=2)
    assert held(world.outsider) == {"view_case", "reveal_health"}
    with transaction.atomic(), acting_as(world.outsider):
        assert CaseGrant.objects.first().expires_at < timezone.now() + timedelta(days=2, minutes=1)


@pytest.mark.parametrize(("permission", "days"), [(CasePermission.IDENTITY, 7), (CasePermission.HEALTH, 8)])
def test_approving_never_widens(world: Any, permission: CasePermission, days: int) -> None:
    request = ask(world.outsider, world.case.case_no)
    with pytest.raises(actions.GrantRefused, match="wider"):
        approve(request, world.supervisor, permission, days=days)
    assert not sees(world.outsider, world.case)


def test_long_access_waits_for_a_second_supervisor(world: Any, city: Any, events: Any) -> None:
    request = ask(world.outsider, world.case.case_no, days=45)
    assert approve(request, world.supervisor) is None
    assert not sees(world.outsider, world.case)
    with pytest.raises(actions.GrantRefused, match="first"):
        approve(request, world.supervisor)
    approve(request, city)
    assert sees(world.outsider, world.case)
    with transaction.atomic(), acting_as(city):
        decision = AccessDecision.objects.get(request=request)
        assert (decision.granted_by_id, decision.second_approver_id) == (world.supervisor.pk, city.pk)
    assert events("grant.propose")


def test_a_long_direct_grant_becomes_a_proposal(world: Any, second: Any) -> None:
    with as_person(world.supervisor):
        request = actions.give(
            world.case,
            world.outsider,
            WANTED,
            purpose=Purpose.SOURCE,
            reason=REASON,
            until=timezone.now() + timedelta(days=60),
            by=world.supervisor,
        )
    assert isinstance(request, AccessRequest)
    assert not sees(world.outsider, world.case)
    with pytest.raises(actions.GrantRefused, match="own"):
        approve(request, world.supervisor)
    approve(request, second)
    assert sees(world.outsider, world.case)
