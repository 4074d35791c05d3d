"""Signing in by the provider: the whole way, every check of its word, binding, confirming, and what is refused."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.mfa.totp.internal import auth as totp
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.test import Client
from django.urls import reverse

from access import step_up
from access.actions import invitations
from access.actor import acting_as_owner
from access.models import Binding, User
from access.models.bindings import subject_hash
from access.single_sign_on import fetching, flow, id_token
from access.single_sign_on import provider as providers
from access.single_sign_on.configured import Configured
from tests import factories
from tests.access import enrolled, oidc_provider
from tests.access.enrolled import Clock
from tests.access.oidc_provider import CLIENT, SECRET, Key, Provider
from tests.access.test_invitations import code_in, invite
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
SSO, RETURN, BIND, UNBIND = "/access/sso/", "/access/sso/return/", "/access/sso/bind/", "/access/sso/unbind/"
CONFIRM, INVITED = "/access/sso/confirm/", "/access/sso/invited/"
FAILED = "sign_in.failed"


@pytest.fixture
def idp(settings: Any) -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        settings.EPICASE_OIDC = Configured(provider.issuer, CLIENT, SECRET, "示例单点登录")
        yield provider
    providers.of.cache_clear()


def bound(person: Any, idp: Provider, subject: str = "") -> None:
    with factories.as_owner():
        Binding(
            user=person, issuer=idp.issuer, subject_hash=subject_hash(idp.issuer, subject or idp.subject)
        ).save(force_insert=True)


@pytest.fixture
def person(world: Any, idp: Provider) -> Any:
    """An investigator whose account is bound."""
    bound(world.investigator, idp)
    return world.investigator


def without_password(person: Any) -> None:
    with transaction.atomic(), acting_as_owner():
        User.accounts.filter(pk=person.pk).update(password="!none")


def go(client: Client, next_page: str = "") -> str:
    """To the provider; its address."""
    answer = client.get(SSO, {"next": next_page} if next_page else {})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


def at_provider(address: str) -> str:
    """What the browser is sent back to."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 302
    back = urlsplit(answer.headers["Location"])
    assert back.path == RETURN
    return f"{back.path}?{back.query}"


def sign_in(client: Client, next_page: str = "") -> Any:
    return client.get(at_provider(go(client, next_page)))


def onward(answer: Any) -> str:
    """The provider's address on a page that goes on to it."""
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r'href="(http://127[^"]*)"', answer.content.decode())
    assert found
    assert answer.headers["Refresh"] == f"0; url={unescape(found[1])}"
    return unescape(found[1])


def stale(client: Client) -> Client:
    session = client.session
    with transaction.atomic():
        session[step_up.CONFIRMED_AT] = time.time() - 6 * 60
        session.save()
    return client


def is_confirmed(client: Client) -> bool:
    return bool(time.time() - client.session.get(step_up.CONFIRMED_AT, 0) < 60)


def pending(client: Client) -> dict[str, Any]:
    noted: dict[str, Any] = client.session["single_sign_on"]
    return noted


def check_of(event: dict[str, Any]) -> str:
    return str(event["extra"]["check"])


# The good way.


def test_who_is_bound_signs_in(person: Any, idp: Provider, events: Any) -> None:
    client = Client()
    answer = sign_in(client, reverse("audit:mine"))
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("audit:mine"))
    assert enrolled.is_in(client)
    (event,) = events("sign_in")
    assert event["actor"]["id"] == str(person.pk)
    assert event["extra"] == {"with": "sso"}


def test_the_way_there_asks_for_all_that_protects_the_way_back(person: Any, idp: Provider) -> None:
    client = Client()
    query = parse_qs(urlsplit(go(client)).query)
    noted = pending(client)
    assert query["redirect_uri"] == ["http://testserver" + RETURN]
    assert (query["state"], query["nonce"]) == ([noted["state"]], [noted["nonce"]])
    assert query["code_challenge_method"] == ["S256"]
    assert noted["verifier"] not in str(query)
    assert len({noted["state"], noted["nonce"], noted["verifier"]}) == 3
    client.get(at_provider(go(client)))
    assert idp.redeemed[0]["code_verifier"]


def test_the_key_of_the_session_changes(person: Any, idp: Provider) -> None:
    client = Client()
    address = go(client)
    before = client.cookies["epicase_session"].value
    client.get(at_provider(address))
    assert client.cookies["epicase_session"].value != before
    thief = Client()
    thief.cookies["epicase_session"] = before
    assert not enrolled.is_in(thief)


