"""The seed makes a working demo, once, and nothing in it can be a living person's."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from access.actions import unused
from access.actor import acting_as, acting_as_owner
from access.models import AccessRequest, CaseGrant, Organisation, User
from access.roles import Role
from audit import trail
from audit.models import Event
from cases.models import Case, Outbreak, Place, Visit
from contacts.models import Contact, TransmissionLink
from epicase.demo import accounts
from epicase.demo.seed import TRUTH, seed

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def state(tmp_path: Path, settings: Any) -> Path:
    settings.STATE_DIR = tmp_path
    return tmp_path


def test_the_seed_makes_a_working_demo_and_only_once(state: Path) -> None:
    assert seed() is True
    with acting_as_owner():
        assert 190 <= Case.objects.count() <= 210
        assert 1_800 <= Contact.objects.count() <= 2_300
        assert 9_000 <= Visit.objects.count() <= 11_000
        assert (Place.objects.count(), Organisation.objects.count(), User.objects.count()) == (400, 14, 9)
        assert TransmissionLink.objects.count() > 150
        assert set(Outbreak.objects.values_list("code", flat=True)) >= {"MERS-2015"}
        assert set(Event.objects.values_list("act", flat=True)) >= {"demo.seed", "grant.issue", "case.view"}
        people = {person.username: person for person in User.objects.select_related("organisation")}
    assert set(people) == {account.username for account in accounts.ACCOUNTS}
    _the_investigator_sees_the_granted_cases(people["investigator"])
    _the_supervisor_sees_all_of_the_city(people["supervisor"])
    _nobody_else_sees_a_case(people)
    _the_supervisor_finds_requests_and_unused_access(people["supervisor"])
    _the_truth_is_kept_apart(state)
    assert seed() is False


def _the_investigator_sees_the_granted_cases(person: User) -> None:
    with acting_as(person), trail.audit_job("test"):
        cases = list(Case.objects.visible_to(person))
        assert len(cases) == 23
        case = cases[0]
        assert case.phone is not None
        assert case.phone.reveal().startswith("1000000")
        assert case.id_number is not None
        assert case.id_number.reveal().startswith("99")
        assert case.visits.count() > 20


def _the_supervisor_sees_all_of_the_city(person: User) -> None:
    with acting_as(person), trail.audit_job("test"):
        assert Case.objects.visible_to(person).count() == Case.objects.count() >= 190


def _nobody_else_sees_a_case(people: dict[str, User]) -> None:
    for person in people.values():
        if person.role not in (Role.INVESTIGATOR, Role.SUPERVISOR):
            with acting_as(person), trail.audit_job("test"):
                assert not Case.objects.visible_to(person)
    with acting_as_owner():
        assert not CaseGrant.objects.exclude(user__role=Role.INVESTIGATOR).exists()


def _the_supervisor_finds_requests_and_unused_access(person: User) -> None:
    with acting_as(person), trail.audit_job("test"):
        waiting = {one.kind: one for one in AccessRequest.objects.waiting_for(person)}
        assert set(waiting) == {"ask", "extension", "proposal"}
        assert all(Case.objects.visible_to(person).filter(requests=one).exists() for one in waiting.values())
        assert waiting["proposal"].waits_for_second
        assert len(unused()) == 3


def _the_truth_is_kept_apart(state: Path) -> None:
    file = state / TRUTH
    assert file.stat().st_mode & 0o077 == 0
    truth = json.loads(file.read_text(encoding="utf-8"))
    with acting_as_owner():
        numbers = set(Case.objects.values_list("case_no", flat=True))
    assert {link["infectee"] for link in truth["links"]} < numbers


def test_outside_the_demo_nothing_is_made(settings: Any) -> None:
    settings.EPICASE_DEMO = settings.EPICASE_TEST = False
    with pytest.raises(ImproperlyConfigured):
        seed()
