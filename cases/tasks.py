"""Background work of this room. Tasks carry identifiers only."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from access.actor import acting_as_role
from access.models import User
from access.roles import PgRole
from audit import trail
from audit.acts import Act, Outcome
from cases.linelist import holding, importing
from cases.models import ImportRun


@shared_task(name="cases.tasks.import_linelist", ignore_result=True)
def import_linelist(run_id: str) -> None:
    """Go on with a run until it is over, in the name of the person who began it."""
    with acting_as_role(PgRole.JOB), transaction.atomic():
        run = ImportRun.objects.filter(pk=run_id).first()
        by = User.objects.select_related("organisation").filter(pk=run.by_id).first() if run else None
    if run is None or by is None or run.is_over:
        return
    if by.is_active and by.may(importing.PERMISSION):
        importing.run_import(UUID(run_id), by)
    else:
        _stop(UUID(run_id))


def _stop(run_id: UUID) -> None:
    """End a run whose person may not import any more; the sealed file stays closed for everyone."""
    with acting_as_role(PgRole.JOB), trail.audit_job("import_linelist"):
        run = ImportRun.objects.select_for_update().get(pk=run_id)
        run.status, run.failure, run.finished_at = ImportRun.Status.STOPPED, "not_allowed", timezone.now()
        run.save()
        trail.record(
            Act.IMPORT_RUN, run.outbreak, subjects=[run], outcome=Outcome.REFUSED, reason="not_allowed"
        )


@shared_task(name="cases.tasks.forget_held_files", ignore_result=True)
def forget_held_files() -> int:
    """Forget files whose dry run nobody followed within a day; gives their number."""
    with acting_as_role(PgRole.JOB), trail.audit_job("import_forget"):
        return holding.forget_held(timezone.now() - timedelta(days=1))


@shared_task(name="cases.tasks.resume_imports", ignore_result=True)
def resume_imports() -> int:
    """Send runs again whose message or worker was lost; gives their number."""
    silent_since = timezone.now() - timedelta(seconds=importing.STALE_SECONDS)
    unheard = Q(heartbeat_at__isnull=True, created_at__lt=silent_since) | Q(heartbeat_at__lt=silent_since)
    waiting = [ImportRun.Status.WAITING, ImportRun.Status.RUNNING]
    with acting_as_role(PgRole.JOB), transaction.atomic():
        lost = list(ImportRun.objects.filter(unheard, status__in=waiting).values_list("pk", flat=True))
    for run_id in lost:
        import_linelist.delay(str(run_id))
    return len(lost)
