"""What a browser or a script can send: headers, forged forms, odd inputs, guesses; and what every answer carries."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from tests import browsing, factories, walking
from tests.security import raw
from tests.security.stage import Stage

pytestmark = pytest.mark.database
CSP = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
}
ROOT = Path(__file__).resolve().parents[2]


def ids(stage: Stage) -> dict[str, Any]:
    return {
        "case_id": stage.world.case.pk,
        "visit_id": stage.visit.pk,
        "contact_id": stage.contact.pk,
        "outbreak_id": stage.world.outbreak.pk,
        "user_id": stage.world.investigator.pk,
        "export_id": stage.export.pk,
        "run_id": stage.run.pk,
        "actor_id": stage.world.investigator.pk,
        "object_id": stage.world.case.pk,
        "code": "person",
    }


def addresses(stage: Stage) -> list[walking.Address]:
    return [one for one in walking.addresses(ids(stage)) if one.name != "access:sign_out"]


@pytest.fixture(scope="module")
def browsers(committed: Stage) -> dict[str, Client]:
    """A signed-in browser for each role, and a visitor's."""
    found = {role: browsing.signed_in(person) for role, person in committed.world.people.items()}
    for browser in found.values():
        browser.raise_request_exception = False
    return {"visitor": Client(raise_request_exception=False), **found}


def check_headers(answer: Any, address: object) -> None:
    headers = answer.headers
    policy = {part.strip() for part in headers["Content-Security-Policy"].split(";") if part.strip()}
    assert policy == CSP, address
    assert headers["X-Frame-Options"] == "DENY", address
    assert headers["X-Content-Type-Options"] == "nosniff", address
    assert headers["Referrer-Policy"] == "same-origin", address
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", address
    assert "no-store" in headers["Cache-Control"], address
    assert "unsafe" not in str(headers), address
    assert "Server" not in headers, address


@pytest.mark.parametrize("role", ["visitor", "investigator", "supervisor", "auditor"])
def test_every_answer_carries_the_headers(committed: Stage, browsers: dict[str, Client], role: str) -> None:
    for address in addresses(committed):
        answer = browsers[role].get(address.path)
        assert answer.status_code < 500, address
        check_headers(answer, address)
    for path in ("/no/such/page", "/cases/x", "/api/v1/nothing", "/healthz", "/static/none.css"):
        answer = browsers[role].get(path)
        if not path.startswith("/static/"):
            check_headers(answer, path)
        assert answer.status_code in (200, 302, 404)


def test_every_post_needs_the_csrf_token(committed: Stage) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    trusting = browsing.signed_in(committed.world.supervisor)
    browser.cookies = trusting.cookies
    before = raw.owner_rows("select count(*) from access_casegrant")
    for address in addresses(committed):
        for method in ("post", "delete"):
            answer = getattr(browser, method)(address.path)
            assert answer.status_code in (403, 404, 405, 415), f"{method} {address}: {answer.status_code}"
    assert raw.owner_rows("select count(*) from access_casegrant") == before
    assert Client(enforce_csrf_checks=True).post("/access/sign-in/", {"username": "x"}).status_code == 403


