"""The provider's word on who somebody is: every check of OpenID Connect Core 1.0, section 3.1.3.7."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import jwt
from django.utils.crypto import constant_time_compare

from access.single_sign_on.provider import KEY_TYPES, Provider

# How far the provider's clock may be from ours.
LEEWAY_SECONDS: Final = 60
LONGEST_SUBJECT: Final = 255


class TokenRefused(Exception):
    """The token proves nothing; ``code`` says which check it failed, for the ledger alone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Claims:
    """What a checked token says. auth_time: when the person was really asked, None when it is not said."""

    issuer: str
    subject: str
    auth_time: int | None
    methods: frozenset[str]


def check(token: object, provider: Provider, *, nonce: str, started_at: float) -> Claims:
    """The claims of the token, if it was signed by the provider for us, now, for this very sign-in.

    Raises TokenRefused and ProviderFailed.
    """
    if not isinstance(token, str):
        raise TokenRefused("missing")
    said = _decoded(token, provider)
    _check_party(said, provider.configured.client_id)
    if not isinstance(said["nonce"], str) or not constant_time_compare(said["nonce"], nonce):
        raise TokenRefused("nonce")
    if said["iat"] < started_at - LEEWAY_SECONDS:
        raise TokenRefused("old")
    subject = said["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise TokenRefused("subject")
    return Claims(provider.configured.issuer, subject, _moment(said.get("auth_time")), _methods(said))


def is_asked_anew(claims: Claims, since: float) -> bool:
    """Whether the provider says that it asked the person after this moment; a provider that says nothing did not."""
    return claims.auth_time is not None and claims.auth_time >= int(since)


def shows_second_factor(claims: Claims, provider: Provider) -> bool:
    """Whether the provider says that it asked for a second factor, in words that the settings accept."""
    return bool(claims.methods & provider.configured.second_factors)


def _decoded(token: str, provider: Provider) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        # The list is ours, the header only chooses from it; a key fits one of the two and is bound to it.
        if not isinstance(algorithm, str) or algorithm not in KEY_TYPES or "crit" in header:
            raise TokenRefused("algorithm")
        key = provider.key(kid, algorithm)
        if key is None:
            raise TokenRefused("key")
        said: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=provider.configured.client_id,
            issuer=provider.configured.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except (jwt.PyJWTError, ValueError, OverflowError) as error:
        raise TokenRefused(_CODES.get(type(error), "malformed")) from error
    if not _is_number(said["iat"]):
        raise TokenRefused("malformed")
    return said


_CODES: Final[dict[type[Exception], str]] = {
    jwt.InvalidSignatureError: "signature",
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "early",
    jwt.InvalidAudienceError: "audience",
    jwt.InvalidIssuerError: "issuer",
    jwt.MissingRequiredClaimError: "claim",
}


def _check_party(said: dict[str, Any], client_id: str) -> None:
    """A token for several names the one it was made for; whoever it names must be us."""
    audience = said["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if said.get("azp") != client_id and (is_shared or "azp" in said):
        raise TokenRefused("party")


def _moment(value: object) -> int | None:
    return int(value) if _is_number(value) else None  # type: ignore[call-overload]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _methods(said: dict[str, Any]) -> frozenset[str]:
    listed = said.get("amr")
    values = [said.get("acr"), *(listed if isinstance(listed, list) else [])]
    return frozenset(value for value in values if isinstance(value, str))
