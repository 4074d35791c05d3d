"""The filter of the ORM alone: with row security switched off in the database, nothing of others is shown either.

Each of the two fences must hold without the other. `tests/security/test_matrix.py` tries the second one with raw SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.test import Client
from django.utils import timezone

from access import doors, rls, waiting
from access.actions import bulk, emergency, requests, revocation
from access.forms.bulk import BulkForm
from access.models import User
from access.models.tokens import ApiToken
from cases.models import Case
from contacts.models import Contact
from disclosure import actions as exports
from disclosure import pages
from disclosure.forms import granted_cases
from tests import browsing, factories, walking
from tests.access.test_doors import OF_A_CASE, ids, knock, told  # noqa: F401  (ids is a fixture)
from tests.security import raw
from tests.security.stage import SECRETS, Stage
from vault.classes import DataClass

pytestmark = [pytest.mark.django_db, pytest.mark.database]
STRANGERS = ["outsider", "other_supervisor"]


@pytest.fixture(scope="module")
def bared(committed: Stage, django_db_blocker: Any) -> Stage:
    tables = [table.name for table in rls.declared().values() if table.row_security]
    with django_db_blocker.unblock():
        raw.as_owner(*(f'alter table "{name}" disable row level security' for name in tables))
    return committed


@pytest.fixture
def stage(bared: Stage, db: None) -> Stage:
    return bared


@pytest.fixture
def stranger(stage: Stage, request: pytest.FixtureRequest) -> Client:
    return browsing.signed_in(getattr(stage.world, request.param))


def words_of(stage: Stage) -> list[str]:
    """What tells that something of the stage was shown: its values, case numbers and keys."""
    cases = (stage.world.case, stage.second)
    records = (stage.visit, stage.contact, stage.export, stage.request)
    return [
        *SECRETS.values(),
        *(case.case_no for case in cases),
        *(str(record.pk) for record in (*cases, *records)),
        *(str(pk) for pk in others().values()),
    ]


def others() -> dict[str, Any]:
    """Keys of records about access itself, by the names that addresses use."""
    tables = {"team_id": "access_team", "breach_id": "access_quotabreach"}
    found = {name: raw.owner_rows(f"select id from {table} limit 1")[0][0] for name, table in tables.items()}
    return {**found, "decision_id": raw.owner_rows("select decision_id from access_emergencyaccess")[0][0]}


def test_the_second_fence_is_off(stage: Stage) -> None:
    """A control: raw SQL of a stranger reads everything now."""
    assert raw.count(raw.person(stage.world.outsider), "cases_case") == 3


@pytest.mark.parametrize("stranger", STRANGERS, indirect=True)
def test_no_page_without_a_record_in_its_address_shows_one(stage: Stage, stranger: Client) -> None:
    shown = []
    for door in doors.doors():
        if door.method != "GET" or set(re.findall(r"<\w+:(\w+)>", door.route)) - {"code", "field"}:
            continue
        answer = stranger.get(walking.filled(door.route, {"code": stage.world.outbreak.code}))
        text = "" if answer.streaming else answer.content.decode()
        shown += [(door.route, word) for word in words_of(stage) if word in text]
    assert not shown, sorted({route for route, _ in shown})


@pytest.mark.parametrize("stranger", STRANGERS, indirect=True)
def test_a_foreign_record_answers_as_one_that_does_not_exist(
    stage: Stage,
    stranger: Client,
    ids: dict[str, Any],  # noqa: F811
) -> None:
    from uuid import uuid4

    wrong, knocked, ids = [], 0, {**ids, **others()}
    for door in doors.doors():
        named = set(re.findall(r"<uuid:(\w+)>", door.route)) & {*OF_A_CASE, *others()}
        if not named:
            continue
        theirs = knock(stranger, door, ids)
        if theirs.status_code == 403:
            continue
        knocked += 1
        nothing = knock(stranger, door, {**ids, **{name: uuid4() for name in named}})
        if (theirs.status_code, told(theirs)) != (404, told(nothing)):
            wrong.append((door.method, door.route, theirs.status_code))
    assert knocked > 8
    assert wrong == []


@pytest.mark.parametrize("stranger", STRANGERS, indirect=True)
@pytest.mark.parametrize(
    "address", ["/cases/?q={case_no}", "/api/v1/cases?case_no={case_no}", "/access/why/?case={case}"]
)
def test_searching_for_a_foreign_case_finds_nothing(stage: Stage, stranger: Client, address: str) -> None:
    case = stage.world.case
    text = stranger.get(address.format(case_no=case.case_no, case=case.pk)).content.decode()
    assert not [word for word in SECRETS.values() if word in text]
    assert f"/cases/{case.pk}/" not in text


@pytest.mark.parametrize("stranger", STRANGERS, indirect=True)
def test_going_to_a_foreign_case_by_its_number_leads_nowhere(stage: Stage, stranger: Client) -> None:
    answer = stranger.post("/cases/go/", {"case_no": stage.world.case.case_no})
    assert answer.status_code == 404


def acts_of(stage: Stage) -> dict[str, Callable[[], Any]]:
    """What a stranger might try past the pages, each with what it comes to; truth means that it reached a record."""
    world, case = stage.world, stage.world.case
    boss, stranger = world.other_supervisor, world.outsider

    def as_(person: User, act: Callable[[], Any]) -> Callable[[], Any]:
        def tried() -> Any:
            with factories.as_person(person):
                return act()

        return tried

    def numbers(form: Any) -> bool:
        return "cases" not in form.errors

    def teams_in(form: Any) -> bool:
        return bool(form.fields["team"].queryset.exists())

    foreign = {"cases": case.case_no, "to": [str(stranger.pk)]}
    return {
        "plan for several": as_(boss, lambda: bulk._in_area([case.pk], boss).exists()),
        "numbers in a form for several": as_(boss, lambda: numbers(BulkForm(foreign, by=boss))),
        "team of a form for several": as_(boss, lambda: teams_in(BulkForm(by=boss))),
        "case of a request": as_(boss, lambda: found(lambda: requests._case(stage.request, boss))),
        "case of an emergency": as_(boss, lambda: emergency._case(case.pk, boss)),
        "live grants": as_(boss, lambda: revocation.live_grants(boss).filter(content_object=case).exists()),
        "permission of a supervisor": as_(boss, lambda: boss.has_perm("cases.view_case", case)),
        "permission of an investigator": as_(stranger, lambda: stranger.has_perm("cases.view_case", case)),
        "cases to export": as_(stranger, lambda: granted_cases(stranger).filter(pk=case.pk).exists()),
        "an export": as_(stranger, lambda: found(lambda: exported(case, stranger))),
        "classes of an export": as_(
            stranger,
            lambda: found(
                lambda: (
                    exports._require_classes(
                        Case.objects.filter(pk=case.pk), 1, [DataClass.IDENTITY], stranger
                    )
                    or True
                )
            ),
        ),
        "an export covered": as_(boss, lambda: exports.covers(boss, stage.export)),
        "preview of an export": as_(boss, lambda: pages.approval(stage.export, boss)["preview"]),
        "waiting exports": as_(boss, lambda: pages.waiting(boss)),
        "waiting requests": as_(boss, lambda: waiting.requests(boss)),
        "waiting reviews": as_(boss, lambda: waiting.reviews(boss)),
        "a contact to become the case": as_(
            stranger, lambda: Contact.objects.visible_to(stranger).filter(source_case=case).exists()
        ),
        "tokens of another": as_(stranger, lambda: ApiToken.objects.visible_to(stranger).exists()),
    }


def found(act: Callable[[], Any]) -> Any:
    """What the act gives; nothing when it refuses."""
    try:
        return act()
    except (ObjectDoesNotExist, exports.NothingToExport, exports.ClassesNotGranted):
        return None


def exported(case: Case, by: User) -> Any:
    until = timezone.localdate() + timedelta(days=1)
    return exports.request_export(
        Case.objects.filter(pk=case.pk), ["case_no"], purpose="P8", recipient="x", use_until=until, by=by
    )


def test_no_act_reaches_a_foreign_record(stage: Stage) -> None:
    reached = []
    for name, act in acts_of(stage).items():
        savepoint = transaction.savepoint()
        if act():
            reached.append(name)
        transaction.savepoint_rollback(savepoint)
    assert reached == []


def test_grants_over_the_api_need_a_case_of_the_area(stage: Stage) -> None:
    browser = browsing.signed_in(stage.world.other_supervisor)
    given = {
        "case": str(stage.world.case.pk),
        "user": stage.world.outsider.username,
        "permissions": ["reveal_reach"],
        "purpose": "P2",
        "until": (timezone.now() + timedelta(days=1)).isoformat(),
    }
    assert browser.post("/api/v1/grants", given, content_type="application/json").status_code == 404


@pytest.mark.parametrize("stranger", STRANGERS, indirect=True)
def test_foreign_cases_are_not_even_counted(stage: Stage, stranger: Client) -> None:
    outbreak = stage.world.outbreak
    assert stranger.get(f"/outbreaks/{outbreak.pk}/").context["total"] == 0
    rows = stranger.get("/outbreaks/").context["rows"]
    assert [counted for one, counted in rows if one == outbreak] == [{}]
