"""A ledger to seal, check and damage: events as the product writes them, and ways around its guards."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from access.actor import acting_as_owner, acting_as_role
from audit import canonical, sealing
from audit.identifiers import uuid7
from audit.sealing import SealReport, VerifyReport

COLUMNS = [
    "id",
    "occurred_at",
    "act",
    "outcome",
    "actor_id",
    "actor_name",
    "role",
    "org_id",
    "org_name",
    "object_pk",
    "object_id",
    "object_label",
    "request_id",
    "purpose",
    "grant_id",
    "decision_id",
    "n_objects",
    "session_h",
    "ip",
    "trace_code",
    "salt",
    "body",
    "mac",
]
INSERT = f"insert into audit_event ({', '.join(COLUMNS)}) values ({', '.join(['%s'] * len(COLUMNS))})"


def facts(event_id: UUID, at: datetime, touched: list[UUID]) -> dict[str, Any]:
    record = str(touched[0]) if touched else None
    return {
        "v": 1,
        "id": str(event_id),
        "at": canonical.moment(at),
        "act": "case.view",
        "outcome": 0,
        "actor": {
            "id": str(uuid4()),
            "name": "investigator",
            "role": "investigator",
            "org": 3,
            "org_name": "CDC",
        },
        "object": {"type": "cases.case", "pk": record or "", "id": record, "label": "C-2026-0001"},
        "request": str(uuid4()),
        "purpose": "P1",
        "grant": None,
        "decision": None,
        "touches": len(touched),
        "touch_sha256": canonical.touch_digest([(one, None) for one in touched]),
        "session": "aa" * 8,
        "ip": "10.0.0.1",
        "trace": "",
    }


def write(count: int = 1, *, touched: int = 0) -> list[UUID]:
    """Write events in one commit; gives their ids in order."""
    made = []
    with acting_as_role("ep_none"), transaction.atomic(), connection.cursor() as cursor:
        rows = []
        for _ in range(count):
            event_id, at, salt = uuid7(), datetime.now(UTC), secrets.token_bytes(16)
            records = [uuid4() for _ in range(touched)]
            said = facts(event_id, at, records)
            body = canonical.encode(said)
            columns = canonical.columns_of(said) | {
                "occurred_at": at,
                "session_h": bytes.fromhex(said["session"]),
                "salt": salt,
                "body": body,
                "mac": canonical.row_mac(event_id, at, salt, body),
            }
            rows.append([columns[name] for name in COLUMNS])
            made.append(event_id)
            for record in records:
                cursor.execute(
                    "insert into audit_touch (occurred_at, event_id, object_id) values (%s, %s, %s)",
                    [at, event_id, record],
                )
        cursor.executemany(INSERT, rows)
    return made


def seal(limit: int = sealing.BATCH) -> SealReport:
    with acting_as_role("ep_sealer"):
        return sealing.seal_all(limit)


def verify(**options: Any) -> VerifyReport:
    """Check the ledger as an auditor does, with reading rights only."""
    with acting_as_role("ep_auditor"), transaction.atomic():
        return sealing.verify(**options)


def tamper(statement: str, parameters: list[Any] | None = None) -> int:
    """Change the ledger as its owner can who first takes the guards down; gives the number of rows."""
    table = next(word for word in statement.split() if word.startswith("audit_"))
    with acting_as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"alter table {table} disable trigger user")
        cursor.execute(statement, parameters or [])
        count = cursor.rowcount
        cursor.execute(f"alter table {table} enable trigger user")
    return count


def one(statement: str, *parameters: Any) -> Any:
    """The first column of the first row, read as the sealer."""
    with acting_as_role("ep_sealer"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        row = cursor.fetchone()
        return row[0] if row else None


def in_killed_child(work: Callable[[], object]) -> bool:
    """Run work in a forked process; whether it was ended by SIGKILL."""
    connection.close()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
