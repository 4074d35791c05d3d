"""One's own browsers, password and pledge."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from access import sessions
from access.actor import acting_as, acting_as_owner
from access.models import Pledge, Session
from tests import factories
from tests.access.enrolled import is_in
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ME, END, PASSWORD, PLEDGE = (
    "/access/me/",
    "/access/me/sessions/end/",
    "/access/me/password/",
    "/access/me/pledge/",
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"


def from_elsewhere(person: Any) -> Client:
    client = Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="198.51.100.77")
    answer = client.post(
        reverse("access:sign_in"), {"username": person.username, "password": factories.PASSWORD}
    )
    assert answer.status_code == 302
    return client


def handles(page: str) -> list[str]:
    return re.findall(r'name="which" value="([0-9a-f]{24})"', page)


def test_the_page_tells_the_browsers_coarsely(world: Any, signed_in: Any, events: Any) -> None:
    here, there = signed_in(world.investigator), from_elsewhere(world.investigator)
    signed_in(world.supervisor)
    page = here.get(ME).content.decode()
    assert "Firefox, Linux" in page
    assert "198.51.100.x" in page
    assert "198.51.100.77" not in page
    assert len(handles(page)) == 1
    assert events("account.sign_in_view")
    rows = raw.owner_rows("select session_key, address, agent from access_session where agent <> ''")
    assert [(address, agent) for _, address, agent in rows] == [("198.51.100.x", "Firefox, Linux")]
    assert rows[0][0] not in page
    assert is_in(there)


def test_one_browser_is_ended_from_another(world: Any, signed_in: Any, events: Any) -> None:
    here, there = signed_in(world.investigator), from_elsewhere(world.investigator)
    (which,) = handles(here.get(ME).content.decode())
    assert here.post(END, {"which": which}).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert events("account.session_end")[0]["actor"]["id"] == str(world.investigator.pk)


def test_all_others_are_ended_at_once(world: Any, signed_in: Any) -> None:
    here = signed_in(world.investigator)
    others = [from_elsewhere(world.investigator) for _ in range(2)]
    colleague = signed_in(world.supervisor)
    here.post(END, {"others": "1"})
    assert is_in(here)
    assert not [other for other in others if is_in(other)]
    assert is_in(colleague)


def test_nobody_ends_somebody_elses(world: Any, signed_in: Any) -> None:
    theirs = from_elsewhere(world.investigator)
    with transaction.atomic(), acting_as_owner():
        (row,) = Session.objects.filter(user=world.investigator)
    attacker = signed_in(world.supervisor)
    for which in (sessions.handle(row), row.session_key, ""):
        attacker.post(END, {"which": which})
    assert is_in(theirs)


def test_signing_out_makes_the_browser_forget(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    answer = client.post(reverse("access:sign_out"))
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert not is_in(client)


@pytest.mark.parametrize(
    ("past", "stays"),
    [
        ({"seen": 15 * 60 - 60}, True),
        ({"seen": 15 * 60 + 1}, False),
        ({"started": 8 * 3600 - 60}, True),
        ({"started": 8 * 3600 + 1}, False),
    ],
)
def test_a_session_ends_after_idleness_and_after_its_length(
    world: Any, signed_in: Any, settings: Any, past: dict[str, int], stays: bool
) -> None:
    settings.SESSION_IDLE_SECONDS = 15 * 60
    client = signed_in(world.investigator)
    session = client.session
    with transaction.atomic():
        for name, seconds in past.items():
            session[name] = time.time() - seconds
        session.save()
    assert is_in(client) is stays


@pytest.mark.parametrize(
    ("address", "short"),
    [("192.0.2.7", "192.0.2.x"), ("2001:db8:1:2::7", "2001:db8:1::x"), ("", ""), (None, "")],
)
def test_an_address_is_kept_short(address: str | None, short: str) -> None:
    assert sessions.shortened(address) == short


GOOD = "several quiet words in a row"


def change(client: Client, **values: str) -> Any:
    return client.post(PASSWORD, {"password": factories.PASSWORD, "wanted": GOOD, "again": GOOD, **values})


def test_a_person_changes_the_password(world: Any, signed_in: Any, events: Any) -> None:
    here, there = signed_in(world.investigator), from_elsewhere(world.investigator)
    assert change(here).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert events("account.password")[0]["actor"]["id"] == str(world.investigator.pk)
    sign_in = {"username": world.investigator.username}
    assert Client().post("/access/sign-in/", {**sign_in, "password": factories.PASSWORD}).status_code == 422
    assert Client().post("/access/sign-in/", {**sign_in, "password": GOOD}).status_code == 302


@pytest.mark.parametrize(
    "values",
    [
        {"password": "wrong"},
        {"again": "another one of them"},
        {"wanted": "short words", "again": "short words"},
        {"wanted": "qwertyuiop123", "again": "qwertyuiop123"},
        {"wanted": "1029384756102", "again": "1029384756102"},
        {"wanted": "investigator1", "again": "investigator1"},
        {"wanted": factories.PASSWORD, "again": factories.PASSWORD},
    ],
    ids=["wrong", "not the same", "short", "common", "digits", "like the name", "the present one"],
)
def test_a_bad_change_is_refused(world: Any, signed_in: Any, values: dict[str, str], events: Any) -> None:
    client = signed_in(world.investigator)
    answer = change(client, **values)
    assert answer.status_code == 422
    assert not events("account.password")
    assert is_in(signed_in(world.investigator))


def test_guessing_the_present_password_is_counted(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    statuses = [change(client, password="wrong").status_code for _ in range(6)]
    assert statuses == [422, 422, 422, 422, 422, 429]
    assert change(client).status_code == 429


@pytest.fixture
def pledged(settings: Any) -> None:
    settings.EPICASE_PLEDGE = True


def show(client: Client, world: Any) -> Any:
    return client.post(f"/cases/{world.case.pk}/reveal/phone/", {"purpose": "P2"})


def show_by_api(client: Client, world: Any, fields: list[str] | None = None) -> Any:
    body = {"fields": fields or ["phone"], "purpose": "P2"}
    return client.post(f"/api/v1/cases/{world.case.pk}/reveal", body, content_type="application/json")


@pytest.mark.usefixtures("pledged")
def test_nothing_is_shown_before_the_pledge(world: Any, signed_in: Any, events: Any) -> None:
    client = signed_in(world.investigator)
    answer = show(client, world)
    assert answer.status_code == 403
    assert factories.PHONE not in answer.content.decode()
    assert answer.headers["HX-Redirect"].startswith(PLEDGE)
    by_api = show_by_api(client, world)
    assert (by_api.status_code, by_api.json()["code"]) == (403, "pledge")
    refused = events("reveal")[0]
    assert (refused["outcome"], refused["reason"]) == (1, "pledge")


@pytest.mark.usefixtures("pledged")
def test_accepting_it_opens_values_for_a_year(
    world: Any, signed_in: Any, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(world.investigator)
    assert client.get(PLEDGE).status_code == 200
    assert client.post(PLEDGE, {}).status_code == 422
    answer = client.post(PLEDGE, {"accepts": "1", "next": f"/cases/{world.case.pk}/"})
    assert answer.headers["Location"] == f"/cases/{world.case.pk}/"
    assert events("account.pledge")[0]["actor"]["id"] == str(world.investigator.pk)
    assert factories.PHONE in show(client, world).content.decode()
    assert show_by_api(client, world).status_code == 200
    assert show(signed_in(world.colleague), world).status_code in (403, 404)
    monkeypatch.setattr("access.models.pledges.LASTS", timedelta(0))
    assert show(client, world).status_code == 403


@pytest.mark.usefixtures("pledged")
def test_new_words_are_asked_anew(world: Any, signed_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(world.investigator)
    client.post(PLEDGE, {"accepts": "1"})
    assert show(client, world).status_code == 200
    monkeypatch.setattr("access.models.pledges.VERSION", 2)
    assert show(client, world).status_code == 403


def test_nobody_pledges_for_another_nor_takes_it_back(world: Any, signed_in: Any) -> None:
    signed_in(world.investigator).post(PLEDGE, {"accepts": "1"})
    insert = (
        "insert into access_pledge (id, user_id, version, accepted_at)"
        f" values (gen_random_uuid(), '{world.investigator.pk}', 1, now())"
    )
    assert raw.run(raw.person(world.supervisor), insert) == raw.REFUSED
    assert raw.run(raw.person(world.investigator), insert) == 1
    assert raw.run(raw.person(world.investigator), "delete from access_pledge") == raw.DENIED
    assert raw.run(raw.person(world.investigator), "update access_pledge set version = 9") == raw.DENIED
    with transaction.atomic(), acting_as(world.supervisor):
        assert Pledge.live_of(world.investigator.pk) is None


def test_many_values_at_once_ask_for_a_confirmation(world: Any, signed_in: Any, settings: Any) -> None:
    settings.EPICASE_STEP_UP = True
    many = ["full_name", "phone", "id_number", "address_detail", "workplace_name", "summary_note"]
    client = signed_in(world.investigator)
    assert show_by_api(client, world, many).status_code == 200
    session = client.session
    with transaction.atomic():
        session["confirmed_at"] -= 600
        session.save()
    refused = show_by_api(client, world, many)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up")
    assert show_by_api(client, world, many[:5]).status_code == 200