def test_a_get_changes_nothing_and_other_methods_are_refused(
    committed: Stage, browsers: dict[str, Client]
) -> None:
    tables = ("cases_case", "cases_visit", "contacts_contact", "access_casegrant", "disclosure_export")
    state = [raw.owner_rows(f"select md5(string_agg(t::text, '|' order by id)) from {t} t") for t in tables]
    for role in ("supervisor",):
        for address in addresses(committed):
            for method in ("GET", "OPTIONS", "TRACE"):
                answer = browsers[role].generic(method, address.path)
                assert answer.status_code < 500, f"{method} {address}"
                if method == "TRACE" and address.name not in walking.PUBLIC:
                    assert answer.status_code in (403, 404, 405), f"{method} {address}: {answer.status_code}"
    after = [raw.owner_rows(f"select md5(string_agg(t::text, '|' order by id)) from {t} t") for t in tables]
    assert after == state


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "/%09/evil.example",
        "///evil.example",
        "https:///evil.example",
        "\x00//evil.example",
        "/\n/evil.example",
    ],
)
def test_no_redirect_leaves_the_site(committed: Stage, target: str) -> None:
    person = committed.world.auditor
    words = {"username": person.username, "password": factories.PASSWORD, "next": target}
    for answer in (
        Client().post("/access/language/", {"language": "en", "next": target}),
        Client().post(f"/access/sign-in/?next={quote(target)}", words),
        browsing.signed_in(person).get(f"/access/sign-in/?next={quote(target)}"),
        browsing.signed_in(person).post("/access/sign-out/", {"next": target}),
    ):
        assert answer.status_code in (302, 400)
        where = answer.headers.get("Location", "/")
        assert re.match(r"/(?![/\\])", where), where
        assert "evil" not in where.split("?")[0] or where.startswith("/%")


ODD = ["a\x00b", "😀" * 2000]
ODD_BODIES = [
    (b"\xff\xfe=\x00&a=%00&%zz", "application/x-www-form-urlencoded"),
    (b"\xff\xfe", "multipart/form-data; boundary=x"),
    (b'{"fields": "\xff"}', "application/json"),
    (b"[" * 3000, "application/json"),
]
WORDS = (
    *(
        "username",
        "password",
        "language",
        "case_no",
        "full_name",
        "phone",
        "purpose",
        "reason",
        "until",
        "cursor",
    ),
    *(
        "to",
        "user",
        "case",
        "fields",
        "permissions",
        "recipient",
        "use_until",
        "place_name",
        "start_at",
        "next",
    ),
    *(
        "name",
        "started_on",
        "level",
        "relation",
        "status",
        "token",
        "seen",
        "order",
        "age_value",
        "term",
        "page",
    ),
    *(
        "q",
        "set",
        "act",
        "person",
        "since",
        "before",
        "after",
        "code",
        "disease",
        "end_at",
        "answer",
        "district",
    ),
)


@pytest.mark.parametrize("role", ["visitor", "investigator", "supervisor"])
def test_odd_words_and_bodies_are_never_a_500(
    committed: Stage, browsers: dict[str, Client], role: str
) -> None:
    ask, wrong = browsers[role], []
    for address in addresses(committed):
        if address.name == "access:revoke":
            continue
        is_api = address.path.startswith("/api/")
        answers = [ask.get(address.path, dict.fromkeys(WORDS, ODD[0]))]
        answers += [ask.post(address.path, dict.fromkeys(WORDS, odd)) for odd in ODD if not is_api]
        answers += [
            ask.generic("POST", address.path, *body)
            for body in (ODD_BODIES[2:] if is_api else ODD_BODIES[:2])
        ]
        if is_api:
            body = json.dumps(dict.fromkeys(WORDS, ODD[0]))
            answers.append(ask.post(address.path, body, content_type="application/json"))
        wrong += [(address.name, n, a.status_code) for n, a in enumerate(answers) if a.status_code >= 500]
    assert wrong == []


