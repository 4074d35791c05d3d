"""What waits to be sealed: nothing may have vanished, nothing may lie beside the queue."""

from django.db import connection

from audit.verification.report import VerifyReport

LATE_SECONDS = 60


def check_queue(report: VerifyReport) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(*) filter (where not exists (select from audit_event e"
            " where e.id = p.event_id and e.occurred_at = p.occurred_at)),"
            " coalesce(extract(epoch from clock_timestamp() - min(p.occurred_at)), 0)::float8"
            " from audit_pending p"
        )
        report.pending, vanished, report.oldest_pending_seconds = cursor.fetchone()
        cursor.execute(
            "select count(*) from audit_event e"
            " where not exists (select from audit_leaf l where l.event_id = e.id)"
            " and not exists (select from audit_pending p where p.event_id = e.id)"
        )
        unqueued = cursor.fetchone()[0]
    if vanished:
        report.add("vanished", None, str(vanished))
    if unqueued:
        report.add("unqueued", None, str(unqueued))
    if report.oldest_pending_seconds > LATE_SECONDS:
        report.remarks.append(
            f"sealing is late: the oldest event waits {report.oldest_pending_seconds:.0f} s"
        )
