"""The ticket by which PostgreSQL knows that a statement's person was named by epicase, not by an injection.

``user|role|expiry|backend pid|hmac``: HMAC-SHA256 with a key that only ``sec`` functions may read. A ticket is void
on another connection, under another role and after its expiry (integration figures: docs/decisions/0003).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from access.actor import Actor

LIFE_SECONDS = 600
RENEW_SECONDS = 60


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"epicase/ticket/1")
    return kdf.derive(secret.encode())


def pads() -> tuple[bytes, bytes]:
    """The inner and outer key pads (64 bytes each) that ``sec.ticket_key`` holds."""
    block = _key(settings.SECRET_KEY).ljust(64, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def issue(actor: Actor, backend_pid: int, *, now: float | None = None) -> tuple[str, float]:
    """The actor's ticket for this connection ("" for nobody), and the moment (Unix time) it ends."""
    ends = (time.time() if now is None else now) + LIFE_SECONDS
    if actor.user_id is None:
        return "", float("inf")
    message = f"{actor.user_id}|{actor.pg_role}|{int(ends)}|{backend_pid}"
    seal = hmac.new(_key(settings.SECRET_KEY), message.encode(), hashlib.sha256).hexdigest()
    return f"{message}|{seal}", ends
