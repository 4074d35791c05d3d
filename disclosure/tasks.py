"""Celery tasks around exports: build one, pick up what waits or fell silent, remove what has run out."""

from __future__ import annotations

import logging
import time
from typing import Final
from uuid import UUID

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from access.actor import acting_as_role
from access.roles import PgRole
from audit.acts import Act
from audit.trail import audit_job, record
from disclosure import actions, building
from disclosure.models import Export, Status

log = logging.getLogger("epicase.disclosure")
AT_ONCE: Final = 20
# A file that no export points to may belong to a worker that is just finishing.
ORPHAN_SECONDS: Final = 3600


@shared_task(name="disclosure.tasks.build_export")
def build_export(export_id: str) -> str:
    """Build one approved export."""
    outcome = building.build(UUID(export_id))
    log.info("export %s: %s", export_id, outcome)
    return outcome


@shared_task(name="disclosure.tasks.resume_exports")
def resume_exports() -> int:
    """Queue every export that waits to be built or whose worker has fallen silent; gives how many."""
    with acting_as_role(PgRole.JOB), audit_job("export_resume"):
        waiting = Export.objects.waiting_to_be_built(timezone.now()).order_by("requested_at")
        ids = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    return sum(queue(export_id) for export_id in ids)


@shared_task(name="disclosure.tasks.expire_exports")
def expire_exports() -> int:
    """End exports whose time has run out and remove files that nobody may download; gives how many ended."""
    with acting_as_role(PgRole.JOB), audit_job("export_expire"):
        overdue = list(Export.objects.overdue(timezone.now()).select_for_update(skip_locked=True)[:AT_ONCE])
        for export in overdue:
            export.status, export.passphrase = Status.EXPIRED, None
            export.save(update_fields=["status", "passphrase"])
            record(Act.EXPORT_EXPIRE, export, purpose=export.purpose)
    remove_leftovers()
    return len(overdue)


def remove_leftovers() -> int:
    """Remove files that no waiting export points to, such as downloaded ones or a killed worker's."""
    with acting_as_role(PgRole.JOB), audit_job("export_leftovers"):
        kept = set(Export.objects.filter(status=Status.BUILT).values_list("file_name", flat=True))
        ended = set(
            Export.objects.exclude(status=Status.BUILT)
            .exclude(file_name="")
            .values_list("file_name", flat=True)
        )
    removed = 0
    place = actions.directory()
    for path in sorted(place.glob("*.xlsx*")) if place.is_dir() else []:
        is_old = time.time() - path.stat().st_mtime > ORPHAN_SECONDS
        if path.name in ended or (path.name not in kept and is_old):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def queue(export_id: UUID) -> bool:
    """Ask a worker to build the export; without a broker the next sweep of beat asks again."""
    try:
        build_export.apply_async(args=(str(export_id),), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("export %s not queued: %s", export_id, type(error).__name__)
        return False
    return True