def test_it_is_off_unless_configured(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    for address in (SSO, RETURN):
        assert Client().get(address).status_code == 404
    for address in (CONFIRM, BIND, UNBIND):
        assert client.post(address).status_code == 404
    assert Client().post(INVITED, {"code": "x"}).status_code == 404
    assert SSO not in Client().get("/access/sign-in/").content.decode()


def test_the_sign_in_page_offers_it_beside_the_password(world: Any, idp: Provider) -> None:
    page = Client().get("/access/sign-in/").content.decode()
    assert "示例单点登录" in page
    assert f'href="{SSO}"' in page
    assert 'name="password"' in page


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example/", "evil", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(person: Any, idp: Provider, where: str) -> None:
    answer = sign_in(Client(), where)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


# The second factor.


def test_the_second_factor_is_asked_for_all_the_same(
    person: Any, idp: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch, events: Any
) -> None:
    clock = Clock()
    monkeypatch.setattr(totp, "time", clock)
    settings.EPICASE_REQUIRE_SECOND_FACTOR = True
    client = Client()
    # The settings accept none of the provider's.
    idp.claims = set_to(amr=["pwd", "mfa"], acr="mfa")
    anew = sign_in(client).headers["Location"]
    assert client.get(at_provider(anew)).headers["Location"] == "/access/second-factor/"
    assert not enrolled.is_in(client)
    telephone = enrolled.enrol(client, clock)
    assert enrolled.is_in(client)
    again = Client()
    sign_in(again)
    assert again.get(enrolled.SET_UP).status_code == 302
    assert again.post(enrolled.SECOND, {"code": telephone.wrong_code()}).status_code == 422
    assert again.post(enrolled.SECOND, {"code": telephone.code()}).status_code == 302
    assert enrolled.is_in(again)
    assert events("sign_in")[0]["extra"] == {"with": "sso"}


@pytest.mark.parametrize(
    ("said", "is_in"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "urn:two"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "mfa"}, False),
        ({}, False),
    ],
)
def test_the_settings_may_accept_the_provider_s_second_factor(
    person: Any, idp: Provider, settings: Any, said: dict[str, Any], is_in: bool
) -> None:
    accepted = frozenset({"mfa", "urn:two"})
    settings.EPICASE_OIDC = Configured(idp.issuer, CLIENT, SECRET, "SSO", accepted)
    settings.EPICASE_REQUIRE_SECOND_FACTOR = True
    idp.claims = lambda claims: claims.update(said)
    client = Client()
    sign_in(client)
    assert enrolled.is_in(client) is is_in


def test_a_first_factor_is_not_enrolled_on_a_session_left_open_at_the_provider(
    person: Any, idp: Provider, settings: Any, events: Any
) -> None:
    settings.EPICASE_REQUIRE_SECOND_FACTOR = True
    idp.obeys_prompt = False
    client = Client()
    anew = sign_in(client).headers["Location"]
    assert parse_qs(urlsplit(anew).query)["prompt"] == ["login"]
    refused(client.get(at_provider(anew)))
    assert check_of(events(FAILED)[0]) == "auth_time"
    assert client.get(enrolled.SET_UP).headers["Location"] == "/access/sign-in/"


def test_signing_in_confirms_only_if_the_provider_asked(person: Any, idp: Provider) -> None:
    client, asked = Client(), Client()
    sign_in(client)
    assert not is_confirmed(client)
    idp.signed_in_at = time.time() + 1
    sign_in(asked)
    assert is_confirmed(asked)


# The way back, forged.


def refused(answer: Any) -> str:
    """The one answer to whatever was wrong: the sign-in page, and the password still a way in."""
    page = answer.content.decode()
    assert answer.status_code == 403
    assert 'name="password"' in page
    assert "code=" not in page
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page)


def test_a_forged_state_is_refused_and_uses_the_way_up(person: Any, idp: Provider, events: Any) -> None:
    client = Client()
    back = at_provider(go(client))
    forged = re.sub(r"state=[^&]*", "state=forged", back)
    refused(client.get(forged))
    assert events(FAILED)[0]["reason"] == "sso.state"
    refused(client.get(back))
    assert not enrolled.is_in(client)
    assert not idp.redeemed


def test_a_return_works_once(person: Any, idp: Provider) -> None:
    client = Client()
    back = at_provider(go(client))
    assert client.get(back).status_code == 302
    client.post(reverse("access:sign_out"))
    refused(client.get(back))
    assert len(idp.redeemed) == 1


def test_a_return_belongs_to_the_browser_that_went(person: Any, idp: Provider) -> None:
    back = at_provider(go(Client()))
    other = Client()
    refused(other.get(back))
    go(other)
    refused(other.get(back))
    assert not enrolled.is_in(other)


