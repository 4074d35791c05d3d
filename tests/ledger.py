"""Reads the ledger the way an auditor may."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, transaction

from access.actor import acting_as_role


def events(act: str | None = None, *, since: Any = None) -> list[dict[str, Any]]:
    """Bodies of events, newest first."""
    condition = "where act = %s" if act else ""
    with transaction.atomic(), acting_as_role("ep_auditor"), connection.cursor() as cursor:
        cursor.execute(
            f"select body from audit_event {condition} order by occurred_at desc, id desc",
            [act] if act else [],
        )
        return [json.loads(bytes(body)) for (body,) in cursor.fetchall()]
