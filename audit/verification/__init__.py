"""Checks the whole ledger in the database: every body, leaf, tile, checkpoint and signature.

It goes through the leaves in order, some thousands at a time, so its memory does not grow with the
ledger. Reading rights suffice.
"""

import time
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils.translation import gettext_noop
from epicase_verify.note import VerificationKey

from audit import signer
from audit.verification.bodies import check_bodies
from audit.verification.leaves import STEP, leaf_hashes
from audit.verification.queue import check_queue
from audit.verification.report import TAMPERED, UNUSABLE, WHOLE, Problem, VerifyReport
from audit.verification.tree import check_leaves

__all__ = ["TAMPERED", "UNUSABLE", "WHOLE", "Problem", "VerifyReport", "read_on", "verify"]


def verify(*, bodies: int | None = None, keys: Sequence[VerificationKey] | None = None) -> VerifyReport:
    """Check the ledger; `bodies` limits the reading of events to the newest so many (all by default).

    The tree, its checkpoints and their signatures are always checked whole.
    """
    with transaction.atomic():
        return _verify(bodies, keys)


def read_on(report: VerifyReport, reached: int, *, seconds: float) -> int:
    """Read bodies from leaf `reached`, the beginning of a stretch, for about so long; gives the leaf reached.

    What is wrong with leaves and tiles is not reported again: the tree's check has done that.
    """
    began = time.monotonic()
    with transaction.atomic():
        while reached < report.size:
            end = min(reached + STEP, report.size)
            check_bodies(reached, reached, leaf_hashes(reached, end, VerifyReport()), report)
            reached = end
            if time.monotonic() - began >= seconds:
                break
    report.seconds += time.monotonic() - began
    return reached


def _verify(bodies: int | None, keys: Sequence[VerificationKey] | None) -> VerifyReport:
    report, began = VerifyReport(), time.monotonic()
    known = signer.verification_keys() if keys is None else list(keys)
    report.signatures_checked = bool(known)
    if not known:
        report.unusable = gettext_noop(
            "no verification key is known, so no signature could be checked: set EPICASE_AUDIT_VKEY"
        )
    frontier_stored = _state(report)
    frontier = check_leaves(report, 0 if bodies is None else max(0, report.size - bodies), known)
    report.root = frontier.root()
    if frontier_stored != frontier.to_bytes():
        report.add("state", report.size)
    check_queue(report)
    report.seconds = time.monotonic() - began
    return report


def _state(report: VerifyReport) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("select size, frontier from audit_state where id = 1")
        row = cursor.fetchone()
    report.size, stored = (row[0], bytes(row[1])) if row else (0, b"")
    return stored