@pytest.mark.parametrize(
    "path",
    [
        "/cases/../access/",
        "/static/../cases/",
        "/static/../../epicase/settings.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fmanage.py",
        "/static//etc/passwd",
        "/disclosure/%2e%2e%2f/download/",
        "/%00",
        "/cases/%FF/",
        "/cases/" + "a" * 5000,
        "/healthz/../cases/",
        "/healthz;/cases/",
    ],
)
def test_paths_lead_nowhere_else(committed: Stage, browsers: dict[str, Client], path: str) -> None:
    for role in ("visitor", "investigator"):
        answer = browsers[role].get(path)
        assert answer.status_code in (301, 302, 400, 404), f"{role}: {answer.status_code}"
        content = answer.getvalue() if answer.streaming else answer.content
        assert b"SECRET_KEY" not in content
        assert b"root:" not in content


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "a b", ""])
def test_a_foreign_host_is_refused(committed: Stage, browsers: dict[str, Client], host: str) -> None:
    answer = browsers["investigator"].get("/cases/", headers={"host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()
    spoofed = browsers["visitor"].get("/cases/", headers={"x-forwarded-host": "evil.example"})
    assert "evil" not in spoofed.headers["Location"]


# What differs between any two answers: nonces of forms, trace codes, identifiers, the clock.
VOLATILE = [
    (re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), b"ID"),
    (re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"'), b"TOKEN"),
    (re.compile(rb'"X-CSRFToken": ?"[^"]+"|x-csrftoken[^}]+', re.IGNORECASE), b"TOKEN"),
    (re.compile(rb"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}"), b"TRACE"),
    (re.compile(rb"\d\d:\d\d(:\d\d)?"), b"CLOCK"),
    (re.compile(rb"data-session-ends[^ >]*|data-[a-z-]*seconds[^ >]*"), b"SECONDS"),
]


def told(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    content = answer.content
    for pattern, word in VOLATILE:
        content = pattern.sub(word, content)
    headers = [
        (k, v) for k, v in sorted(answer.headers.items()) if k not in ("Content-Length", "X-Request-ID")
    ]
    return answer.status_code, content, headers


@pytest.mark.parametrize("who", ["outsider", "other_supervisor", "investigator"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_mine_looks_like_what_does_not_exist(committed: Stage, who: str, method: str) -> None:
    browser = browsing.signed_in(getattr(committed.world, who))
    browser.raise_request_exception = False
    mine = who == "investigator"
    foreign = factories.case(committed.world.colleague, committed.world.outbreak)
    real = ids(committed) | ({"case_id": foreign.pk} if mine else {})
    nothing = {name: uuid4() if name.endswith("_id") else value for name, value in real.items()}
    compared = 0
    body = {"fields": ["full_name"], "purpose": "P2"}
    for one, other in zip(walking.addresses(real), walking.addresses(nothing), strict=True):
        if one.path == other.path or (
            mine and "case_id" not in str(real) and str(foreign.pk) not in one.path
        ):
            continue
        if mine and str(foreign.pk) not in one.path:
            continue
        if one.name in ("cases:outbreak", "audit:person"):  # registers of no person; one's own log
            continue
        words = {"content_type": "application/json"} if one.path.startswith("/api/") else {}
        ask = getattr(browser, method)
        assert told(ask(one.path, body, **words) if method == "post" else ask(one.path)) == told(
            ask(other.path, body, **words) if method == "post" else ask(other.path)
        ), one
        compared += 1
    assert compared >= 10


def test_absent_and_foreign_take_about_the_same_time(committed: Stage) -> None:
    browser = browsing.signed_in(committed.world.outsider)
    times: dict[str, list[float]] = {"foreign": [], "absent": []}
    for _ in range(25):
        for kind, case in (("foreign", committed.world.case.pk), ("absent", uuid4())):
            began = time.perf_counter()
            browser.get(f"/api/v1/cases/{case}")
            times[kind].append(time.perf_counter() - began)
    foreign, absent = median(times["foreign"]), median(times["absent"])
    assert 0.5 < foreign / absent < 2


def test_signing_in_changes_the_session_and_signing_out_ends_it(committed: Stage) -> None:
    name = settings.SESSION_COOKIE_NAME
    browser = Client()
    browser.post("/access/language/", {"language": "en"})
    planted = browser.cookies[name].value
    person = committed.world.privacy
    words = {"username": person.username, "password": factories.PASSWORD}
    assert browser.post("/access/sign-in/", words).status_code == 302
    key = browser.cookies[name].value
    assert key != planted
    thief = Client()
    thief.cookies[name] = planted
    assert thief.get("/cases/").status_code == 302
    cookie = browser.cookies[name]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    browser.post("/access/sign-out/")
    thief.cookies[name] = key
    assert thief.get("/audit/mine/").status_code == 302


def test_a_made_up_session_key_is_not_adopted(committed: Stage) -> None:
    name, made_up = settings.SESSION_COOKIE_NAME, "a" * 32
    browser = Client()
    browser.cookies[name] = made_up
    browser.post("/access/language/", {"language": "en"})
    assert browser.cookies[name].value != made_up


def test_a_changed_stamp_ends_every_session(committed: Stage) -> None:
    person = committed.world.partner
    browser = browsing.signed_in(person)
    assert browser.get("/audit/mine/").status_code == 200
    raw.as_owner(f"update access_user set session_stamp = gen_random_uuid() where id = '{person.pk}'")
    assert browser.get("/audit/mine/").status_code == 302


def test_people_in_two_threads_are_never_mixed(committed: Stage) -> None:
    """Two people, two live connections each time, many requests at once: each sees and is recorded as oneself."""
    world = committed.world
    people = [world.investigator, world.colleague, world.supervisor, world.other_supervisor]
    first = factories.case(world.investigator, world.outbreak)
    own = factories.case(world.colleague, world.outbreak)
    browsers = {person: browsing.signed_in(person) for person in people}
    expected = {
        world.investigator: (200, 404),
        world.colleague: (404, 200),
        world.supervisor: (200, 200),
        world.other_supervisor: (404, 404),
    }
    before = raw.owner_rows("select count(*) from audit_event")[0][0]
    together, wrong = threading.Barrier(len(people)), list[Any]()

    def ask(person: Any) -> None:
        try:
            together.wait()
            for _ in range(8):
                got = tuple(
                    browsers[person].get(f"/api/v1/cases/{case}").status_code for case in (first.pk, own.pk)
                )
                if got != expected[person]:
                    wrong.append((person.username, got))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    rows = raw.owner_rows(
        "select actor_id, object_id, outcome from audit_event order by occurred_at offset %s", [before]
    )
    cases = {first.pk: 0, own.pk: 1}
    for actor, seen, outcome in rows:
        if seen in cases:
            person = next(one for one in people if one.pk == actor)
            assert (outcome == 0) == (expected[person][cases[seen]] == 200)
    assert len([row for row in rows if row[1] in cases]) == len(people) * 16


PRODUCTION = """
import json
from django.conf import settings
import django
from django.core.management import call_command
django.setup()
names = ("SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SESSION_COOKIE_HTTPONLY CSRF_COOKIE_HTTPONLY SESSION_COOKIE_SAMESITE"
    " SESSION_COOKIE_NAME CSRF_COOKIE_NAME SECURE_SSL_REDIRECT SECURE_HSTS_SECONDS DEBUG ALLOWED_HOSTS"
    " LANGUAGE_COOKIE_SECURE SESSION_IDLE_SECONDS EPICASE_DEMO_PASSWORD EPICASE_ACCEPT_DEMO_NUMBERS").split()
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def test_production_settings_are_the_strict_ones(tmp_path: Path) -> None:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("EPICASE_", "DATABASE_", "REDIS_"))
    }
    environment |= {
        "DJANGO_SETTINGS_MODULE": "epicase.settings",
        "EPICASE_SECRET_KEY": "x" * 50,
        "EPICASE_ALLOWED_HOSTS": "cases.example.org",
        "EPICASE_KEYRING": f"file:{tmp_path}/keyring.json",
        "DATABASE_URL": "postgresql:///nowhere",
        "REDIS_URL": "redis://nowhere",
        "EPICASE_STATE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTION],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_NAME": "__Host-session",
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "DEBUG": False,
        "ALLOWED_HOSTS": ["cases.example.org"],
        "LANGUAGE_COOKIE_SECURE": True,
        "SESSION_IDLE_SECONDS": 900,
        "EPICASE_DEMO_PASSWORD": "",
        "EPICASE_ACCEPT_DEMO_NUMBERS": False,
    }
