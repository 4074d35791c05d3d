"""Files between the dry run and the import: kept sealed, then taken in or forgotten."""

from datetime import datetime

from django.utils import timezone

from access.models import Organisation, User
from audit import trail
from audit.acts import Act
from cases.linelist import filing, importing
from cases.models import ImportRun, Outbreak


def hold_import(
    content: bytes, profile: str, outbreak: Outbreak, by: User, *, district: Organisation | None = None
) -> ImportRun:
    """Keep a file sealed until its person has looked at the dry run; `launch` or `discard` ends that.

    Raises Unusable when nothing of the file can be taken in, PermissionDenied.
    """
    return importing.file_run(content, profile, outbreak, by, district, ImportRun.Status.PREVIEWED)


def plan_of(run: ImportRun) -> importing.Plan:
    """The dry run of a held file, recorded as an act of the person who asked. Raises Unusable, FileGone."""
    content, district = filing.open_file(run)
    result = importing.plan(content, run.profile, run.outbreak, by=run.by, district=district)
    trail.record(
        Act.IMPORT_PREVIEW, run.outbreak, subjects=[run], counts=result.counts, extra={"profile": run.profile}
    )
    return result


def launch(run: ImportRun) -> ImportRun:
    """Begin a held run; one that has begun or ended already stays as it is."""
    if run.status == ImportRun.Status.PREVIEWED:
        run.status, run.heartbeat_at = ImportRun.Status.WAITING, timezone.now()
        run.save(update_fields=["status", "heartbeat_at"])
        importing.begin(run, in_background=True)
    return run


def discard(run: ImportRun) -> ImportRun:
    """Forget a held file without taking anything in."""
    if run.status == ImportRun.Status.PREVIEWED:
        run.status, run.finished_at = ImportRun.Status.STOPPED, timezone.now()
        run.save(update_fields=["status", "finished_at"])
        filing.erase(run)
        trail.record(Act.IMPORT_RUN, run.outbreak, subjects=[run], reason="discarded")
    return run


def forget_held(before: datetime) -> int:
    """Forget files whose dry run was made before this moment and never followed; gives their number."""
    held = ImportRun.objects.filter(status=ImportRun.Status.PREVIEWED, created_at__lt=before)
    found = list(held.select_for_update(skip_locked=True))
    for run in found:
        run.status, run.finished_at = ImportRun.Status.STOPPED, timezone.now()
        run.save(update_fields=["status", "finished_at"])
        filing.erase(run)
    return len(found)
