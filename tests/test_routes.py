"""A walk over all addresses and roles: who reaches what, and what is left behind in plain text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from access import actions
from access.actor import acting_as_owner
from access.models import CaseGrant
from access.purposes import Purpose
from access.roles import Role, every_permission
from audit import words
from tests import factories, walking

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PLANTED = (factories.NAME, factories.PHONE, factories.ID_NUMBER)


@pytest.fixture
def ids(world: Any) -> dict[str, Any]:
    """Identifiers of records that exist, by the names that addresses use."""
    visit = factories.visit(world.case, world.investigator, note="种植的备注")
    contact = factories.contact(world.case, world.investigator)
    with factories.as_person(world.investigator):
        wish = actions.ask(
            world.case.case_no,
            [],
            purpose=Purpose.SOURCE,
            reason="the route walk",
            days=3,
            by=world.investigator,
        )
    with transaction.atomic(), acting_as_owner():
        grant = CaseGrant.objects.filter(user=world.investigator).first()
    return {
        "case_id": world.case.pk,
        "request_id": wish.pk,
        "grant_id": grant.pk if grant else None,
        "visit_id": visit.pk,
        "contact_id": contact.pk,
        "outbreak_id": world.outbreak.pk,
        "user_id": world.investigator.pk,
        "code": world.outbreak.code,
    }


def walk(client: Client, ids: dict[str, Any], method: str) -> list[tuple[walking.Address, Any]]:
    """Answers of all addresses to this method, without a body."""
    answers = []
    for address in walking.addresses(ids):
        if address.name == "access:sign_out":
            continue
        try:
            answers.append((address, client.generic(method, address.path)))
        except Exception as error:
            error.add_note(f"{method} {address}")
            raise
    return answers


def show(client: Client, address: walking.Address) -> Any:
    """Ask the address to show its value, with a purpose."""
    if address.path.startswith("/api/"):
        return client.post(
            address.path, {"fields": ["phone"], "purpose": "P2"}, content_type="application/json"
        )
    return client.post(address.path, {"purpose": "P2"})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_visitor_reaches_nothing(ids: dict[str, Any], method: str) -> None:
    for address, answer in walk(Client(), ids, method):
        if address.name in walking.PUBLIC:
            continue
        text = answer.content.decode()
        assert answer.status_code in (302, 401, 403, 404, 405), f"{address}: {answer.status_code}"
        assert not [value for value in PLANTED if value in text], address
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith("/access/sign-in/"), address


# Roles that work on no case knock at every door in tests/access/test_doors.py.
@pytest.mark.parametrize("role", ["outsider", "other_supervisor"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_grant_no_page_contains_a_planted_value(
    world: Any, ids: dict[str, Any], signed_in: Any, role: str, method: str
) -> None:
    client = signed_in(getattr(world, role))
    for address, answer in walk(client, ids, method):
        assert answer.status_code != 500, address
        text = answer.content.decode() if not answer.streaming else ""
        assert not [value for value in (*PLANTED, "接触者种植") if value in text], address


def test_a_page_with_a_planted_value_left_an_event_that_names_the_record(
    world: Any, ids: dict[str, Any], signed_in: Any, events: Any
) -> None:
    client = signed_in(world.investigator)
    shown = 0
    for address in walking.addresses(ids):
        if address.name == "access:sign_out":
            continue
        for method in ("GET", "POST"):
            known = len(events())
            answer = client.get(address.path) if method == "GET" else show(client, address)
            text = answer.content.decode() if not answer.streaming else ""
            if any(value in text for value in PLANTED):
                shown += 1
                new = events()[: len(events()) - known]
                assert str(world.case.pk) in json.dumps(new), f"{method} {address}"
    assert shown, "the walk met no planted value: it proves nothing"


def test_what_a_walk_leaves_behind_has_a_title_and_no_planted_value_in_plain_text(
    world: Any, ids: dict[str, Any], signed_in: Any, events: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    for role in ("investigator", "supervisor", "auditor", "outsider"):
        walk(signed_in(getattr(world, role)), ids, "GET")
        walk(signed_in(getattr(world, role)), ids, "POST")
    client = signed_in(world.investigator)
    for address in walking.addresses(ids):
        if address.name != "access:sign_out":
            show(client, address)
    seen = {event["view"] for event in events("page.view")}
    assert seen
    assert not {view for view in seen if not words.page(view)}
    assert not _tables_with(PLANTED)
    assert not [value for value in PLANTED if value in "".join(capfd.readouterr())]
    assert not _logs_with(PLANTED)


def test_the_search_of_tables_can_find(world: Any) -> None:
    """A control: what is stored in plain text is found."""
    assert "access_user" in _tables_with((world.investigator.display_name,))


def test_every_permission_named_by_a_view_is_some_roles() -> None:
    import re

    named = set()
    for path in Path(settings.BASE_DIR).glob("*/**/*.py"):
        if any(part in path.parts for part in (".venv", "tests", "migrations", "static")):
            continue
        named |= set(re.findall(r'permission_required\(\s*"([a-z_.]+)"', path.read_text(encoding="utf-8")))
    assert named
    assert named <= every_permission()


def test_no_role_holds_everything() -> None:
    from access.roles import PERMISSIONS

    assert all(PERMISSIONS[role] < every_permission() for role in Role)


def _tables_with(values: tuple[str, ...]) -> set[str]:
    """Tables of which some row, written as text or as bytes, holds one of the values."""
    found = set()
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = 'public' and c.relkind in ('r', 'p')"
        )
        for (table,) in cursor.fetchall():
            for value in values:
                cursor.execute(
                    f'select exists (select 1 from "{table}" t where t::text like %s or t::text like %s)',
                    [f"%{value}%", f"%{value.encode().hex()}%"],
                )
                if cursor.fetchone()[0]:
                    found.add(table)
    return found


def _logs_with(values: tuple[str, ...]) -> list[Path]:
    logs = [path for path in Path(settings.STATE_DIR).rglob("*.log") if path.is_file()]
    return [path for path in logs if any(value.encode() in path.read_bytes() for value in values)]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Nothing to open here"), ("zh-hans", "这里没有可打开的页面")]
)
def test_going_back_to_an_address_of_a_form_shows_a_page(
    world: Any, signed_in: Any, language: str, words: str
) -> None:
    client = signed_in(world.investigator)
    client.post("/access/language/", {"language": language, "next": "/"})
    answer = client.get(f"/cases/{world.case.pk}/movements/add/")
    assert answer.status_code == 405
    assert words in answer.content.decode()
    assert answer.headers["Allow"] == "POST"
    assert client.put(f"/cases/{world.case.pk}/movements/add/").content == b""
