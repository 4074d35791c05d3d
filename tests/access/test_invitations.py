"""Invitations: the only way into an account, once, within 72 hours, with a password nobody else chose."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from access.actions import invitations
from access.actor import acting_as_role
from access.models import Invitation, User
from tests import factories
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
URL = "/access/invited/"
GOOD = "a quiet lake at dawn"


def invite(client: Client, world: Any, **other: Any) -> Any:
    given = {
        "username": "newcomer",
        "display_name": "新人",
        "role": "investigator",
        "organisation": world.district.pk,
        "language": "en",
        **other,
    }
    return client.post(reverse("access:invite"), given)


def code_in(answer: Any) -> str:
    found = re.search(r'id="code">([0-9A-Z-]{23})<', answer.content.decode())
    assert found, answer.status_code
    return found[1]


def use(code: str, password: str = GOOD, client: Client | None = None) -> Any:
    return (client or Client()).post(URL, {"code": code, "password": password, "again": password})


def sign_in(username: str, password: str) -> int:
    return int(
        Client().post(reverse("access:sign_in"), {"username": username, "password": password}).status_code
    )


def accounts(**names: Any) -> int:
    with factories.as_owner():
        return User.objects.filter(**names).count()


@pytest.fixture
def code(world: Any, signed_in: Any) -> str:
    return code_in(invite(signed_in(world.secadmin), world))


def test_an_invited_person_sets_a_password_and_then_signs_in(world: Any, code: str, events: Any) -> None:
    browser = Client()
    answer = use(code.lower().replace("-", " "), client=browser)
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("access:sign_in")
    assert browser.get(reverse("access:grants")).status_code == 302
    assert sign_in("newcomer", GOOD) == 302
    (made,) = events("account.create")
    assert made["object"]["label"] == "newcomer"
    assert made["reason"] == "invitation"
    assert events("invitation.make")[0]["actor"]["id"] == str(world.secadmin.pk)
    with factories.as_owner():
        person = User.objects.get(username="newcomer")
    assert (person.role, person.organisation_id, person.is_superuser) == (
        "investigator",
        world.district.pk,
        False,
    )


def test_the_code_is_kept_nowhere(world: Any, code: str) -> None:
    from tests.test_routes import _tables_with

    assert not _tables_with((code, code.replace("-", "")))


def test_a_code_works_once(world: Any, code: str) -> None:
    assert use(code).status_code == 302
    assert use(code, "another quiet lake").status_code == 422
    assert sign_in("newcomer", GOOD) == 302


def words_of(answer: Any) -> str:
    """The page without what differs each time."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    return re.sub(r'value="[0-9A-Z-]*"', "", text)


def test_unknown_used_expired_and_withdrawn_codes_are_answered_alike(
    world: Any, signed_in: Any, events: Any
) -> None:
    admin = signed_in(world.secadmin)
    codes = [code_in(invite(admin, world, username=f"person{n}")) for n in range(3)]
    use(codes[0])
    raw.as_owner(
        "set constraints all immediate",
        "alter table access_invitation disable trigger pinned",
        "update access_invitation set made_at = now() - interval '73 hours', expires_at = now() - interval '1 hour'"
        " where username = 'person1'",
        "alter table access_invitation enable trigger pinned",
    )
    with factories.as_owner():
        third = Invitation.objects.get(username="person2")
    admin.post(reverse("access:decide_invitation", args=[third.pk]), {"answer": "withdraw"})
    answers = [use(code) for code in ("0" * 20, *codes)]
    assert {answer.status_code for answer in answers} == {422}
    assert len({words_of(answer) for answer in answers}) == 1
    assert len(events("invitation.refused")) == 4
    assert accounts(username__startswith="person") == 1


