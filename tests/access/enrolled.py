"""People with second factors, and the codes that their telephones show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.urls import reverse

from tests import factories

SET_UP, SECOND, SIGN_IN = "/access/second-factor/set-up/", "/access/second-factor/", "/access/sign-in/"
SECONDS = 30


class Clock:
    """The telephone's and the server's clock, which only the test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_015.0

    def time(self) -> float:
        return self.now

    def tick(self, steps: int = 1) -> None:
        self.now += SECONDS * steps


@dataclass
class Telephone:
    """An authenticator app with its secret, and the recovery codes that were written down."""

    clock: Clock
    secret: str
    codes: list[str]

    def code(self, steps: int = 0) -> str:
        step = int(self.clock.now) // SECONDS + steps
        return str(totp.format_hotp_value(totp.hotp_value(self.secret, step)))

    def wrong_code(self) -> str:
        right = {self.code(steps) for steps in (-1, 0, 1)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


def with_password(person: Any) -> Client:
    """A browser in which the password was right, and nothing more."""
    client = Client()
    answer = client.post(SIGN_IN, {"username": person.username, "password": factories.PASSWORD})
    assert answer.status_code == 302
    return client


def secret_on(page: str) -> str:
    found = re.search(r'<span class="code">([A-Z2-7 ]{39})</span>', page)
    assert found, "no key on the page"
    return found[1].replace(" ", "")


def options_on(page: str) -> dict[str, Any]:
    """The offer or question for a passkey that a page holds."""
    found = re.search(r'id="passkey-options" type="application/json">(.*?)</script>', page)
    assert found, "no passkey on the page"
    options: dict[str, Any] = json.loads(found[1])
    return options


def enrol(client: Client, clock: Clock) -> Telephone:
    """Enrol an authenticator app through the page; for whoever may reach it."""
    secret = secret_on(client.get(SET_UP).content.decode())
    telephone = Telephone(clock, secret, [])
    answer = client.post(SET_UP, {"code": telephone.code()})
    assert answer.status_code in (200, 302), answer.status_code
    telephone.codes = re.findall(r'<li class="code">([\d ]+)</li>', answer.content.decode())
    clock.tick()
    return telephone


def sign_in(person: Any, telephone: Telephone) -> Client:
    client = with_password(person)
    answer = client.post(SECOND, {"code": telephone.code()})
    assert answer.status_code == 302, answer.content.decode()
    telephone.clock.tick()
    return client


def is_in(client: Client) -> bool:
    """Whether somebody is signed in: the own log answers."""
    return bool(client.get(reverse("audit:mine")).status_code == 200)
