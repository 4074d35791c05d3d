"""The events themselves: body, writer's mark, searchable columns and records touched, against the sealed leaf."""

import json
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from epicase_verify.merkle import HASH_BYTES, leaf_hash

from audit import canonical
from audit.rows import quick_cursor
from audit.verification.report import VerifyReport

# The columns as the body spells them, so that a row is compared at once. Names as in canonical.columns_of.
_COLUMNS = {
    "id": "e.id::text",
    "occurred_at": """to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "act": "e.act",
    "outcome": "e.outcome",
    "actor_id": "e.actor_id::text",
    "actor_name": "e.actor_name",
    "role": "e.role",
    "org_id": "e.org_id",
    "org_name": "e.org_name",
    "object_pk": "e.object_pk",
    "object_id": "e.object_id::text",
    "object_label": "e.object_label",
    "request_id": "e.request_id::text",
    "purpose": "e.purpose",
    "grant_id": "e.grant_id::text",
    "decision_id": "e.decision_id::text",
    "n_objects": "e.n_objects",
    "session_h": "encode(e.session_h, 'hex')",
    "ip": "host(e.ip)",
    "trace_code": "e.trace_code",
}
_EVENTS = (
    "select l.leaf_index, l.event_id, l.occurred_at, e.salt, e.body, e.mac, "
    + ", ".join(_COLUMNS.values())
    + " from audit_leaf l left join audit_event e on e.id = l.event_id and e.occurred_at = l.occurred_at"
    " where l.leaf_index >= %s and l.leaf_index < %s order by l.leaf_index"
)
_FIRST_COLUMN = 6


def check_bodies(start: int, base: int, hashes: bytes, report: VerifyReport) -> None:
    """Compare events from leaf `start` with the leaf hashes of the stretch that begins at leaf `base`."""
    end = base + len(hashes) // HASH_BYTES
    digests: dict[UUID, tuple[int, datetime, Any]] = {}
    for row in quick_cursor().execute(_EVENTS, [start, end], binary=True):
        at, event_id, occurred_at, salt, body, mac = row[:_FIRST_COLUMN]
        if body is None:
            report.add("event_missing", at, str(event_id))
            continue
        report.bodies += 1
        place = (at - base) * HASH_BYTES
        if leaf_hash(salt + body) != hashes[place : place + HASH_BYTES]:
            report.add("body_changed", at)
        if not canonical.row_mac_matches(event_id, occurred_at, salt, body, mac):
            report.add("mac", at)
        said = _said(body)
        if not _agrees(said, dict(zip(_COLUMNS, row[_FIRST_COLUMN:], strict=True))):
            report.add("columns", at)
        digests[event_id] = (at, occurred_at, said.get("touch_sha256"))
    _check_touches(digests, report)


def _said(body: bytes) -> dict[str, Any]:
    """What a body says; nothing when it cannot be read. That these bytes were sealed, their hash shows."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _agrees(said: dict[str, Any], columns: dict[str, Any]) -> bool:
    try:
        expected = canonical.columns_of(said)
    except (KeyError, TypeError):
        return False
    return expected == columns or (_with_plain_ip(expected) == _with_plain_ip(columns))


def _with_plain_ip(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns with their address in one spelling: an IPv6 address has several."""
    try:
        return columns | {"ip": columns["ip"] and ip_address(columns["ip"])}
    except ValueError:
        return columns


def _check_touches(events: dict[UUID, tuple[int, datetime, Any]], report: VerifyReport) -> None:
    """Compare the touch rows of these events with the digests in their bodies."""
    if not events:
        return
    times = [at for _, at, _ in events.values()]
    rows: dict[UUID, list[tuple[UUID, bytes | None]]] = {}
    for event_id, object_id, subject in quick_cursor().execute(
        "select event_id, object_id, subject_h from audit_touch where occurred_at between %s and %s",
        [min(times), max(times)],
        binary=True,
    ):
        if event_id in events:
            rows.setdefault(event_id, []).append((object_id, subject))
    untouched = canonical.touch_digest([])
    for event_id, (at, _, said) in events.items():
        found = canonical.touch_digest(rows[event_id]) if event_id in rows else untouched
        if said != found:
            report.add("touches", at)
