"""The second question of signing in: asked, right, wrong, used up, forced, and sealed in the table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from access import factors
from access.actor import acting_as, acting_as_owner, acting_as_role
from access.models import User
from tests.access import enrolled
from tests.access.enrolled import SECOND, SET_UP, Clock, Telephone, is_in
from tests.access.soft_key import SoftKey
from vault import own_secrets
from vault.errors import NotAuthentic

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(totp, "time", clock)
    return clock


@pytest.fixture
def mandatory(settings: Any) -> None:
    settings.EPICASE_REQUIRE_SECOND_FACTOR = True


@pytest.fixture
def telephone(investigator: Any, clock: Clock, signed_in: Any) -> Telephone:
    return enrolled.enrol(signed_in(investigator), clock)


def rows(kind: str = "totp") -> list[Authenticator]:
    with transaction.atomic(), acting_as_owner():
        return list(Authenticator.objects.filter(type=kind))


def test_where_it_is_not_mandatory_a_password_is_enough(investigator: Any, signed_in: Any) -> None:
    assert is_in(signed_in(investigator))


def test_who_has_one_is_asked_for_it_after_the_password(
    investigator: Any, telephone: Telephone, events: Any
) -> None:
    client = enrolled.with_password(investigator)
    assert not is_in(client)
    assert client.get(SECOND).status_code == 200
    known = len(events("sign_in"))
    answer = client.post(SECOND, {"code": telephone.code()})
    assert answer.status_code == 302
    assert is_in(client)
    assert len(events("sign_in")) == known + 1


def test_a_wrong_code_changes_nothing_but_the_counter(
    investigator: Any, telephone: Telephone, events: Any
) -> None:
    before = rows()[0].data
    client = enrolled.with_password(investigator)
    answer = client.post(SECOND, {"code": telephone.wrong_code()})
    assert answer.status_code == 422
    assert telephone.wrong_code() in answer.content.decode()
    assert not is_in(client)
    assert rows()[0].data == before
    assert events("sign_in.failed")[0]["reason"] == "wrong_code"
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("select failures_since_start, post_data from axes_accessattempt")
        ((failures, kept),) = cursor.fetchall()
    assert failures == 1
    assert telephone.wrong_code() not in kept
    assert client.post(SECOND, {"code": telephone.code()}).status_code == 302
    assert is_in(client)


def test_five_wrong_codes_lock_the_right_one_out_but_no_password(
    investigator: Any, telephone: Telephone, events: Any
) -> None:
    client = enrolled.with_password(investigator)
    statuses = [client.post(SECOND, {"code": telephone.wrong_code()}).status_code for _ in range(5)]
    assert statuses == [422, 422, 422, 422, 429]
    assert client.post(SECOND, {"code": telephone.code()}).status_code == 429
    assert not is_in(client)
    assert events("sign_in.locked")
    assert client.get(SECOND).status_code == 429
    assert enrolled.with_password(investigator).get(SECOND).status_code == 429


def test_wrong_codes_from_many_addresses_count_together(investigator: Any, telephone: Telephone) -> None:
    for number in range(20):
        client = enrolled.with_password(investigator)
        client.post(SECOND, {"code": telephone.wrong_code()}, REMOTE_ADDR=f"198.51.100.{number}")
    elsewhere = enrolled.with_password(investigator)
    answer = elsewhere.post(SECOND, {"code": telephone.code()}, REMOTE_ADDR="203.0.113.9")
    assert answer.status_code == 429


def test_a_code_counts_once(investigator: Any, telephone: Telephone) -> None:
    used = telephone.code()
    first, second = enrolled.with_password(investigator), enrolled.with_password(investigator)
    assert first.post(SECOND, {"code": used}).status_code == 302
    assert second.post(SECOND, {"code": used}).status_code == 422
    assert not is_in(second)
    # A code of an earlier step is void as well once a later one was used.
    assert second.post(SECOND, {"code": telephone.code(-1)}).status_code == 422
    telephone.clock.tick()
    assert second.post(SECOND, {"code": telephone.code()}).status_code == 302


def test_the_first_code_of_enrolling_signs_nobody_in(investigator: Any, telephone: Telephone) -> None:
    telephone.clock.now -= enrolled.SECONDS
    client = enrolled.with_password(investigator)
    assert client.post(SECOND, {"code": telephone.code()}).status_code == 422


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 302), (0, 302), (1, 302), (2, 422)])
def test_a_clock_may_be_wrong_by_half_a_minute(
    investigator: Any, telephone: Telephone, steps: int, status: int
) -> None:
    telephone.clock.tick(5)
    client = enrolled.with_password(investigator)
    assert client.post(SECOND, {"code": telephone.code(steps)}).status_code == status


def test_a_recovery_code_signs_in_once(investigator: Any, telephone: Telephone) -> None:
    assert len(telephone.codes) == 10
    first, second = enrolled.with_password(investigator), enrolled.with_password(investigator)
    assert first.post(SECOND, {"code": telephone.codes[3]}).status_code == 302
    assert second.post(SECOND, {"code": telephone.codes[3]}).status_code == 422
    assert second.post(SECOND, {"code": telephone.codes[4]}).status_code == 302


def test_somebody_elses_code_is_a_wrong_one(
    world: Any, telephone: Telephone, clock: Clock, signed_in: Any
) -> None:
    theirs = enrolled.enrol(signed_in(world.supervisor), clock)
    client = enrolled.with_password(world.investigator)
    assert client.post(SECOND, {"code": theirs.code()}).status_code == 422
    assert client.post(SECOND, {"code": theirs.codes[0]}).status_code == 422


def test_the_key_changes_at_each_step(investigator: Any, telephone: Telephone) -> None:
    client = Client()
    client.post(reverse("access:language"), {"language": "en", "next": "/"})
    planted = client.cookies["epicase_session"].value
    client.post(enrolled.SIGN_IN, {"username": investigator.username, "password": "correct horse battery"})
    half = client.cookies["epicase_session"].value
    client.post(SECOND, {"code": telephone.code()})
    whole = client.cookies["epicase_session"].value
    assert len({planted, half, whole}) == 3
    for stale in (planted, half):
        thief = Client()
        thief.cookies["epicase_session"] = stale
        assert not is_in(thief)


def test_half_signed_in_ends_after_five_minutes(
    investigator: Any, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = enrolled.with_password(investigator)
    monkeypatch.setattr("access.half_signed_in.LASTS_SECONDS", -1)
    answer = client.post(SECOND, {"code": telephone.code()})
    assert (answer.status_code, answer.headers["Location"]) == (302, enrolled.SIGN_IN)
    assert not is_in(client)


def test_half_signed_in_ends_when_the_password_changes(investigator: Any, telephone: Telephone) -> None:
    client = enrolled.with_password(investigator)
    with transaction.atomic(), acting_as_owner():
        user = User.accounts.get(pk=investigator.pk)
        user.set_password("another good password")
        user.save()
    assert client.post(SECOND, {"code": telephone.code()}).headers["Location"] == enrolled.SIGN_IN


def test_an_account_that_ended_meanwhile_is_not_let_in(investigator: Any, telephone: Telephone) -> None:
    client = enrolled.with_password(investigator)
    with transaction.atomic(), acting_as_owner():
        User.objects.filter(pk=investigator.pk).update(is_active=False)
    assert client.post(SECOND, {"code": telephone.code()}).headers["Location"] == enrolled.SIGN_IN


def test_a_visitor_meets_neither_question(world: Any) -> None:
    for path in (SECOND, SET_UP):
        for answer in (Client().get(path), Client().post(path, {"code": "123456"})):
            assert (answer.status_code, answer.headers["Location"]) == (302, enrolled.SIGN_IN)


@pytest.mark.usefixtures("mandatory")
class TestMandatory:
    def test_who_has_none_reaches_nothing_but_setting_one_up(
        self, world: Any, clock: Clock, events: Any
    ) -> None:
        client = enrolled.with_password(world.investigator)
        assert client.get(SECOND).headers["Location"] == SET_UP
        for name in ("audit:mine", "access:grants", "access:own_account", "access:confirm", "cases:list"):
            assert client.get(reverse(name)).headers["Location"].startswith(enrolled.SIGN_IN)
        assert client.get("/api/v1/cases").status_code in (302, 401, 403)
        assert not events("sign_in")
        telephone = enrolled.enrol(client, clock)
        assert is_in(client)
        assert len(telephone.codes) == 10
        assert [event["reason"] for event in events("account.second_factor")] == [
            "recovery_codes_made",
            "totp_added",
        ]
        assert events("account.second_factor")[0]["actor"]["id"] == str(world.investigator.pk)
        assert is_in(enrolled.sign_in(world.investigator, telephone))

    def test_a_wrong_first_code_enrols_nothing(self, investigator: Any, clock: Clock) -> None:
        client = enrolled.with_password(investigator)
        secret = enrolled.secret_on(client.get(SET_UP).content.decode())
        wrong = Telephone(clock, secret, []).wrong_code()
        answer = client.post(SET_UP, {"code": wrong})
        assert answer.status_code == 422
        assert enrolled.secret_on(answer.content.decode()) == secret
        assert not is_in(client)
        assert rows() == []

    def test_who_has_one_cannot_set_up_another_instead_of_showing_it(
        self, investigator: Any, clock: Clock, settings: Any, signed_in: Any
    ) -> None:
        settings.EPICASE_REQUIRE_SECOND_FACTOR = False
        enrolled.enrol(signed_in(investigator), clock)
        settings.EPICASE_REQUIRE_SECOND_FACTOR = True
        client = enrolled.with_password(investigator)
        for answer in (client.get(SET_UP), client.post(SET_UP, {"code": "123456"})):
            assert (answer.status_code, answer.headers["Location"]) == (302, SECOND)

    def test_a_session_that_began_without_one_is_nobodys(
        self, investigator: Any, settings: Any, signed_in: Any
    ) -> None:
        settings.EPICASE_REQUIRE_SECOND_FACTOR = False
        client = signed_in(investigator)
        assert is_in(client)
        settings.EPICASE_REQUIRE_SECOND_FACTOR = True
        assert not is_in(client)
        assert client.get("/api/v1/cases").status_code in (302, 401, 403)

    def test_the_only_factor_is_not_removed(self, investigator: Any, clock: Clock) -> None:
        client = enrolled.with_password(investigator)
        enrolled.enrol(client, clock)
        (row,) = rows()
        assert "remove/" not in client.get(reverse("access:own_account")).content.decode()
        client.post(reverse("access:remove_factor", args=[row.pk]))
        assert rows() == [row]

    def test_a_passkey_alone_is_enough_to_begin(self, investigator: Any) -> None:
        client = enrolled.with_password(investigator)
        made = SoftKey().made(enrolled.options_on(client.get(SET_UP).content.decode()))
        answer = client.post(SET_UP, {"name": "office", "passkey": made})
        assert answer.status_code == 200, answer.content.decode()
        assert is_in(client)


def with_passkey(client: Client, key: SoftKey) -> Any:
    made = key.made(enrolled.options_on(client.get(SET_UP).content.decode()))
    return client.post(SET_UP, {"name": "office", "passkey": made})


def test_a_passkey_signs_in(investigator: Any, signed_in: Any) -> None:
    key = SoftKey()
    assert with_passkey(signed_in(investigator), key).status_code == 200
    client = enrolled.with_password(investigator)
    question = enrolled.options_on(client.get(SECOND).content.decode())
    assert client.post(SECOND, {"passkey": key.signed(question)}).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize(
    "cheat",
    [
        {"origin": "https://evil.example"},
        {"site": "evil.example"},
        {"flags": 1},
        {"secret": None},
    ],
    ids=["another origin", "another site", "not verified", "another key"],
)
def test_a_passkey_that_cheats_is_a_wrong_one(
    investigator: Any, signed_in: Any, cheat: dict[str, Any], events: Any
) -> None:
    key = SoftKey()
    with_passkey(signed_in(investigator), key)
    if "secret" in cheat:
        cheat = {"secret": SoftKey().secret}
    for name, value in cheat.items():
        setattr(key, name, value if name != "flags" else type(key.flags)(value))
    client = enrolled.with_password(investigator)
    question = enrolled.options_on(client.get(SECOND).content.decode())
    assert client.post(SECOND, {"passkey": key.signed(question)}).status_code == 422
    assert not is_in(client)
    assert events("sign_in.failed")[0]["reason"] == "wrong_code"


def test_a_challenge_is_answered_once_and_by_its_own_browser(investigator: Any, signed_in: Any) -> None:
    key = SoftKey()
    with_passkey(signed_in(investigator), key)
    first, second = enrolled.with_password(investigator), enrolled.with_password(investigator)
    answer = key.signed(enrolled.options_on(first.get(SECOND).content.decode()))
    second.get(SECOND)
    assert second.post(SECOND, {"passkey": answer}).status_code == 422
    assert first.post(SECOND, {"passkey": answer}).status_code == 302
    third = enrolled.with_password(investigator)
    assert third.post(SECOND, {"passkey": answer}).status_code == 422


@pytest.mark.parametrize("answer", ["", "{}", "[]", "x", '{"response": 1}', '{"rawId": "", "response": {}}'])
def test_nonsense_is_a_wrong_passkey(investigator: Any, signed_in: Any, answer: str) -> None:
    with_passkey(signed_in(investigator), SoftKey())
    client = enrolled.with_password(investigator)
    client.get(SECOND)
    assert client.post(SECOND, {"passkey": answer}).status_code == 422
    assert client.post(SET_UP, {"name": "x", "passkey": answer}).status_code == 302
    assert not is_in(client)


def test_the_table_and_the_session_hold_no_secret(investigator: Any, clock: Clock, signed_in: Any) -> None:
    client = signed_in(investigator)
    secret = enrolled.secret_on(client.get(SET_UP).content.decode())
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("select string_agg(session_data, ' ') from access_session")
        from access.sessions import SessionStore

        ((data,),) = cursor.fetchall()
        kept = json.dumps([SessionStore().decode(one) for one in data.split(" ")])
    assert "totp_pending" in kept
    assert secret not in kept
    telephone = enrolled.enrol(client, clock)
    assert telephone.secret == secret
    stored = json.dumps([row.data for row in rows() + rows("recovery_codes")])
    assert secret not in stored
    assert not [code for code in telephone.codes if code.replace(" ", "") in stored]


def test_a_sealed_secret_opens_for_its_owner_only(world: Any, telephone: Telephone) -> None:
    sealed = rows()[0].data["secret"]
    with transaction.atomic(), acting_as_role("ep_none"):
        mine = own_secrets.unseal(factors.LABEL, world.investigator.pk, sealed)
        assert mine.decode() == telephone.secret
        with pytest.raises(NotAuthentic):
            own_secrets.unseal(factors.LABEL, world.supervisor.pk, sealed)
        with pytest.raises(NotAuthentic):
            own_secrets.unseal("something.else", world.investigator.pk, sealed)
        for changed in ("", "x", sealed[:-4] + "AAAA", "AAAA" + sealed[4:]):
            with pytest.raises(NotAuthentic):
                own_secrets.unseal(factors.LABEL, world.investigator.pk, changed)


def test_no_person_reaches_the_table(world: Any, telephone: Telephone) -> None:
    statements = (
        "select * from mfa_authenticator",
        "update mfa_authenticator set data = '{}'",
        "delete from mfa_authenticator",
        "insert into mfa_authenticator default values",
    )
    for person in world.people.values():
        for statement in statements:
            with pytest.raises(Exception, match="permission denied"), transaction.atomic(), acting_as(person):
                with connection.cursor() as cursor:
                    cursor.execute(statement)
    with transaction.atomic(), acting_as_role("ep_none"), connection.cursor() as cursor:
        cursor.execute("select count(*) from mfa_authenticator")
        assert cursor.fetchone()[0] == 2


def test_a_factor_stays_its_owners(world: Any, telephone: Telephone) -> None:
    with pytest.raises(Exception, match="never changes"), transaction.atomic(), acting_as_role("ep_none"):
        with connection.cursor() as cursor:
            cursor.execute("update mfa_authenticator set user_id = %s", [world.supervisor.pk])


def test_a_factor_is_removed_by_its_owner_alone(
    world: Any, telephone: Telephone, signed_in: Any, events: Any
) -> None:
    (row,) = rows()
    address = reverse("access:remove_factor", args=[row.pk])
    signed_in(world.supervisor).post(address)
    assert rows() == [row]
    client = enrolled.sign_in(world.investigator, telephone)
    assert client.post(address).status_code == 302
    assert rows() == []
    assert events("account.second_factor")[0]["reason"] == "totp_removed"


def test_new_recovery_codes_void_the_earlier_ones(
    investigator: Any, telephone: Telephone, events: Any
) -> None:
    client = enrolled.sign_in(investigator, telephone)
    answer = client.post(reverse("access:recovery_codes"))
    assert answer.status_code == 200
    assert telephone.codes[0] not in answer.content.decode()
    other = enrolled.with_password(investigator)
    assert other.post(SECOND, {"code": telephone.codes[0]}).status_code == 422
    assert events("account.second_factor")[0]["reason"] == "recovery_codes_made"


def test_no_address_of_allauth_is_served() -> None:
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/2fa/"):
        assert Client().get(path).status_code == 404


def test_outside_demo_and_tests_it_is_mandatory_whatever_the_environment_says() -> None:
    from tests.access import outside

    told = outside.settings_of(
        {"EPICASE_REQUIRE_SECOND_FACTOR": "0", "EPICASE_STEP_UP": "0", "EPICASE_PLEDGE": "0"}
    )
    assert told == {
        "EPICASE_REQUIRE_SECOND_FACTOR": True,
        "EPICASE_STEP_UP": True,
        "EPICASE_PLEDGE": True,
        "SESSION_IDLE_SECONDS": 900,
        "SESSION_COOKIE_AGE": 28800,
        "SESSION_COOKIE_NAME": "__Host-session",
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
    }
