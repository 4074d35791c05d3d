"""Whether the process is up, and whether it may serve: no person, no value, no session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu import Connection
from kombu.exceptions import KombuError

from access.middleware import stays_nobody
from vault.providers import ProviderError, configured

SEALING_LAG_DEGRADED = timedelta(seconds=60)


@require_safe
@login_not_required
def alive(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@login_not_required
@stays_nobody
def ready(_request: HttpRequest) -> HttpResponse:
    """503 when the database, the keys or the ledger fail; "degraded" when only the broker or the sealing lags."""
    checks = {
        "database": _state(_database),
        "keys": _state(_keys),
        "sealing": _state(_sealing),
        "broker": _state(_broker),
    }
    must = [checks["database"], checks["keys"]]
    status = "failed" if "failed" in must else "degraded" if set(checks.values()) != {"ok"} else "ok"
    return JsonResponse({"status": status, **checks}, status=503 if status == "failed" else 200)


def _state(check: Callable[[], bool]) -> str:
    try:
        return "ok" if check() else "degraded"
    except (DatabaseError, KombuError, ProviderError, OSError):
        return "failed"


def _database() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select 1")
    return True


def _keys() -> bool:
    return configured().health().ok


def _sealing() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select min(occurred_at) from audit_pending")
        row = cursor.fetchone()
    oldest = row[0] if row else None
    return oldest is None or timezone.now() - oldest < SEALING_LAG_DEGRADED


def _broker() -> bool:
    from django.conf import settings

    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    with Connection(settings.CELERY_BROKER_URL, connect_timeout=1, transport_options=options) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0)
    return True
