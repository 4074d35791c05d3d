"""Personal tokens of the API: made once, bound to purpose, scope and end, dead when they should be."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from access import actions, doors
from access.actions import tokens
from access.actor import acting_as_owner
from access.api_tokens import digest
from access.models import ApiToken, User
from access.models.tokens import SCOPE_PERMISSIONS, Scope
from access.purposes import Purpose
from tests import factories
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ALL = tuple(Scope)


def make(
    person: Any, *scopes: Scope, purpose: Purpose = Purpose.REACH, days: int = 7
) -> tuple[ApiToken, str]:
    with factories.as_person(person):
        wanted = scopes or tokens.scopes_of(person)
        return tokens.make_token("script", wanted, purpose=purpose, lasts=timedelta(days=days), by=person)


def ask(words: str, address: str, **how: Any) -> Any:
    return Client(headers={"authorization": f"Bearer {words}"}).get(address, **how)


def reveal(words: str, world: Any, purpose: str = "P2") -> Any:
    client = Client(headers={"authorization": f"Bearer {words}"})
    data = {"fields": ["phone"], "purpose": purpose}
    return client.post(f"/api/v1/cases/{world.case.pk}/reveal", data, content_type="application/json")


def as_owner(token: ApiToken, **values: Any) -> None:
    """What time and other people do to a token; the pins bind everyone, so they are off for a moment."""
    raw.as_owner("set constraints all immediate", "alter table access_apitoken disable trigger pinned")
    with transaction.atomic(), acting_as_owner():
        ApiToken.objects.filter(pk=token.pk).update(**values)
    raw.as_owner("set constraints all immediate", "alter table access_apitoken enable trigger pinned")


def test_a_token_shows_what_its_person_may_see_and_the_event_names_it(world: Any, events: Any) -> None:
    token, words = make(world.investigator)
    answer = ask(words, "/api/v1/cases")
    assert answer.status_code == 200
    assert [row["case_no"] for row in answer.json()["results"]] == [world.case.case_no]
    event = events("case.list")[0]
    assert event["extra"]["token"] == str(token.pk)
    assert event["actor"]["id"] == str(world.investigator.pk)
    assert words not in str(events())


def test_a_strangers_token_shows_nothing(world: Any) -> None:
    _token, words = make(world.outsider)
    assert ask(words, "/api/v1/cases").json()["results"] == []
    assert ask(words, f"/api/v1/cases/{world.case.pk}").status_code == 404


def test_a_session_beside_the_token_counts_for_nothing(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    address, header = f"/api/v1/cases/{world.case.pk}", "authorization"
    assert client.get(address).status_code == 200
    assert client.get(address, headers={header: f"Bearer {make(world.outsider)[1]}"}).status_code == 404
    assert client.get(address, headers={header: "Bearer epi_nothing"}).status_code == 401


def test_a_session_still_needs_its_csrf_token_and_a_token_needs_none(world: Any, signed_in: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in(world.investigator).cookies
    address, data = "/api/v1/cases/search", {"case_no": "OB"}
    assert strict.post(address, data, content_type="application/json").status_code == 403
    with_token = Client(
        enforce_csrf_checks=True, headers={"authorization": f"Bearer {make(world.investigator)[1]}"}
    )
    assert with_token.post(address, data, content_type="application/json").status_code == 200


def test_a_token_opens_no_page(world: Any) -> None:
    _token, words = make(world.investigator)
    assert ask(words, f"/cases/{world.case.pk}/").status_code == 302


def test_the_scope_binds(world: Any) -> None:
    _token, words = make(world.investigator, Scope.CONTACTS)
    assert ask(words, "/api/v1/contacts").status_code == 200
    assert ask(words, "/api/v1/cases").status_code == 403
    assert reveal(words, world).status_code == 403
    assert reveal(make(world.investigator, Scope.REVEAL)[1], world).status_code == 200


def test_the_purpose_binds(world: Any, events: Any) -> None:
    _token, words = make(world.investigator, purpose=Purpose.REACH)
    assert reveal(words, world, "P4").status_code == 403
    assert not events("reveal")
    assert reveal(words, world, "P2").json()["values"] == {"phone": factories.PHONE}


def test_the_role_binds_whatever_the_scope_says(world: Any) -> None:
    token, words = make(world.investigator, Scope.CASES)
    as_owner(token, scopes=[scope.value for scope in Scope])
    assert ask(words, "/api/v1/cases").status_code == 200
    assert ask(words, "/api/v1/grants").status_code == 403
    assert ask(words, "/api/v1/audit/events").status_code == 403


def end(world: Any, token: ApiToken, how: str) -> None:
    person, now = world.investigator, timezone.now()
    if how == "revoked":
        with factories.as_person(person):
            tokens.revoke_token(token.pk, by=person)
    elif how == "over":
        as_owner(token, created_at=now - timedelta(days=9), expires_at=now - timedelta(seconds=1))
    else:
        values: dict[str, Any] = {
            "inactive": {"is_active": False},
            "account over": {"ends_at": now - timedelta(seconds=1)},
            "another role": {"role": "auditor"},
        }[how]
        with transaction.atomic(), acting_as_owner():
            User.objects.filter(pk=person.pk).update(**values)


@pytest.mark.parametrize("how", ["revoked", "over", "inactive", "account over", "another role"])
def test_what_is_no_token_any_more_is_answered_like_what_never_was_one(world: Any, how: str) -> None:
    token, words = make(world.investigator)
    assert ask(words, "/api/v1/cases").status_code == 200
    end(world, token, how)
    dead, unknown = ask(words, "/api/v1/cases"), ask("epi_" + "A" * 43, "/api/v1/cases")
    assert dead.status_code == unknown.status_code == 401
    assert dead.content == unknown.content
    assert dead.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"] == "Bearer"


def test_a_person_who_is_active_again_has_no_token_left(world: Any) -> None:
    _token, words = make(world.investigator)
    for is_active in (False, True):
        with transaction.atomic(), acting_as_owner():
            User.objects.filter(pk=world.investigator.pk).update(is_active=is_active)
    assert ask(words, "/api/v1/cases").status_code == 401
    # A control: a token made after that works.
    with transaction.atomic(), acting_as_owner():
        person = User.objects.select_related("organisation").get(pk=world.investigator.pk)
    assert ask(make(person)[1], "/api/v1/cases").status_code == 200


@pytest.mark.parametrize("words", ["", "epi_", "x", "epi_é", "epi_a b", "epi_\x00", "epi_" + "A" * 5000])
def test_odd_words_are_no_token(world: Any, words: str) -> None:
    header = f"Bearer {words}".encode().decode("latin-1")
    assert Client().get("/api/v1/cases", HTTP_AUTHORIZATION=header).status_code == 401


def test_revoking_access_ends_what_the_token_shows_in_the_next_request(world: Any) -> None:
    factories.grant(world.case, world.outsider, world.supervisor)
    _token, words = make(world.outsider)
    address = f"/api/v1/cases/{world.case.pk}"
    assert ask(words, address).status_code == 200
    with factories.as_person(world.supervisor):
        actions.revoke(world.case, world.outsider, by=world.supervisor)
    assert ask(words, address).status_code == 404


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("scopes", {"scopes": [Scope.LEDGER]}),
        ("scopes", {"scopes": []}),
        ("purpose", {"purpose": Purpose.STATISTICS}),
        ("lasts", {"lasts": timedelta(days=91)}),
        ("lasts", {"lasts": timedelta()}),
    ],
)
def test_the_action_refuses_what_may_not_be(world: Any, code: str, given: dict[str, Any]) -> None:
    plain = {"scopes": [Scope.CASES], "purpose": Purpose.REACH, "lasts": timedelta(days=7), **given}
    with factories.as_person(world.investigator), pytest.raises(tokens.TokenRefused, match=code):
        tokens.make_token("script", plain.pop("scopes"), by=world.investigator, **plain)


def test_nobody_has_more_than_ten_live_tokens(world: Any) -> None:
    for _ in range(tokens.LIVE_AT_MOST):
        make(world.investigator)
    with pytest.raises(tokens.TokenRefused, match="many"):
        make(world.investigator)


INSERT = (
    "insert into access_apitoken (id, user_id, name, token_hash, stamp, purpose, scopes, created_at, expires_at)"
    " values (gen_random_uuid(), %s, 'x', %s, %s, 'P2', '{cases}', now() + %s, now() + %s)"
)


@pytest.mark.parametrize(
    ("who", "starts", "lasts", "outcome"),
    [
        ("investigator", 0, 7, 1),
        ("outsider", 0, 7, raw.REFUSED),
        ("investigator", 0, 91, raw.REFUSED),
        ("investigator", 10, 95, raw.REFUSED),
    ],
)
def test_the_database_refuses_a_token_for_another_and_one_without_a_near_end(
    world: Any, who: str, starts: int, lasts: int, outcome: Any
) -> None:
    owner = world.investigator
    given = [owner.pk, digest("epi_x"), owner.session_stamp, timedelta(days=starts), timedelta(days=lasts)]
    assert raw.run(raw.person(getattr(world, who)), INSERT, given) == outcome


def test_nobody_lists_reads_or_changes_tokens_of_others(world: Any) -> None:
    token, _words = make(world.investigator)
    assert raw.count(raw.person(world.investigator), "access_apitoken") == 1
    for other in (world.colleague, world.supervisor, world.secadmin, world.auditor):
        assert raw.count(raw.person(other), "access_apitoken") == 0
        assert raw.run(raw.person(other), "update access_apitoken set revoked_at = now()") == 0
    assert raw.run(raw.role("ep_none"), "select id from access_apitoken") == raw.DENIED
    assert raw.run(raw.person(world.investigator), "select token_hash from access_apitoken") == raw.DENIED
    mine = raw.person(world.investigator)
    for statement in (
        "update access_apitoken set expires_at = now() + interval '80 days'",
        "update access_apitoken set scopes = '{cases,ledger}'",
        "delete from access_apitoken",
    ):
        assert raw.run(mine, statement) == raw.DENIED, statement
    assert raw.run(mine, "update access_apitoken set revoked_at = now()") == 1
    end(world, token, "revoked")
    assert raw.run(mine, "update access_apitoken set revoked_at = null") == raw.REFUSED


def test_not_even_the_owner_lengthens_a_token(world: Any) -> None:
    make(world.investigator)
    with pytest.raises(Exception, match="never changes"), transaction.atomic(), acting_as_owner():
        ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=80))


def test_every_permission_of_the_api_belongs_to_a_scope() -> None:
    asked = {
        name for door in doors.doors() if door.route.startswith("/api/") for name in door.permissions or ()
    }
    assert asked == frozenset().union(*SCOPE_PERMISSIONS.values())


def test_the_description_of_the_api_names_the_scheme(world: Any, signed_in: Any) -> None:
    schemes = signed_in(world.investigator).get("/api/schema.json").json()["components"]["securitySchemes"]
    assert schemes["personalToken"]["scheme"] == "bearer"


# The page.

PAGE = {"name": "night run", "purpose": "P2", "scopes": ["cases"], "lasts": "7"}


def test_a_token_is_shown_once_and_works(world: Any, signed_in: Any, events: Any) -> None:
    browser, address = signed_in(world.investigator), reverse("access:tokens")
    made = browser.post(address, PAGE)
    assert made.status_code == 200
    words = made.context["words"]
    assert words in made.content.decode()
    assert ask(words, "/api/v1/cases").status_code == 200
    again = browser.get(address).content.decode()
    assert "night run" in again
    assert words not in again
    assert events("token.make")[0]["purpose"] == "P2"


@pytest.mark.parametrize(
    "wrong", [{"scopes": ["ledger"]}, {"scopes": []}, {"purpose": "P8"}, {"lasts": "365"}, {"name": ""}]
)
def test_bad_input_makes_no_token_and_keeps_what_was_typed(
    world: Any, signed_in: Any, wrong: dict[str, Any]
) -> None:
    answer = signed_in(world.investigator).post(reverse("access:tokens"), {**PAGE, **wrong})
    assert answer.status_code == 422
    assert "name" in wrong or "night run" in answer.content.decode()
    assert raw.owner_rows("select count(*) from access_apitoken") == [(0,)]


def test_a_token_is_revoked_on_the_page_by_its_person_only(world: Any, signed_in: Any, events: Any) -> None:
    token, words = make(world.investigator)
    address = reverse("access:revoke_token", args=[token.pk])
    assert signed_in(world.colleague).post(address).status_code == 404
    assert ask(words, "/api/v1/cases").status_code == 200
    assert signed_in(world.investigator).post(address).status_code == 302
    assert ask(words, "/api/v1/cases").status_code == 401
    assert events("token.revoke")


@pytest.mark.parametrize("role", ["privacy", "secadmin", "sysadmin", "partner"])
def test_roles_without_a_part_of_the_api_have_no_tokens(world: Any, signed_in: Any, role: str) -> None:
    assert signed_in(getattr(world, role)).get(reverse("access:tokens")).status_code == 403


def test_where_a_second_factor_is_mandatory_a_token_comes_from_a_session_with_one(
    world: Any, signed_in: Any, settings: Any
) -> None:
    browser, address = signed_in(world.investigator), reverse("access:tokens")
    settings.EPICASE_REQUIRE_SECOND_FACTOR = True
    refused = browser.post(address, PAGE)
    # Such a session is nobody's already; the page behind it asks once more.
    assert refused.status_code == 302
    assert refused.headers["Location"].startswith("/access/sign-in/")
    page = importlib.import_module("access.views.tokens")
    request = RequestFactory().post(address, PAGE)
    request.session = {}
    with pytest.raises(PermissionDenied):
        page._require_second_factor(request)
    request.session = {"second_factor": "totp"}
    assert page._require_second_factor(request) is None


def test_making_a_token_asks_who_it_is_once_more(world: Any, signed_in: Any, settings: Any) -> None:
    browser, address = signed_in(world.investigator), reverse("access:tokens")
    settings.EPICASE_STEP_UP = True
    session = browser.session
    session.pop("confirmed_at", None)
    session.save()
    assert browser.post(address, PAGE).status_code == 403
    assert raw.owner_rows("select count(*) from access_apitoken") == [(0,)]
