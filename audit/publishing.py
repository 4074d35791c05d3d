"""Carries signed checkpoints out of the database, into a file to which notes are only ever appended.

What the file holds is the memory that a restored or rewritten database cannot have. Publishing follows the
COMMIT and may fail: the next round appends whatever the file does not hold yet.
"""

import fcntl
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from epicase_verify import journal
from epicase_verify.note import Checkpoint

from audit.errors import AuditError

log = logging.getLogger("audit.checkpoint")
TAIL_BYTES = 4 * journal.LONGEST_NOTE
AT_ONCE = 500


class RolledBack(AuditError):
    """The ledger in the database is not the one that was published: nothing more may be signed."""


def file() -> Path | None:
    """The file of published checkpoints, or None when none is configured."""
    path = str(getattr(settings, "EPICASE_CHECKPOINT_FILE", "") or "")
    return Path(path) if path else None


def last_published() -> Checkpoint | None:
    """The newest checkpoint in the file; None when there is no file or nothing in it. Raises OSError."""
    path = file()
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            return _newest(_tail(stream))
    except FileNotFoundError:
        return None


def published() -> Iterator[tuple[Checkpoint, str] | None]:
    """All checkpoints in the file, in its order; None for a stretch that is none. Raises OSError."""
    path = file()
    if path is None or not path.exists():
        return
    with path.open("rb") as stream:
        yield from journal.read(stream)


def publish() -> int:
    """Append the checkpoints the file does not hold yet; gives their number. Raises OSError, RolledBack.

    Call it outside a transaction: only what is committed may be published.
    """
    path = file()
    if path is None:
        return 0
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if connection.in_atomic_block:
        raise RuntimeError("only what is committed may be published")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "r+b", buffering=0) as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with transaction.atomic():
            return _append_missing(stream)


def _append_missing(stream: io.FileIO) -> int:
    tail = _tail(stream)
    newest = _newest(tail)
    refuse_other_history(newest)
    if _is_torn(tail):
        _write(stream, journal.END_OF_TORN)
    size, count = newest.size if newest else 0, 0
    while notes := _after(size):
        _write(stream, b"".join(journal.entry(note) for _, note in notes))
        size, count = notes[-1][0], count + len(notes)
        log.info("checkpoint of %d events published", size)
    if count:
        with connection.cursor() as cursor:
            cursor.execute(
                "update audit_state set published_size = %s where id = 1 and published_size < %s",
                [size, size],
            )
    return count


def refuse_other_history(newest: Checkpoint | None) -> None:
    """Raise RolledBack unless the database still holds the newest published checkpoint unchanged."""
    if newest is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("select max(size) from audit_checkpoint")
        size = cursor.fetchone()[0] or 0
        cursor.execute("select root from audit_checkpoint where size = %s", [newest.size])
        row = cursor.fetchone()
    if size < newest.size:
        raise RolledBack(
            f"The ledger has {size} sealed events, but {newest.size} were published: "
            "an older database was restored. "
            "Nothing is sealed until this is explained."
        )
    if row is None or bytes(row[0]) != newest.root:
        raise RolledBack(
            f"The first {newest.size} events are not the ones that were published: the ledger was rewritten."
        )


def _after(size: int) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select size, note from audit_checkpoint where size > %s order by size limit %s", [size, AT_ONCE]
        )
        return list(cursor.fetchall())


def _write(stream: io.FileIO, content: bytes) -> None:
    written = stream.write(content)
    if written != len(content):
        raise OSError(f"only {written} of {len(content)} bytes could be appended")
    os.fsync(stream.fileno())


def _tail(stream: io.FileIO | io.BufferedReader) -> bytes:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - TAIL_BYTES))
    return stream.read() or b""


def _newest(tail: bytes) -> Checkpoint | None:
    whole = [found[0] for found in journal.read(io.BytesIO(tail)) if found is not None]
    return whole[-1] if whole else None


def _is_torn(tail: bytes) -> bool:
    if not tail:
        return False
    *_, last = journal.read(io.BytesIO(tail))
    return last is None or not tail.endswith(b"\n\n")
