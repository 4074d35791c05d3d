"""Makes records with only what matters to a test said; everything else is plausible and invented."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from access import actions as access_actions
from access.actor import acting_as, acting_as_owner
from access.models import AccessDecision, Organisation, User
from access.purposes import Purpose
from access.visibility import CasePermission
from audit import trail
from cases import actions as case_actions
from cases.models import Case, DiseaseProfile, Outbreak, Visit
from contacts import actions as contact_actions
from contacts.models import Contact

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)

# Planted values: invented, and recognisable wherever they should not be.
NAME, PHONE, ID_NUMBER = "欧阳种植", "10000004471", "990101198805152137"
ALL_CLASSES = (
    CasePermission.CHANGE,
    CasePermission.EXPORT,
    CasePermission.IDENTITY,
    CasePermission.REACH,
    CasePermission.HEALTH,
    CasePermission.TRAJECTORY,
)


@contextmanager
def as_owner() -> Iterator[None]:
    """Make records as the owner of the tables, recorded as a job."""
    with trail.audit_job("test.factory"), acting_as_owner():
        yield


@contextmanager
def as_person(person: User) -> Iterator[None]:
    """Act as the person would, recorded as a job in their name."""
    with trail.audit_job("test.act", actor=access_actions.ledger_actor(person)), acting_as(person):
        yield


def organisation(code: str, level: str, parent: Organisation | None, name: str) -> Organisation:
    made: Organisation = Organisation.objects.create(
        code=code,
        level=level,
        parent=parent,
        name_zh=f"{name}疾控中心",
        name_en=f"{name} CDC",
        area_zh=name,
        area_en=name,
    )
    return made


def user(username: str, role: str, place: Organisation, **fields: Any) -> User:
    fields = {"display_name": f"人员{username}", "language": "en", **fields}
    return User.objects.create_user(username, PASSWORD, role=role, organisation=place, **fields)


def outbreak(by: User, **values: Any) -> Outbreak:
    number = next(_numbers)
    given = {
        "code": f"OB-{number}",
        "name": f"outbreak {number}",
        "disease": DiseaseProfile.objects.get(code="covid-19"),
        "started_on": timezone.localdate() - timedelta(days=30),
        **values,
    }
    return case_actions.open_outbreak(given, by=by)


def case_values(**values: Any) -> dict[str, Any]:
    """The 14 fields that open a case, by model field."""
    today: date = timezone.localdate()
    return {
        "full_name": NAME,
        "sex": "1",
        "age_value": 38,
        "age_unit": "Y",
        "phone": PHONE,
        "id_kind": "01",
        "id_number": ID_NUMBER,
        "occupation_group": "14",
        "is_health_worker": "N",
        "classification": "confirmed",
        "is_asymptomatic": False,
        "onset_date": today - timedelta(days=3),
        "reported_at": timezone.now(),
        "notice_given": "full",
        **values,
    }


def case(by: User, event: Outbreak, **values: Any) -> Case:
    """Open a case the way people do; say only what matters."""
    with as_person(by):
        given = case_values(**{"district": by.organisation, **values})
        return case_actions.open_case(event, given, by=by)


def visit(record: Case, by: User, **values: Any) -> Visit:
    with as_person(by):
        moment = timezone.now() - timedelta(days=2)
        given = {
            "start_at": moment,
            "end_at": moment + timedelta(hours=1),
            "place_name": "示例集市",
            **values,
        }
        return case_actions.add_visit(record, given, by=by)


def contact(record: Case, by: User, **values: Any) -> Contact:
    with as_person(by):
        given = {
            "full_name": "接触者种植",
            "phone": "10000004472",
            "level": "close",
            "relation": "friend",
            "mode": [],
            "last_contact_date": timezone.localdate() - timedelta(days=1),
            "responsible_org": by.organisation,
            **values,
        }
        return contact_actions.add_contact(record, given, by=by)


def grant(
    record: Case,
    to: User,
    by: User,
    *permissions: CasePermission,
    days: int = 7,
    purpose: Purpose = Purpose.REACH,
) -> AccessDecision:
    """Access as a supervisor gives it; without permissions, all of them."""
    with as_person(by):
        return access_actions.issue(
            record,
            to,
            permissions or ALL_CLASSES,
            purpose=purpose,
            reason="",
            until=timezone.now() + timedelta(days=days),
            by=by,
        )