def test_a_return_is_good_for_ten_minutes(
    person: Any, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    back = at_provider(go(client))
    now = time.time()
    monkeypatch.setattr(flow.time, "time", lambda: now + flow.LASTS_SECONDS + 1)
    refused(client.get(back))
    assert not idp.redeemed


def test_a_code_of_another_way_is_not_redeemed(person: Any, idp: Provider, events: Any) -> None:
    """PKCE: the thief of a code has not the verifier; here it is injected into the thief's own return."""
    victim, thief = Client(), Client()
    stolen = parse_qs(urlsplit(at_provider(go(victim))).query)["code"][0]
    own = at_provider(go(thief))
    refused(thief.get(re.sub(r"code=[^&]*", f"code={stolen}", own)))
    assert not enrolled.is_in(thief)
    assert check_of(events(FAILED)[0]) == "code"


def test_a_code_that_was_used_signs_nobody_in(person: Any, idp: Provider) -> None:
    client, again = Client(), Client()
    back = at_provider(go(client))
    code = parse_qs(urlsplit(back).query)["code"][0]
    client.get(back)
    refused(again.get(re.sub(r"code=[^&]*", f"code={code}", at_provider(go(again)))))


def test_another_provider_s_answer_is_refused(person: Any, idp: Provider, events: Any) -> None:
    client = Client()
    refused(client.get(at_provider(go(client)) + "&iss=https://other.example"))
    assert check_of(events(FAILED)[0]) == "mixed_up"


def test_a_refusal_by_the_provider_is_one_here(person: Any, idp: Provider) -> None:
    client = Client()
    go(client)
    refused(client.get(RETURN, {"state": pending(client)["state"], "error": "access_denied"}))


def test_the_password_can_be_typed_on_the_page_that_refuses(person: Any, idp: Provider) -> None:
    client = Client()
    page = refused(client.get(RETURN, {"state": "x", "code": "y"}))
    assert '<form method="post" action="/access/sign-in/">' in page
    client.post("/access/sign-in/", {"username": person.username, "password": factories.PASSWORD})
    assert enrolled.is_in(client)


# The provider's word.


def set_to(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(values)


def soon(**seconds: float) -> Callable[[dict[str, Any]], None]:
    """Moments so many seconds from now."""
    return lambda claims: claims.update({name: time.time() + more for name, more in seconds.items()})


def without(name: str) -> Callable[[dict[str, Any]], None]:
    def change(claims: dict[str, Any]) -> None:
        del claims[name]

    return change


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (set_to(nonce="other"), "nonce"),
        (set_to(nonce=1), "nonce"),
        (set_to(aud="other"), "audience"),
        (set_to(aud=["other", "third"]), "audience"),
        (set_to(aud=[CLIENT, "other"]), "party"),
        (set_to(azp="other"), "party"),
        (set_to(iss="https://other.example"), "issuer"),
        (set_to(exp=1_000_000_000), "expired"),
        (soon(exp=-id_token.LEEWAY_SECONDS - 5), "expired"),
        (soon(iat=3600), "early"),
        (soon(iat=-3600), "old"),
        (soon(nbf=3600), "early"),
        (set_to(sub=""), "subject"),
        (set_to(sub="x" * 256), "subject"),
        (without("sub"), "claim"),
        (without("nonce"), "claim"),
        (without("exp"), "claim"),
        (without("iat"), "claim"),
        (without("aud"), "claim"),
    ],
)
def test_a_claim_that_is_wrong_signs_nobody_in(
    person: Any, idp: Provider, events: Any, change: Any, check: str
) -> None:
    client = Client()
    idp.claims = change
    refused(sign_in(client))
    assert not enrolled.is_in(client)
    event = events(FAILED)[0]
    assert (event["reason"], check_of(event)) == ("sso.token", check)
    assert idp.subject not in json.dumps(event)


@pytest.mark.parametrize(
    "change",
    [set_to(aud=[CLIENT]), set_to(aud=[CLIENT, "other"], azp=CLIENT), soon(exp=-5)],
)
def test_claims_that_differ_and_are_right(person: Any, idp: Provider, change: Any) -> None:
    """A control: lists, a named party, and a clock that is a little late."""
    client = Client()
    idp.claims = change
    sign_in(client)
    assert enrolled.is_in(client)


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "first"})


def with_public_key(idp: Provider) -> Callable[[dict[str, Any]], str]:
    """HS256 with the public key as secret; PyJWT refuses to make it, so it is made by hand."""

    def sign(claims: dict[str, Any]) -> str:
        import base64
        import hashlib
        import hmac

        def part(value: Any) -> bytes:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

        signed = part({"alg": "HS256", "kid": "first"}) + b"." + part(claims)
        made = hmac.new(idp.keys[0].pem(), signed, hashlib.sha256).digest()
        return (signed + b"." + base64.urlsafe_b64encode(made).rstrip(b"=")).decode()

    return sign


def by_stranger(claims: dict[str, Any]) -> str:
    return jwt.encode(
        claims, oidc_provider.new_rsa("first").private, algorithm="RS256", headers={"kid": "first"}
    )


def with_own_key(claims: dict[str, Any]) -> str:
    """The key comes with the token, as an attacker would like it."""
    key = oidc_provider.new_rsa("first")
    return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": "first", "jwk": key.public()})


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (lambda idp: unsigned, "algorithm"),
        (with_public_key, "algorithm"),
        (lambda idp: lambda claims: jwt.encode(claims, SECRET * 2, algorithm="HS256"), "algorithm"),
        (
            lambda idp: lambda claims: jwt.encode(claims, idp.keys[0].private, algorithm="RS512"),
            "algorithm",
        ),
        (lambda idp: by_stranger, "signature"),
        (lambda idp: with_own_key, "signature"),
        (lambda idp: lambda claims: idp.signed(claims, crit=["x"], x=1), "malformed"),
        (lambda idp: lambda claims: "no.token", "malformed"),
        (lambda idp: lambda claims: "", "malformed"),
        (lambda idp: lambda claims: idp.signed(claims)[:-8] + "AAAAAAAA", "signature"),
        (
            lambda idp: (
                lambda claims: jwt.encode(
                    claims,
                    ec.generate_private_key(ec.SECP256R1()),
                    algorithm="ES256",
                    headers={"kid": "first"},
                )
            ),
            "key",
        ),
    ],
)
def test_a_signature_that_is_none_signs_nobody_in(
    person: Any, idp: Provider, events: Any, make: Any, check: str
) -> None:
    client = Client()
    idp.sign = make(idp)
    refused(sign_in(client))
    assert not enrolled.is_in(client)
    assert check_of(events(FAILED)[0]) == check


