"""The exact bytes of an event: what is hashed is what is stored, and the typed columns follow from it.

The spelling is the verifier's (a restricted profile of RFC 8785), so both sides share one definition.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from epicase_verify import bundle
from epicase_verify import canonical as spelling
from epicase_verify.text import Malformed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NotCanonical = Malformed


def encode(body: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a body. Raises NotCanonical for what the profile leaves out."""
    return spelling.encode(dict(body))


def decode(data: bytes) -> dict[str, Any]:
    """The body behind canonical bytes; raises NotCanonical when they are not in the canonical form."""
    body = spelling.decode(bytes(data))
    if not isinstance(body, dict):
        raise NotCanonical("the body is not an object")
    return body


def moment(at: datetime) -> str:
    """A moment as the body writes it: UTC, microseconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def row_mac(event_id: UUID, occurred_at: datetime, salt: bytes, body: bytes) -> bytes:
    """HMAC-SHA256 of a row under a key the database does not hold: shows an edit before sealing."""
    microseconds = (occurred_at - EPOCH) // timedelta(microseconds=1)
    head = event_id.bytes + microseconds.to_bytes(8, "big", signed=True) + bytes(salt)
    return hmac.digest(_row_key(), head + bytes(body), hashlib.sha256)


def row_mac_matches(event_id: UUID, occurred_at: datetime, salt: bytes, body: bytes, mac: bytes) -> bool:
    """Whether a row is as the process that wrote it left it."""
    return hmac.compare_digest(row_mac(event_id, occurred_at, salt, body), bytes(mac))


def touch_pair(object_id: UUID, subject: bytes | None = None) -> tuple[str, str]:
    """One touched record as a proof writes it: the id, and the person's token in hex, empty without one."""
    return str(object_id), bytes(subject).hex() if subject else ""


def touch_digest(touches: Iterable[tuple[UUID, bytes | None]]) -> str:
    """SHA-256, in hex, over an event's touched records, as the verifier counts them."""
    return bundle.touch_digest([touch_pair(object_id, subject) for object_id, subject in touches])


def columns_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The typed columns that belong to a body: the row is written from this, and checked against it."""
    actor, subject = body["actor"], body["object"]
    return {
        "id": body["id"],
        "occurred_at": body["at"],
        "act": body["act"],
        "outcome": body["outcome"],
        "actor_id": actor["id"],
        "actor_name": actor["name"],
        "role": actor["role"],
        "org_id": actor["org"],
        "org_name": actor["org_name"],
        "object_pk": subject["pk"],
        "object_id": subject["id"],
        "object_label": subject["label"],
        "request_id": body["request"],
        "purpose": body["purpose"],
        "grant_id": body["grant"],
        "decision_id": body["decision"],
        "n_objects": body["touches"],
        "session_h": body["session"],
        "ip": body["ip"],
        "trace_code": body["trace"],
    }


def columns_match(row: Any) -> bool:
    """Whether a row's typed columns (a mapping, or an object with attributes) say what its body says."""
    read = row.__getitem__ if isinstance(row, Mapping) else lambda name: getattr(row, name)
    try:
        expected = columns_of(decode(bytes(read("body"))))
        return all(_plain(read(name)) == value for name, value in expected.items())
    except (NotCanonical, KeyError, TypeError):
        return False


def derived_key(purpose: str) -> bytes:
    """A 32-byte key for one purpose of the ledger, from AUDIT_ROW_KEY or else the secret key."""
    root = getattr(settings, "AUDIT_ROW_KEY", "") or settings.SECRET_KEY
    material = root if isinstance(root, bytes) else str(root).encode()
    return _derived(material, purpose)


@lru_cache(maxsize=8)
def _derived(material: bytes, purpose: str) -> bytes:
    return hmac.digest(material, b"epicase audit v1|" + purpose.encode(), hashlib.sha256)


def _row_key() -> bytes:
    return derived_key("row")


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return moment(value)
        case bytes() | memoryview() | bytearray():
            return bytes(value).hex()
        case bool() | int() | str() | None:
            return int(value) if isinstance(value, int) else value
        case _:
            return str(value)
