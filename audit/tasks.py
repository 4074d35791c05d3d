"""The sealing task, on the Celery queue "audit" (by CELERY_TASK_ROUTES).

It carries no event: what waits stands in the database, and a task only says "look there".
"""

import logging

from celery import shared_task
from django.db import DatabaseError

from audit import sealing
from audit.errors import AuditError

log = logging.getLogger("audit.sealing")


@shared_task(name="audit.tasks.seal", ignore_result=True, expires=2)
def seal() -> int:
    """Seal what waits; gives the number of events, or -1 when another sealer works or sealing must stop."""
    try:
        report = sealing.seal_all()
    except (AuditError, DatabaseError) as error:
        # Nothing is lost: the events wait in the queue, and readiness shows their age.
        log.error("sealing stopped: %s", error)  # noqa: TRY400  one line; no traceback every two seconds
        return -1
    return -1 if report.is_busy else report.sealed