def test_a_weak_key_is_none(person: Any, idp: Provider, events: Any) -> None:
    idp.rotate(oidc_provider.new_rsa("weak", bits=1024))
    idp.sign = lambda claims: _signed_by_weak(idp.keys[0], claims)
    client = Client()
    refused(sign_in(client))
    assert check_of(events(FAILED)[0]) == "key"


def _signed_by_weak(key: Key, claims: dict[str, Any]) -> str:
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})


# Keys.


def test_an_elliptic_key_is_taken_too(person: Any, idp: Provider) -> None:
    idp.rotate(oidc_provider.new_ec("curve"))
    client = Client()
    sign_in(client)
    assert enrolled.is_in(client)


def test_new_keys_are_fetched_when_an_unknown_one_comes_once_a_minute(
    person: Any, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(Client())
    idp.rotate(oidc_provider.new_rsa("second"))
    client = Client()
    sign_in(client)
    assert enrolled.is_in(client)
    assert idp.hits.count("/keys") == 2
    assert idp.hits.count("/.well-known/openid-configuration") == 1
    idp.rotate(oidc_provider.new_ec("third"))
    refused(sign_in(Client()))
    assert idp.hits.count("/keys") == 2
    now = time.monotonic()
    monkeypatch.setattr(providers.time, "monotonic", lambda: now + providers.UNKNOWN_KEY_SECONDS + 1)
    later = Client()
    sign_in(later)
    assert enrolled.is_in(later)
    assert idp.hits.count("/keys") == 3


def test_a_token_without_a_key_s_name_is_taken_if_there_is_no_choice(person: Any, idp: Provider) -> None:
    first = idp.keys[0]
    idp.sign = lambda claims: jwt.encode(claims, first.private, algorithm="RS256")
    client = Client()
    sign_in(client)
    assert enrolled.is_in(client)
    providers.of.cache_clear()
    idp.keys.append(oidc_provider.new_rsa("second"))
    refused(sign_in(Client()))


# The provider fails.


def test_a_provider_that_is_down_leaves_the_password(world: Any, settings: Any, events: Any) -> None:
    with oidc_provider.running() as gone:
        settings.EPICASE_OIDC = Configured(gone.issuer, CLIENT, SECRET, "SSO")
    began = time.monotonic()
    answer = Client().get(SSO)
    assert time.monotonic() - began < fetching.ALTOGETHER_SECONDS
    assert answer.status_code == 502
    page = answer.content.decode()
    assert "does not answer" in page or "没有响应" in page
    assert 'name="password"' in page
    event = events(FAILED)[0]
    assert (event["reason"], check_of(event)) == ("sso.provider", "unreachable")
    client = Client()
    words = {"username": "investigator", "password": factories.PASSWORD}
    assert client.post("/access/sign-in/", words).status_code == 302


WRONG_ANSWERS = {
    "too_big": (200, b" " * (fetching.MOST_BYTES + 1) + b"{}"),
    "no_json": (200, b"<html>"),
    "status": (500, b"{}"),
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize("check", [*WRONG_ANSWERS, "redirect"])
def test_an_answer_that_is_none(person: Any, idp: Provider, events: Any, path: str, check: str) -> None:
    wrong = {**WRONG_ANSWERS, "redirect": (302, f"{idp.issuer}/elsewhere".encode())}
    idp.answers[path] = wrong[check]
    client = Client()
    answer = client.get(SSO)
    if path != "/.well-known/openid-configuration":
        answer = client.get(at_provider(answer.headers["Location"]))
    assert answer.status_code == 502
    assert 'name="password"' in answer.content.decode()
    assert check_of(events(FAILED)[0]) in (check, "no_json")
    assert "/elsewhere" not in idp.hits


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"issuer": "https://other.example"}, "issuer"),
        ({"token_endpoint": "http://169.254.169.254/token"}, "endpoint"),
        ({"jwks_uri": "https://other.example/keys"}, "endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "endpoint"),
        ({"authorization_endpoint": None}, "endpoint"),
        ({"code_challenge_methods_supported": ["plain"]}, "pkce"),
    ],
)
def test_a_description_that_leads_elsewhere_is_none(
    idp: Provider, world: Any, events: Any, changed: Any, check: str
) -> None:
    description = json.dumps({**idp.described(), **changed}).encode()
    idp.answers["/.well-known/openid-configuration"] = (200, description)
    assert Client().get(SSO).status_code == 502
    assert check_of(events(FAILED)[0]) == check


def test_a_failing_provider_is_not_asked_again_at_once(world: Any, idp: Provider) -> None:
    idp.answers["/.well-known/openid-configuration"] = (500, b"{}")
    assert [Client().get(SSO).status_code for _ in range(3)] == [502] * 3
    assert len(idp.hits) == 1


