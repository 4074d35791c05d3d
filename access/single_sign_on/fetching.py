"""Asking the provider: TLS verified, no redirect followed, an end to waiting, and an end to the answer."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

SILENCE_SECONDS: Final = 4
ALTOGETHER_SECONDS: Final = 8
MOST_BYTES: Final = 256 * 1024


class ProviderFailed(Exception):
    """The provider does not answer, or not as OpenID Connect says; ``code`` is for the ledger."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def get(url: str) -> dict[str, Any]:
    """The JSON object at this address. Raises ProviderFailed."""
    status, answer = _ask("GET", url, None, {})
    if status != 200:
        raise ProviderFailed("status")
    return answer


def post(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON object that answer a form. Raises ProviderFailed for any status but 200, 400 and 401."""
    typed = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    status, answer = _ask("POST", url, urlencode(fields).encode(), typed)
    if status not in (200, 400, 401):
        raise ProviderFailed("status")
    return status, answer


def _ask(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    # http.client follows no redirect and uses no proxy: what is asked is what was configured.
    until = time.monotonic() + ALTOGETHER_SECONDS
    connection = _connection(url)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(
            method, path, body, {"Accept": "application/json", "Connection": "close", **headers}
        )
        response = connection.getresponse()
        return response.status, _parsed(_whole(response, until))
    except (OSError, http.client.HTTPException) as error:
        raise ProviderFailed("unreachable") from error
    finally:
        connection.close()


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            host, port, timeout=SILENCE_SECONDS, context=ssl.create_default_context()
        )
    # Only the tests' provider: the settings refuse any other issuer, and the endpoints lie at the issuer's origin.
    return http.client.HTTPConnection(host, port, timeout=SILENCE_SECONDS)


def _whole(response: http.client.HTTPResponse, until: float) -> bytes:
    gathered = bytearray()
    while part := response.read1(16 * 1024):
        gathered += part
        if len(gathered) > MOST_BYTES:
            raise ProviderFailed("too_big")
        if time.monotonic() > until:
            raise ProviderFailed("too_slow")
    return bytes(gathered)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed("no_json") from error
    if not isinstance(answer, dict):
        raise ProviderFailed("no_json")
    return answer
