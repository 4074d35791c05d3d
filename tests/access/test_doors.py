"""Role × address × method over HTTP, from what the views declare; a door without a guard is found."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import HttpResponse
from django.test import Client
from django.urls import path, resolve
from django.views.decorators.http import require_POST

from access import doors
from access.doors import Door
from access.roles import Role, every_permission
from tests import factories, walking
from tests.security import stage as stages

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PLANTED = (factories.NAME, factories.PHONE, factories.ID_NUMBER, "接触者种植")
WORK_ON_CASES = {Role.INVESTIGATOR, Role.SUPERVISOR}
# Knocking there would end the session that knocks.
LEFT_OUT = {"access:sign_out"}
# Arguments that name a record of one case: whoever may not see the case learns nothing of it.
OF_A_CASE = {"case_id", "visit_id", "contact_id", "export_id", "run_id", "grant_id", "request_id"}
# What gets past the form, where the form comes before the record.
BODIES = {"api-case-reveal": {"fields": ["phone"], "purpose": "P2"}}
_CHANGING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|csrfmiddlewaretoken\" value=\"\w+|[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}|\d\d:\d\d(?::\d\d)?"
    r"|data-(?:ends|left|until|now|seconds)[\w-]*=\"\d+\""
)


@pytest.fixture
def export_folder(settings: Any, tmp_path: Any) -> None:
    settings.EPICASE_EXPORT_DIR = str(tmp_path / "exports")


@pytest.fixture
def stage(db: None, export_folder: None) -> stages.Stage:
    return stages.build()


@pytest.fixture
def ids(stage: stages.Stage) -> dict[str, Any]:
    from access.models import CaseGrant
    from tests.security import raw

    ((grant_id,),) = raw.owner_rows(f"select id from {raw.table_of(CaseGrant)} order by id limit 1")
    return {
        "case_id": stage.world.case.pk,
        "visit_id": stage.visit.pk,
        "contact_id": stage.contact.pk,
        "export_id": stage.export.pk,
        "run_id": stage.run.pk,
        "grant_id": grant_id,
        "request_id": stage.request.pk,
        "outbreak_id": stage.world.outbreak.pk,
        "user_id": stage.world.colleague.pk,
        "code": "identity",
        "field": "full_name",
        "name": "full_name",
        "after": "identity",
    }


def knock(client: Client, door: Door, ids: dict[str, Any]) -> Any:
    body = json.dumps(BODIES.get(door.name, {})) if door.route.startswith("/api/") else ""
    try:
        return client.generic(
            door.method, walking.filled(door.route, ids), body, content_type="application/json"
        )
    except Exception as error:
        error.add_note(f"{door.method} {door.route}")
        raise


@pytest.mark.parametrize("role", Role.values)
def test_a_role_gets_past_exactly_the_doors_that_are_declared_open_to_it(
    stage: stages.Stage, ids: dict[str, Any], signed_in: Any, role: str
) -> None:
    client, wrong = signed_in(stage.world.people[role]), []
    for door in doors.doors():
        if door.name in LEFT_OUT:
            continue
        answer = knock(client, door, ids)
        status = answer.status_code
        if role not in WORK_ON_CASES:
            text = "" if answer.streaming else answer.content.decode()
            assert not [value for value in PLANTED if value in text], door.route
        is_refused = status in (401, 403)
        if is_refused == (role in door.roles) or status >= 500:
            wrong.append((door.method, door.route, status))
    assert not _unless_a_way_out(role, wrong)


def _unless_a_way_out(role: str, wrong: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """Roles without a page of their own are told so at ``/``."""
    homeless = {role.value for role in Role if not may_see_something(role)}
    return [one for one in wrong if not (one == ("GET", "/", 403) and role in homeless)]


def may_see_something(role: Role) -> bool:
    from access.navigation import NAVIGATION

    return any(entries for _label, entries in NAVIGATION.get(role.value, []))


def test_a_visitor_gets_past_public_doors_only(ids: dict[str, Any]) -> None:
    wrong = []
    for door in doors.doors():
        answer = knock(Client(), door, ids)
        sent_away = answer.status_code in (401, 403) or (
            answer.status_code == 302 and answer.headers["Location"].startswith("/access/sign-in/")
        )
        if sent_away == door.is_public:
            wrong.append((door.method, door.route, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", ["investigator", "supervisor"])
def test_other_methods_are_not_answered(
    stage: stages.Stage, ids: dict[str, Any], signed_in: Any, role: str
) -> None:
    client, wrong = signed_in(stage.world.people[role]), []
    answered: dict[str, set[str]] = {}
    for door in doors.doors():
        if not door.is_public:
            answered.setdefault(door.route, set()).add(door.method)
    for route, methods in answered.items():
        for method in set(doors.METHODS) - methods:
            status = client.generic(method, walking.filled(route, ids)).status_code
            if status not in (403, 405):
                wrong.append((method, route, status))
    assert wrong == []


@pytest.mark.parametrize("who", ["outsider", "other_supervisor"])
def test_a_record_that_is_not_ones_own_answers_as_one_that_does_not_exist(
    stage: stages.Stage, ids: dict[str, Any], signed_in: Any, who: str
) -> None:
    person = getattr(stage.world, who)
    client, wrong, knocked = signed_in(person), [], 0
    for door in doors.doors():
        named = set(re.findall(r"<uuid:(\w+)>", door.route)) & OF_A_CASE
        if not named or person.role not in door.roles:
            continue
        knocked += 1
        theirs = knock(client, door, ids)
        nothing = knock(client, door, {**ids, **{name: uuid4() for name in named}})
        if (theirs.status_code, told(theirs)) != (404, told(nothing)):
            wrong.append((door.method, door.route, theirs.status_code))
    assert knocked > 8
    assert wrong == []


def told(answer: Any) -> str:
    """What the answer says, without what differs between any two answers."""
    return _CHANGING.sub("…", answer.content.decode())


def test_the_owner_of_the_records_does_not_get_404_everywhere(
    stage: stages.Stage, ids: dict[str, Any], signed_in: Any
) -> None:
    """A control for the test above."""
    client = signed_in(stage.insider)
    found = [door for door in doors.doors() if "case_id" in door.route and door.method == "GET"]
    statuses = {
        door.route: knock(client, door, ids).status_code for door in found if "investigator" in door.roles
    }
    assert 404 not in statuses.values(), statuses


def test_every_permission_that_a_door_asks_for_is_some_roles() -> None:
    asked = {name for door in doors.doors() for name in door.permissions or ()}
    assert asked
    assert asked <= every_permission()


def test_doors_named_as_open_exist_and_ask_for_nothing_themselves() -> None:
    known = {door.name: door for door in doors.doors()}
    for name in doors.FOR_EVERYONE_SIGNED_IN:
        assert known[name].permissions is None, name
    assert set(doors.ASKS_FOR_ONE_OF) <= known.keys()


def plain(request: Any) -> HttpResponse:
    return HttpResponse()


@pytest.mark.parametrize(
    ("view", "is_found"),
    [
        (plain, True),
        (require_POST(plain), True),
        (login_not_required(require_POST(plain)), False),
        (permission_required("cases.view_cases", raise_exception=True)(plain), False),
    ],
)
def test_an_address_without_a_guard_is_found(
    monkeypatch: pytest.MonkeyPatch, view: Any, is_found: bool
) -> None:
    class Planted:
        url_patterns = [path("planted/", view, name="planted")]

    monkeypatch.setattr(doors, "get_resolver", lambda: Planted)
    if is_found:
        with pytest.raises(doors.Unguarded, match="planted"):
            doors.doors()
    else:
        assert {door.name for door in doors.doors()} == {"planted"}


def test_an_api_view_without_a_named_permission_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class Open(APIView):
        def get(self, request: Any) -> Response:
            return Response()

    class Planted:
        url_patterns = [path("planted", Open.as_view(), name="planted")]

    monkeypatch.setattr(doors, "get_resolver", lambda: Planted)
    with pytest.raises(doors.Unguarded, match="planted"):
        doors.doors()


def test_an_unnamed_address_is_not_taken_for_the_twin_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = permission_required("cases.view_cases", raise_exception=True)(plain)

    class Planted:
        url_patterns = [path("planted", guarded, name="planted"), path("planted/", plain)]

    monkeypatch.setattr(doors, "get_resolver", lambda: Planted)
    with pytest.raises(doors.Unguarded, match="planted/"):
        doors.doors()


def test_the_doors_are_all_the_addresses_there_are(ids: dict[str, Any]) -> None:
    routes = {walking.filled(door.route, ids) for door in doors.doors()}
    for address in walking.addresses(ids):
        found = resolve(address.path)
        twins = {address.path, address.path.rstrip("/")}
        assert twins & routes or any(resolve(one).func is found.func for one in routes), address
