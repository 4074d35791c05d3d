"""Checks the ledger once, in a process of its own: prints leaves, seconds, and megabytes that memory grew by."""

import json
import resource
import sys

import django


def main(bodies: int | None) -> None:
    """Measure; anything found wrong ends it."""
    from django.db import connection, transaction

    from access.actor import acting_as_role
    from audit import sealing

    with acting_as_role("ep_auditor"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select 1")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report = sealing.verify(bodies=bodies)
    if not report.is_whole:
        raise SystemExit("\n".join(report.lines()))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps([report.size, report.seconds, grown / 1024]))


if __name__ == "__main__":
    django.setup()
    main(json.loads(sys.argv[1]))
