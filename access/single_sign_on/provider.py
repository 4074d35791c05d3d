"""The provider as it describes itself: its addresses and its keys, kept for an hour by each process."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import jwt
from django.conf import settings

from access.single_sign_on import fetching
from access.single_sign_on.configured import Configured
from access.single_sign_on.fetching import ProviderFailed

T = TypeVar("T")
KEPT_SECONDS: Final = 3600
# After a failure nobody waits for the provider again for so long, and unknown keys are looked for no more often.
PAUSE_SECONDS: Final = 10
UNKNOWN_KEY_SECONDS: Final = 60
MOST_KEYS: Final = 50
# The only algorithms, each with the one kind of key that it goes with.
KEY_TYPES: Final = {"RS256": "RSA", "ES256": "EC"}
LEAST_RSA_BITS: Final = 2048
# RFC 6749, appendix A.11.
_CODE: Final = re.compile(r"[\x20-\x7e]{1,4000}")


@dataclass(frozen=True)
class Endpoints:
    """Addresses of the provider, all at the issuer's origin."""

    authorization: str
    token: str
    keys: str
    secret_in_body: bool


class Provider:
    """What this process knows of the provider."""

    def __init__(self, configured: Configured) -> None:
        self.configured = configured
        self._endpoints: Endpoints | None = None
        self._endpoints_until = self._failed_until = 0.0
        self._keys: list[dict[str, Any]] = []
        self._keys_until = self._no_refetch_until = 0.0

    def endpoints(self) -> Endpoints:
        """Where the provider is asked. Raises ProviderFailed."""
        if self._endpoints is None or time.monotonic() >= self._endpoints_until:
            self._endpoints = _endpoints(
                self.configured.issuer, self._asked(lambda: fetching.get(_discovery(self.configured.issuer)))
            )
            self._endpoints_until = time.monotonic() + KEPT_SECONDS
        return self._endpoints

    def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key of this name for this algorithm; an unknown name is looked for once more, at most once a minute.

        Raises ProviderFailed.
        """
        if time.monotonic() >= self._keys_until:
            self._fetch_keys()
        found = self._suitable(kid, algorithm)
        if found is None and time.monotonic() >= self._no_refetch_until:
            self._no_refetch_until = time.monotonic() + UNKNOWN_KEY_SECONDS
            self._fetch_keys()
            found = self._suitable(kid, algorithm)
        return found

    def redeem(self, code: str, verifier: str, redirect_uri: str) -> dict[str, Any] | None:
        """What the provider gives for a code; None when it does not take the code. Raises ProviderFailed."""
        if not _CODE.fullmatch(code):
            return None
        endpoints = self.endpoints()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        client_id, secret = self.configured.client_id, self.configured.secret
        if endpoints.secret_in_body:
            headers, fields = {}, {**fields, "client_id": client_id, "client_secret": secret}
        else:
            headers = {"Authorization": f"Basic {_basic(client_id, secret)}"}
        status, answer = self._asked(lambda: fetching.post(endpoints.token, fields, headers), by_anyone=True)
        if status != 200 and answer.get("error") == "invalid_client":
            # Our secret is wrong: nobody's fault who signs in.
            raise ProviderFailed("client")
        return answer if status == 200 else None

    def _fetch_keys(self) -> None:
        address = self.endpoints().keys
        keys = self._asked(lambda: fetching.get(address)).get("keys")
        if not isinstance(keys, list) or len(keys) > MOST_KEYS:
            raise ProviderFailed("keys")
        self._keys = [key for key in keys if isinstance(key, dict)]
        self._keys_until = time.monotonic() + KEPT_SECONDS

    def _suitable(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fit = [key for key in self._keys if _fits(key, algorithm) and (kid is None or key.get("kid") == kid)]
        # Without a name there must be no choice.
        return _made(fit[0], algorithm) if len(fit) == 1 else None

    def _asked(self, question: Callable[[], T], *, by_anyone: bool = False) -> T:
        """The answer; after a failure nobody else waits for one for a while.

        by_anyone: a visitor chose the question, so an odd answer to it says nothing about the provider.
        """
        if time.monotonic() < self._failed_until:
            raise ProviderFailed("unreachable")
        try:
            return question()
        except ProviderFailed as error:
            if by_anyone and error.code not in ("unreachable", "too_slow"):
                raise
            self._failed_until = time.monotonic() + PAUSE_SECONDS
            raise


def present() -> Provider | None:
    """The provider of this installation, None where single sign-on is off."""
    configured = settings.EPICASE_OIDC
    return None if configured is None else of(configured)


@lru_cache(maxsize=4)
def of(configured: Configured) -> Provider:
    return Provider(configured)


def _discovery(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def _endpoints(issuer: str, document: dict[str, Any]) -> Endpoints:
    if document.get("issuer") != issuer:
        raise ProviderFailed("issuer")
    methods = document.get("code_challenge_methods_supported")
    if methods is not None and (not isinstance(methods, list) or "S256" not in methods):
        raise ProviderFailed("pkce")
    ways = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Endpoints(
        authorization=_at_origin(issuer, document.get("authorization_endpoint")),
        token=_at_origin(issuer, document.get("token_endpoint")),
        keys=_at_origin(issuer, document.get("jwks_uri")),
        secret_in_body="client_secret_basic" not in ways and "client_secret_post" in ways,
    )


def _at_origin(issuer: str, url: object) -> str:
    """The address, if it lies at the issuer's scheme, host and port: a description points nowhere else."""
    if not isinstance(url, str):
        raise ProviderFailed("endpoint")
    here, there = urlsplit(issuer), urlsplit(url)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc) or there.fragment:
        raise ProviderFailed("endpoint")
    return url


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    is_kind = key.get("kty") == KEY_TYPES[algorithm] and (algorithm != "ES256" or key.get("crv") == "P-256")
    return is_kind and key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm


def _made(key: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    try:
        made = jwt.PyJWK(key, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    is_weak = algorithm == "RS256" and made.key.key_size < LEAST_RSA_BITS
    return None if is_weak or "d" in key else made


def _basic(client_id: str, secret: str) -> str:
    # RFC 6749, section 2.3.1: both parts are form-encoded first.
    return base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()