def test_a_provider_that_drips_is_not_waited_for(
    world: Any, idp: Provider, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ALTOGETHER_SECONDS", 0.3)
    idp.drips.add("/.well-known/openid-configuration")
    assert Client().get(SSO).status_code == 502
    assert check_of(events(FAILED)[0]) == "too_slow"


def test_a_certificate_that_nobody_vouches_for_is_none(
    world: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: Any
) -> None:
    certificate = oidc_provider.self_signed(tmp_path)
    with oidc_provider.running(certificate) as provider:
        settings.EPICASE_OIDC = Configured(provider.issuer, CLIENT, SECRET, "SSO")
        assert Client().get(SSO).status_code == 502
        assert check_of(events(FAILED)[0]) == "unreachable"
        assert provider.hits == []
        providers.of.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert Client().get(SSO).headers["Location"].startswith(f"{provider.issuer}/authorize?")
    providers.of.cache_clear()


def test_nobody_waits_for_a_provider_that_has_just_failed(person: Any, idp: Provider) -> None:
    ways = [Client() for _ in range(3)]
    backs = [at_provider(go(client)) for client in ways]
    idp.answers["/keys"] = (500, b"{}")
    assert [client.get(back).status_code for client, back in zip(ways, backs, strict=True)] == [502] * 3
    assert idp.hits.count("/keys") == 1


def test_an_odd_answer_to_somebodys_code_makes_nobody_else_wait(person: Any, idp: Provider) -> None:
    back = at_provider(go(client := Client()))
    idp.answers["/token"] = (403, b"<html>no</html>")
    assert sign_in(Client()).status_code == 502
    del idp.answers["/token"]
    client.get(back)
    assert enrolled.is_in(client)


def test_a_wrong_secret_of_ours_is_nobody_s_fault(
    person: Any, idp: Provider, settings: Any, events: Any
) -> None:
    settings.EPICASE_OIDC = Configured(idp.issuer, CLIENT, "wrong", "SSO")
    assert sign_in(Client()).status_code == 502
    assert check_of(events(FAILED)[0]) == "client"


# Who is refused.


def test_a_stranger_is_answered_like_a_person_whose_account_ended(
    world: Any, idp: Provider, events: Any
) -> None:
    idp.claims = set_to(email="investigator@example.org", preferred_username="investigator")
    stranger = refused(sign_in(Client()))
    assert events(FAILED)[0]["reason"] == "sso.stranger"
    with factories.as_owner():
        User.objects.filter(pk=world.investigator.pk).update(is_active=False)
    bound(world.investigator, idp)
    ended = refused(sign_in(Client()))
    assert events(FAILED)[0]["reason"] == "sso.ended"
    assert stranger == ended
    assert not events("sign_in")


def test_an_account_past_its_end_is_refused(person: Any, idp: Provider, events: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    with factories.as_owner():
        User.objects.filter(pk=person.pk).update(ends_at=timezone.now() - timedelta(minutes=1))
    client = Client()
    refused(sign_in(client))
    assert not enrolled.is_in(client)
    assert events(FAILED)[0]["reason"] == "sso.ended"


def test_the_same_subject_at_another_provider_is_somebody_else(world: Any, idp: Provider) -> None:
    with factories.as_owner():
        Binding(
            user=world.investigator,
            issuer="https://other.example",
            subject_hash=subject_hash("https://other.example", idp.subject),
        ).save(force_insert=True)
    refused(sign_in(Client()))


def test_changing_ones_mind_at_the_provider_counts_for_nothing(person: Any, idp: Provider) -> None:
    for _ in range(7):
        client = Client()
        go(client)
        refused(client.get(RETURN, {"state": pending(client)["state"], "error": "access_denied"}))
    client = Client()
    sign_in(client)
    assert enrolled.is_in(client)


def test_a_code_of_odd_letters_never_reaches_the_provider(person: Any, idp: Provider) -> None:
    client = Client()
    go(client)
    refused(client.get(RETURN, {"state": pending(client)["state"], "code": "a\nb\x00"}))
    other = Client()
    sign_in(other)
    assert enrolled.is_in(other)


def test_after_five_wrong_returns_the_address_waits(person: Any, idp: Provider, events: Any) -> None:
    idp.claims = set_to(nonce="other")
    for _ in range(4):
        refused(sign_in(Client()))
    sign_in(Client())
    idp.claims = lambda claims: None
    assert Client().get(SSO).status_code == 429
    assert events("sign_in.locked")
    words = {"username": "investigator", "password": factories.PASSWORD}
    assert Client().post("/access/sign-in/", words).status_code == 302


# Binding one's own account.


def bind(client: Client) -> Any:
    return client.get(at_provider(onward(client.post(BIND))))


def test_a_person_binds_the_own_account_and_signs_in_with_it(
    world: Any, idp: Provider, signed_in: Any, events: Any
) -> None:
    client = signed_in(world.investigator)
    assert BIND in client.get(reverse("access:own_account")).content.decode()
    answer = bind(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("access:own_account"))
    assert events("account.single_sign_on")[0]["reason"] == "sso.bound"
    page = client.get(reverse("access:own_account")).content.decode()
    assert UNBIND in page
    assert BIND not in page
    fresh = Client()
    sign_in(fresh)
    assert enrolled.is_in(fresh)
    assert events("sign_in")[0]["actor"]["id"] == str(world.investigator.pk)


def test_binding_asks_who_one_is_first(world: Any, idp: Provider, signed_in: Any, settings: Any) -> None:
    settings.EPICASE_STEP_UP = True
    client = stale(signed_in(world.investigator))
    assert client.post(BIND).status_code == 403
    assert "single_sign_on" not in client.session
    assert client.get(BIND).status_code == 405


def test_binding_asks_the_provider_to_ask_anew(
    world: Any, idp: Provider, signed_in: Any, events: Any
) -> None:
    """A session open at the provider in this browser may be somebody else's."""
    idp.obeys_prompt = False
    client = signed_in(world.investigator)
    bind(client)
    assert bindings() == 0
    assert check_of(events(FAILED)[0]) == "auth_time"


def bindings() -> int:
    with factories.as_owner():
        return Binding.objects.count()


def test_whoever_is_bound_is_bound_to_one_account(
    world: Any, idp: Provider, signed_in: Any, events: Any
) -> None:
    bound(world.colleague, idp)
    client = signed_in(world.investigator)
    bind(client)
    assert events(FAILED)[0]["reason"] == "sso.taken"
    bound(world.investigator, idp, "another")
    idp.subject = "a third"
    bind(client)
    assert bindings() == 2
    fresh = Client()
    refused(sign_in(fresh))


def test_what_one_began_another_does_not_end(world: Any, idp: Provider, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    back = at_provider(onward(client.post(BIND)))
    other = signed_in(world.outsider)
    session = other.session
    with transaction.atomic():
        session["single_sign_on"] = client.session["single_sign_on"]
        session.save()
    other.get(back)
    assert bindings() == 0


def test_a_sign_in_s_return_binds_nothing(world: Any, idp: Provider, signed_in: Any) -> None:
    client = Client()
    back = at_provider(go(client))
    client.post("/access/sign-in/", {"username": "investigator", "password": factories.PASSWORD})
    client.get(back)
    assert bindings() == 0


def test_it_is_unbound_by_who_has_a_password(person: Any, idp: Provider, signed_in: Any, events: Any) -> None:
    client = signed_in(person)
    without_password(person)
    client.post(UNBIND)
    assert bindings() == 1
    with transaction.atomic(), acting_as_owner():
        User.accounts.filter(pk=person.pk).update(password="argon2$usable")
    client.post(UNBIND)
    assert bindings() == 0
    assert events("account.single_sign_on")[0]["reason"] == "sso.unbound"
    refused(sign_in(Client()))


# Confirming, for who has no password.


@pytest.fixture
def unconfirmed(person: Any, idp: Provider, settings: Any) -> Client:
    """A browser of a person without a password, whose confirmation is six minutes old."""
    settings.EPICASE_STEP_UP = True
    without_password(person)
    client = Client()
    sign_in(client)
    return stale(client)


def confirm(client: Client, **typed: str) -> Any:
    return client.get(at_provider(onward(client.post(CONFIRM, typed))))


def test_who_has_no_password_confirms_at_the_provider(
    unconfirmed: Client, idp: Provider, events: Any
) -> None:
    before = unconfirmed.cookies["epicase_session"].value
    page = unconfirmed.get("/access/confirm/").content.decode()
    assert CONFIRM in page
    assert 'name="password"' not in page
    address = onward(unconfirmed.post(CONFIRM, {"next": "/audit/mine/"}))
    query = parse_qs(urlsplit(address).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    answer = unconfirmed.get(at_provider(address))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/audit/mine/")
    assert is_confirmed(unconfirmed)
    assert unconfirmed.cookies["epicase_session"].value != before
    assert events("sign_in.step_up")[0]["extra"] == {"with": "sso"}


def test_what_was_typed_comes_through(unconfirmed: Client, idp: Provider) -> None:
    answer = unconfirmed.post(UNBIND, {"word": "kept"})
    assert answer.status_code == 403
    found = re.search(r'name="carried" value="([^"]+)"', answer.content.decode())
    assert found
    gone_on = confirm(unconfirmed, carried=unescape(found[1]), next="/access/me/")
    assert gone_on.status_code == 200
    assert 'name="word" value="kept"' in gone_on.content.decode()


@pytest.mark.parametrize(
    "change",
    [
        without("auth_time"),
        soon(auth_time=-120),
        set_to(auth_time="now"),
        set_to(auth_time=True),
        set_to(auth_time=None),
    ],
)
def test_without_a_fresh_word_nothing_is_confirmed(
    unconfirmed: Client, idp: Provider, events: Any, change: Any
) -> None:
    idp.claims = change
    answer = confirm(unconfirmed)
    assert answer.status_code == 403
    assert not is_confirmed(unconfirmed)
    event = events("sign_in.step_up")[0]
    assert (event["outcome"], check_of(event)) == (1, "auth_time")
    assert unconfirmed.post(BIND).status_code == 403


def test_a_provider_that_asks_nothing_confirms_nothing(unconfirmed: Client, idp: Provider) -> None:
    idp.obeys_prompt = False
    assert confirm(unconfirmed).status_code == 403
    assert not is_confirmed(unconfirmed)


def test_somebody_else_at_the_provider_confirms_nothing(
    world: Any, unconfirmed: Client, idp: Provider
) -> None:
    idp.subject = "somebody"
    assert confirm(unconfirmed).status_code == 403
    bound(world.colleague, idp)
    assert confirm(unconfirmed).status_code == 403
    assert not is_confirmed(unconfirmed)


def test_a_sign_in_s_return_confirms_nothing(unconfirmed: Client, idp: Provider) -> None:
    assert unconfirmed.get(SSO).headers["Location"] == "/"
    assert not is_confirmed(unconfirmed)


def test_a_password_is_not_gone_around(person: Any, idp: Provider, settings: Any, signed_in: Any) -> None:
    settings.EPICASE_STEP_UP = True
    client = stale(signed_in(person))
    assert CONFIRM not in client.get("/access/confirm/").content.decode()
    client.post(CONFIRM)
    assert "single_sign_on" not in client.session
    assert not is_confirmed(client)


def test_the_own_page_offers_no_change_of_a_password_that_is_none(
    unconfirmed: Client, idp: Provider, signed_in: Any, world: Any
) -> None:
    assert reverse("access:password") not in unconfirmed.get(reverse("access:own_account")).content.decode()
    page = signed_in(world.colleague).get(reverse("access:own_account")).content.decode()
    assert reverse("access:password") in page


def test_an_empty_confirmation_is_none(unconfirmed: Client, idp: Provider) -> None:
    assert unconfirmed.post("/access/confirm/", {}).status_code == 422
    assert not is_confirmed(unconfirmed)


def test_who_is_unbound_and_has_nothing_is_refused(unconfirmed: Client, idp: Provider) -> None:
    with factories.as_owner():
        Binding.objects.all().delete()
    assert unconfirmed.get("/access/confirm/").status_code == 403
    assert unconfirmed.post(CONFIRM).status_code == 403
    assert not is_confirmed(unconfirmed)


def test_the_provider_s_second_factor_is_asked_again(person: Any, idp: Provider, settings: Any) -> None:
    settings.EPICASE_OIDC = Configured(idp.issuer, CLIENT, SECRET, "SSO", frozenset({"mfa"}))
    settings.EPICASE_REQUIRE_SECOND_FACTOR = settings.EPICASE_STEP_UP = True
    without_password(person)
    client = Client()
    idp.claims = set_to(amr=["mfa"])
    sign_in(client)
    stale(client)
    idp.claims = set_to(amr=["pwd"])
    assert confirm(client).status_code == 403
    idp.claims = set_to(amr=["mfa"])
    assert confirm(client).status_code == 302
    assert is_confirmed(client)


# Invitations.


def use(code: str, client: Client) -> Any:
    return client.post(INVITED, {"code": code})


def test_an_invited_person_needs_no_password(world: Any, idp: Provider, signed_in: Any, events: Any) -> None:
    code = code_in(invite(signed_in(world.secadmin), world))
    assert INVITED in Client().get("/access/invited/").content.decode()
    client = Client()
    answer = client.get(at_provider(onward(use(code, client))))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/access/sign-in/")
    assert events("account.create")
    assert events("account.single_sign_on")
    with transaction.atomic(), acting_as_owner():
        made = User.accounts.get(username="newcomer")
    assert not made.has_usable_password()
    sign_in(client)
    assert enrolled.is_in(client)
    assert events("sign_in")[0]["actor"]["id"] == str(made.pk)
    assert use(code, Client()).status_code == 422


def test_a_code_is_not_used_up_by_somebody_who_has_an_account(
    world: Any, idp: Provider, signed_in: Any, events: Any
) -> None:
    bound(world.colleague, idp)
    code = code_in(invite(signed_in(world.secadmin), world))
    client = Client()
    assert client.get(at_provider(onward(use(code, client)))).status_code == 403
    assert events("invitation.refused")
    assert not _has_account("newcomer")
    idp.subject = "newcomer's own"
    client.get(at_provider(onward(use(code, client))))
    assert _has_account("newcomer")


def _has_account(name: str) -> bool:
    with transaction.atomic(), acting_as_owner():
        return User.objects.filter(username=name).exists()


def test_a_wrong_code_leads_nowhere(world: Any, idp: Provider, events: Any) -> None:
    client = Client()
    assert use("0" * 20, client).status_code == 422
    assert "single_sign_on" not in client.session
    assert events("invitation.refused")
    for _ in range(4):
        use("0" * 20, client)
    assert use("0" * 20, client).status_code == 429


def test_an_invitation_is_accepted_only_when_the_provider_asked_anew(
    world: Any, idp: Provider, signed_in: Any, events: Any
) -> None:
    """On a shared machine a session open at the provider may be somebody else's."""
    code = code_in(invite(signed_in(world.secadmin), world))
    idp.obeys_prompt = False
    client = Client()
    client.get(at_provider(onward(use(code, client))))
    assert bindings() == 0
    assert check_of(events(FAILED)[0]) == "auth_time"
    idp.obeys_prompt = True
    client.get(at_provider(onward(use(code, client))))
    assert bindings() == 1


def test_a_new_password_by_code_ends_the_binding(world: Any, person: Any, signed_in: Any) -> None:
    code = code_in(signed_in(world.secadmin).post(reverse("access:reset", args=[person.pk])))
    words = {"code": code, "password": "entirely other words 77", "again": "entirely other words 77"}
    answer = Client().post("/access/invited/", words)
    assert answer.status_code == 302, answer.content.decode()
    assert bindings() == 0


def test_a_stopped_account_is_bound_to_nobody_when_it_works_again(
    world: Any, person: Any, signed_in: Any
) -> None:
    address = reverse("access:account", args=[person.pk])
    given = {"role": person.role, "organisation": person.organisation_id, "reason": "task"}
    client = signed_in(world.secadmin)
    assert client.post(address, given).status_code == 302
    assert bindings() == 0
    assert client.post(address, {**given, "is_active": "on"}).status_code == 302
    browser = Client()
    refused(sign_in(browser))
    assert not enrolled.is_in(browser)


def test_reset_factors_end_the_binding_unless_it_is_the_only_way_in(
    world: Any, person: Any, signed_in: Any, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = enrolled.Clock()
    monkeypatch.setattr(totp, "time", clock)
    enrolled.enrol(signed_in(person), clock)
    reset = reverse("access:reset_factors", args=[person.pk])
    client = signed_in(world.secadmin)
    assert client.post(reset, {"reason": "lost"}).status_code == 302
    assert bindings() == 0
    bound(person, idp)
    enrolled.enrol(signed_in(person), clock)
    without_password(person)
    assert client.post(reset, {"reason": "lost"}).status_code == 302
    assert bindings() == 1


def test_a_code_for_a_new_password_binds_nobody(world: Any, idp: Provider, signed_in: Any) -> None:
    answer = signed_in(world.secadmin).post(reverse("access:reset", args=[world.colleague.pk]))
    assert use(code_in(answer), Client()).status_code == 422
    assert bindings() == 0


# The database's own fence.

INSERT = (
    "insert into access_binding (id, user_id, issuer, subject_hash, bound_at)"
    " values (gen_random_uuid(), %s, 'https://other.example', %s, now())"
)


def test_by_sql_a_person_binds_nobody_else(person: Any, world: Any, idp: Provider) -> None:
    colleague, digest = raw.person(world.colleague), "0" * 64
    assert raw.run(colleague, INSERT, [world.colleague.pk, digest]) == 1
    assert raw.run(colleague, INSERT, [person.pk, digest]) == raw.REFUSED
    assert raw.run(raw.person(world.secadmin), INSERT, [person.pk, digest]) == raw.REFUSED
    assert raw.run(raw.role("ep_none"), INSERT, [person.pk, digest]) == raw.DENIED
    taken = subject_hash(idp.issuer, idp.subject)
    assert raw.run(colleague, INSERT, [world.colleague.pk, taken]) == raw.REFUSED


def test_by_sql_a_person_sees_and_ends_the_own_binding_only(person: Any, world: Any) -> None:
    ends = "delete from access_binding"
    for other in (world.colleague, world.supervisor, world.secadmin, world.auditor):
        assert raw.count(raw.person(other), "access_binding") == 0
        assert raw.run(raw.person(other), ends) == 0
    assert raw.count(raw.person(person), "access_binding") == 1
    assert raw.run(raw.person(person), ends) == 1
    assert raw.run(raw.role("ep_none"), ends) == raw.DENIED
    moved = "update access_binding set user_id = %s"
    assert raw.run(raw.person(person), moved, [world.colleague.pk]) == raw.DENIED
    assert raw.run(raw.role("epi_owner"), moved, [world.colleague.pk]) == raw.REFUSED


def test_by_sql_an_invitation_is_accepted_by_a_visitor_without_a_password_only(
    world: Any, idp: Provider, signed_in: Any
) -> None:
    digest = invitations.digest(code_in(invite(signed_in(world.secadmin), world)))
    accept = "select 1 where sec.accept_invitation_bound(%s, %s, 'https://other.example', %s) is not null"
    nobody = raw.role("ep_none")
    for one in world.people.values():
        assert raw.run(raw.person(one), accept, [digest, "!x", "0" * 64]) == raw.REFUSED
    assert raw.run(nobody, accept, [digest, "argon2$known", "0" * 64]) == 0
    assert raw.run(nobody, accept, [digest, "!x", "no digest"]) == raw.REFUSED
    assert raw.run(nobody, accept, [digest, "!x", "0" * 64]) == 1


def test_nothing_of_the_way_and_no_subject_is_kept(world: Any, idp: Provider, events: Any) -> None:
    client = Client()
    idp.subject = "staff-number-4471"
    refused(sign_in(client))
    bound(world.colleague, idp)
    sign_in(client)
    assert enrolled.is_in(client)
    with transaction.atomic(), acting_as_owner():
        kept = json.dumps(list(Binding.objects.values()), default=str)
    assert "single_sign_on" not in client.session
    assert idp.subject not in kept
    assert idp.subject not in json.dumps(events())