def test_a_wrong_code_costs_a_password_hash_like_a_right_one(
    world: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    original = invitations.make_password
    monkeypatch.setattr(invitations, "make_password", lambda text: hashed.append(text) or original(text))
    use("0" * 20)
    use(code)
    assert hashed == [GOOD, GOOD]


def test_guessing_locks_the_address_even_for_the_right_code(world: Any, code: str, events: Any) -> None:
    browser = Client()
    statuses = [use(f"{n:020}", client=browser).status_code for n in range(5)]
    assert statuses[:4] == [422] * 4
    assert use(code, client=browser).status_code == 429
    assert events("sign_in.locked")
    assert accounts(username="newcomer") == 0
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert use(code, client=elsewhere).status_code == 302


@pytest.mark.parametrize("password", ["short", "password1234", "471102983355", "Newcomer2026"])
def test_a_poor_password_is_refused_and_the_code_stays_good(world: Any, code: str, password: str) -> None:
    poor = use(code, password)
    assert poor.status_code == 422
    assert use(code).status_code == 302


def test_two_different_passwords_are_refused(world: Any, code: str) -> None:
    answer = Client().post(URL, {"code": code, "password": GOOD, "again": GOOD + "!"})
    assert answer.status_code == 422
    assert accounts(username="newcomer") == 0


@pytest.mark.parametrize(
    "given",
    [
        {"username": "supervisor"},
        {"username": "Bad Name"},
        {"role": "king"},
        {"organisation": 0},
        {"display_name": ""},
        {"is_temporary": "on"},
        {"is_temporary": "on", "ends_on": "2020-01-01"},
        {"language": "xx"},
    ],
)
def test_bad_input_invites_nobody(world: Any, signed_in: Any, given: dict[str, Any]) -> None:
    assert invite(signed_in(world.secadmin), world, **given).status_code == 422
    with factories.as_owner():
        assert not Invitation.objects.exists()


def test_a_name_is_invited_once_at_a_time(world: Any, signed_in: Any, code: str) -> None:
    assert invite(signed_in(world.secadmin), world).status_code == 422


def test_a_forgotten_password_is_replaced_by_its_person(world: Any, signed_in: Any, events: Any) -> None:
    theirs = signed_in(world.colleague)
    answer = signed_in(world.secadmin).post(reverse("access:reset", args=[world.colleague.pk]))
    code = code_in(answer)
    assert theirs.get(reverse("cases:list")).status_code == 200
    assert use(code).status_code == 302
    assert theirs.get(reverse("cases:list")).status_code == 302
    assert sign_in("colleague", factories.PASSWORD) == 422
    assert sign_in("colleague", GOOD) == 302
    assert events("account.password")[0]["object"]["label"] == "colleague"


def test_nobody_resets_the_own_password_like_this(world: Any, signed_in: Any) -> None:
    signed_in(world.secadmin).post(reverse("access:reset", args=[world.secadmin.pk]))
    with factories.as_owner():
        assert not Invitation.objects.exists()


def test_a_security_administrator_is_invited_by_two(world: Any, signed_in: Any, events: Any) -> None:
    with factories.as_owner():
        second = factories.user("secadmin_two", "secadmin", world.province)
    code = code_in(invite(signed_in(world.secadmin), world, role="secadmin"))
    assert use(code).status_code == 422
    with factories.as_owner():
        waiting = Invitation.objects.get()
    address = reverse("access:decide_invitation", args=[waiting.pk])
    signed_in(world.secadmin).post(address, {"answer": "confirm"})
    assert use(code).status_code == 422
    signed_in(second).post(address, {"answer": "confirm"})
    assert use(code).status_code == 302
    assert events("invitation.confirm")[0]["actor"]["id"] == str(second.pk)


def test_an_invitation_ends_with_its_makers_account(world: Any, code: str) -> None:
    raw.as_owner("update access_user set is_active = false where username = 'secadmin'")
    assert use(code).status_code == 422


INVITE = (
    "insert into access_invitation (id, code_hash, person_id, username, display_name, role, organisation_id,"
    " language, is_temporary, made_by_id, made_at, expires_at, confirmed_by_id) values (gen_random_uuid(), %s, %s,"
    " 'x', 'x', %s, %s, 'en', false, %s, now() + %s::interval, now() + %s::interval, %s)"
)


def forged(world: Any, **other: Any) -> list[Any]:
    words = {
        "hash": b"x" * 32,
        "person": None,
        "role": "investigator",
        "place": world.district.pk,
        "by": world.secadmin.pk,
        "made": "0",
        "ends": "72 hours",
        "confirmed": None,
        **other,
    }
    return list(words.values())


@pytest.mark.parametrize(
    "other",
    [
        {"by": "supervisor"},
        {"confirmed": "supervisor"},
        {"confirmed": "secadmin"},
        {"person": "secadmin"},
        {"ends": "73 hours"},
        {"made": "30 days", "ends": "31 days"},
    ],
)
def test_sql_invites_in_ones_own_name_now_and_briefly(world: Any, other: dict[str, Any]) -> None:
    me = raw.person(world.secadmin)
    given = {
        name: world.people[value].pk if value in world.people else value for name, value in other.items()
    }
    assert raw.run(me, INVITE, forged(world, **given)) == raw.REFUSED
    assert raw.run(me, INVITE, forged(world)) == 1


def test_sql_that_calls_a_security_administrator_something_else_resets_nobody(world: Any) -> None:
    """The person's own role counts, not what the row says."""
    with factories.as_owner():
        second = factories.user("secadmin_two", "secadmin", world.province)
    with transaction.atomic(), factories.as_person(world.secadmin), connection.cursor() as cursor:
        for person in (second, world.colleague):
            code = invitations.digest(person.username)
            cursor.execute(INVITE, forged(world, hash=code, person=person.pk))
        raw_act()
    accept = "select sec.accept_invitation(%s, 'x') is not null"
    answers = []
    with transaction.atomic(), acting_as_role("ep_none"), connection.cursor() as cursor:
        for person in (second, world.colleague):
            cursor.execute(accept, [invitations.digest(person.username)])
            answers.append(cursor.fetchone()[0])
    assert answers == [False, True]


def raw_act() -> None:
    from audit import trail
    from audit.acts import Act

    trail.record(Act.JOB, reason="test.raw")


@pytest.mark.parametrize(
    "statement",
    [
        "select 1 from access_invitation",
        "insert into access_invitation default values",
        "update access_invitation set used_at = now()",
        "insert into access_user (id) values (gen_random_uuid())",
        "update access_user set password = 'x'",
        "update access_user set role = 'supervisor'",
        "update access_user set is_active = true",
        "update access_user set ends_at = null",
    ],
)
def test_sql_of_a_visitor_makes_no_account_and_sets_no_password(world: Any, statement: str) -> None:
    assert raw.run(raw.role("ep_none"), statement) == raw.DENIED
    assert raw.run(raw.role("ep_none"), "update access_user set last_login = now()") >= 10


def test_a_password_is_set_by_its_person_who_knows_the_present_hash(world: Any) -> None:
    change = "select 1 where sec.set_password(%s, 'new', true)"
    present = raw.owner_rows("select password from access_user where username = 'colleague'")[0][0]
    assert raw.run(raw.person(world.colleague), change, [present]) == 1
    assert raw.run(raw.person(world.colleague), change, ["guess"]) == 0
    assert raw.run(raw.person(world.secadmin), change, [present]) == 0
    assert raw.run(raw.role("ep_none"), change, [present]) == raw.REFUSED
    assert raw.run(raw.role("ep_investigator"), change, [present]) == raw.REFUSED


def test_a_person_uses_no_invitation_by_sql(world: Any, code: str) -> None:
    accept = "select sec.accept_invitation(%s, 'x')"
    for person in world.people.values():
        assert raw.run(raw.person(person), accept, [invitations.digest(code)]) == raw.REFUSED


def test_an_older_hash_is_renewed_at_sign_in(world: Any, settings: Any) -> None:
    from django.contrib.auth.hashers import make_password

    settings.PASSWORD_HASHERS = [
        settings.PASSWORD_HASHERS[0],
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    old = make_password(factories.PASSWORD, hasher="pbkdf2_sha256")
    raw.as_owner(f"update access_user set password = '{old}' where username = 'colleague'")
    assert sign_in("colleague", factories.PASSWORD) == 302
    found = raw.owner_rows("select password from access_user where username = 'colleague'")[0][0]
    assert found.startswith("argon2")
    assert sign_in("colleague", factories.PASSWORD) == 302
