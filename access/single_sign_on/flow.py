"""The way to the provider and back: state, nonce and PKCE wait in the session, and are good for one return.

What the way is for stands in the session too ("sign_in", "confirm", "bind", "invited"), never in an address.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode

from access.single_sign_on import id_token
from access.single_sign_on.id_token import Claims, TokenRefused
from access.single_sign_on.provider import Provider

LASTS_SECONDS: Final = 10 * 60
LONGEST_CODE: Final = 4096
_PENDING = "single_sign_on"


@dataclass(frozen=True)
class Pending:
    """One way to the provider. user: who went, "" for a visitor. invitation: the digest of a code, in hex.

    asks_anew: "yes" when a sign-in asks the provider not to rely on a session that is open there.
    """

    kind: str
    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    started_at: float
    user: str = ""
    next: str = "/"
    carried: str = ""
    invitation: str = ""
    asks_anew: str = ""

    @property
    def must_be_anew(self) -> bool:
        """Whoever binds or confirms is asked by the provider anew: a session open there is not enough."""
        return self.kind != "sign_in" or self.asks_anew == "yes"


def begin(request: HttpRequest, provider: Provider, kind: str, **more: str) -> str:
    """Note a new way, in place of an earlier one; gives the provider's address. Raises ProviderFailed."""
    endpoint = provider.endpoints().authorization
    pending = Pending(
        kind=kind,
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        redirect_uri=request.build_absolute_uri(reverse("access:sso_return")),
        started_at=time.time(),
        user=str(request.user.pk or ""),
        **more,
    )
    request.session[_PENDING] = asdict(pending)
    asked = {
        "response_type": "code",
        "scope": "openid",
        "client_id": provider.configured.client_id,
        "redirect_uri": pending.redirect_uri,
        "state": pending.state,
        "nonce": pending.nonce,
        "code_challenge": _challenge(pending.verifier),
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if pending.must_be_anew else {}),
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def take(request: HttpRequest) -> Pending | None:
    """The way that this return ends: noted in this session for the same person, at most ten minutes ago.

    It can be taken once, whatever comes of it; a return that names another state takes it, too.
    """
    noted: dict[str, Any] | None = request.session.pop(_PENDING, None)
    if noted is None:
        return None
    pending = Pending(**noted)
    is_same = constant_time_compare(request.GET.get("state", ""), pending.state)
    is_young = 0 <= time.time() - pending.started_at <= LASTS_SECONDS
    return pending if is_same and is_young and pending.user == str(request.user.pk or "") else None


def claims(request: HttpRequest, provider: Provider, pending: Pending) -> Claims:
    """Who came back, by the provider's signed word. Raises TokenRefused and ProviderFailed."""
    if request.GET.get("iss", provider.configured.issuer) != provider.configured.issuer:
        raise TokenRefused("mixed_up")
    code = request.GET.get("code", "")
    if not 0 < len(code) <= LONGEST_CODE:
        raise TokenRefused("denied")
    given = provider.redeem(code, pending.verifier, pending.redirect_uri)
    if given is None:
        raise TokenRefused("code")
    return id_token.check(given.get("id_token"), provider, nonce=pending.nonce, started_at=pending.started_at)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
