"""The roots that were signed, and those that were published, in order of size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from epicase_verify.note import NotSigned, VerificationKey, open_checkpoint
from epicase_verify.text import Malformed

from audit import publishing
from audit.verification.report import VerifyReport


@dataclass(frozen=True)
class Mark:
    """A root that was signed or published for a size."""

    size: int
    root: bytes


def signed(report: VerifyReport, keys: Sequence[VerificationKey]) -> Iterator[Mark]:
    last = -1
    while rows := _checkpoints_after(last):
        for size, root, note in rows:
            report.checkpoints += 1
            _check_signature(report, size, bytes(root), note, keys)
            yield Mark(size, bytes(root))
        last = rows[-1][0]
    if last < report.size and report.size:
        report.add("state", report.size, "no checkpoint of this size")


def _checkpoints_after(size: int) -> list[tuple[int, bytes, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select size, root, note from audit_checkpoint where size > %s order by size limit 2000", [size]
        )
        return list(cursor.fetchall())


def _check_signature(
    report: VerifyReport, size: int, root: bytes, note: str, keys: Sequence[VerificationKey]
) -> None:
    if not keys:
        return
    try:
        checkpoint = open_checkpoint(note, keys, origin=keys[0].name)
    except (Malformed, NotSigned) as error:
        report.add("signature", size, str(error))
        return
    if (checkpoint.size, checkpoint.root) != (size, root):
        report.add("signature", size, "the note is about another tree")


def published_marks(report: VerifyReport) -> Iterator[Mark]:
    """Published roots in order of size; what is out of order, or cannot be read, is reported on the way."""
    last, torn = 0, False
    try:
        for found in publishing.published():
            if found is None:
                torn = True
                continue
            torn = False
            report.published += 1
            if found[0].size < last:
                report.add("unreadable", found[0].size, "not in order")
                continue
            last = found[0].size
            yield Mark(last, found[0].root)
    except OSError as error:
        report.remarks.append(f"the published checkpoints cannot be read here: {error.strerror}")
    if torn:
        report.remarks.append("the last published note is cut short; sealing writes it again")
    if publishing.file() is None:
        report.remarks.append("checkpoints are not published: set EPICASE_CHECKPOINT_FILE")
