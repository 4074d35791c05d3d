"""Seals events: takes them from the queue, gives each its leaf in the tree, and signs the tree's new root.

All of it is one transaction under one lock, so a process killed anywhere has done nothing. Only SQL and the
sealer's own database rights are used; no message carries an event.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from epicase_verify.merkle import Frontier, leaf_hash
from epicase_verify.note import Checkpoint, NotSigned, open_checkpoint
from epicase_verify.text import Malformed
from epicase_verify.tiles import WIDTH, tile_root

from audit import canonical, publishing, signer
from audit.errors import AuditError
from audit.publishing import RolledBack
from audit.rows import quick_cursor
from audit.signer import Signer
from audit.verification import Problem, VerifyReport, verify

__all__ = [
    "LedgerDamaged",
    "Problem",
    "RolledBack",
    "SealReport",
    "VerifyReport",
    "seal_all",
    "seal_pending",
    "verify",
]

log = logging.getLogger("audit.sealing")
LOCK = 0x6570696361736500  # "epicase" in ASCII, and a zero
BATCH = 10_000
TILE_BYTES = WIDTH * 32


class LedgerDamaged(AuditError):
    """The sealed part of the ledger is not what was signed, so nothing may be built upon it."""


@dataclass(frozen=True)
class SealReport:
    """What one round of sealing did. `trouble` says in a line why publishing has to wait."""

    sealed: int = 0
    altered: int = 0
    missing: int = 0
    size: int = 0
    is_busy: bool = False
    published: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class _Row:
    seq: int
    event_id: UUID
    occurred_at: datetime
    salt: bytes
    body: bytes
    mac: bytes

    def is_unaltered(self) -> bool:
        return canonical.row_mac_matches(self.event_id, self.occurred_at, self.salt, self.body, self.mac)


def seal_pending(limit: int = BATCH, *, by: Signer | None = None) -> SealReport:
    """Seal up to `limit` waiting events, then publish. A second sealer finds the lock taken and does nothing.

    Raises SigningKeyUnusable, RolledBack and LedgerDamaged; the events wait then.
    """
    signing = by or signer.configured()
    with transaction.atomic():
        report = _seal(limit, signing)
    if report.missing:
        log.error("%d events vanished between writing and sealing", report.missing)
    if report.altered:
        log.error("%d events were altered between writing and sealing", report.altered)
    if connection.in_atomic_block:
        transaction.on_commit(partial(_publish, report))
        return report
    return _publish(report)


def seal_all(limit: int = BATCH, *, by: Signer | None = None) -> SealReport:
    """Seal until the queue is empty; the report adds up the rounds."""
    signing = by or signer.configured()
    total = seal_pending(limit, by=signing)
    last = total
    while last.sealed == limit:
        last = seal_pending(limit, by=signing)
        total = replace(
            last,
            sealed=total.sealed + last.sealed,
            altered=total.altered + last.altered,
            published=total.published + last.published,
        )
    return total


def _publish(report: SealReport) -> SealReport:
    if report.is_busy:
        return report
    try:
        return replace(report, published=publishing.publish())
    except OSError as error:
        log.warning("checkpoints cannot be published yet: %s", error.strerror or error)
        return replace(report, trouble=f"checkpoints wait to be published: {error.strerror or error}")


def _seal(limit: int, signing: Signer) -> SealReport:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return SealReport(is_busy=True)
    frontier = _trusted_frontier(signing)
    rows = _waiting(limit)
    missing = _count_missing(rows[-1].seq if rows else None)
    if not rows:
        return SealReport(size=frontier.size, missing=missing)
    unaltered = [row.is_unaltered() for row in rows]
    leaves = [leaf_hash(row.salt + row.body) for row in rows]
    _dequeue(rows)
    _insert_leaves(frontier.size, rows, leaves, unaltered)
    _extend_tiles(frontier.size, leaves)
    frontier.extend(leaves)
    _sign(frontier, signing)
    return SealReport(len(rows), unaltered.count(False), missing, frontier.size)


def _trusted_frontier(signing: Signer) -> Frontier:
    """The tree to build upon, locked; refused when it is not the one that was signed and published last."""
    size, stored, origin = _locked_state(signing.name)
    if origin != signing.name:
        raise LedgerDamaged(f"The ledger is named {origin}, but the signing key signs for {signing.name}.")
    try:
        frontier = Frontier.from_bytes(size, stored)
    except ValueError as error:
        raise LedgerDamaged(f"The tree's state was altered: {error}.") from None
    try:
        newest = publishing.last_published()
    except OSError as error:
        raise RolledBack(
            f"The published checkpoints cannot be read ({error.strerror}), so a rollback could not be seen."
        ) from None
    publishing.refuse_other_history(newest)
    _require_signed(frontier, signing)
    return frontier


def _locked_state(name: str) -> tuple[int, bytes, str]:
    take = "select size, frontier, origin from audit_state where id = 1 for update"
    with connection.cursor() as cursor:
        cursor.execute(take)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "insert into audit_state (id, size, frontier, origin, epoch, published_size)"
                " values (1, 0, '', %s, 1, 0)",
                [name],
            )
            cursor.execute(take)
            row = cursor.fetchone()
    return row[0], bytes(row[1]), row[2] or name


def _require_signed(frontier: Frontier, signing: Signer) -> None:
    """The newest checkpoint must be of this very tree, under a signature of our own."""
    with connection.cursor() as cursor:
        cursor.execute("select note from audit_checkpoint order by size desc limit 1")
        row = cursor.fetchone()
    if row is None:
        if frontier.size:
            raise LedgerDamaged(f"{frontier.size} events are sealed, but no checkpoint is left.")
        return
    try:
        checkpoint = open_checkpoint(row[0], signing.vkeys, origin=signing.name)
    except (Malformed, NotSigned) as error:
        raise LedgerDamaged(f"The newest checkpoint is not ours: {error}.") from None
    if (checkpoint.size, checkpoint.root) != (frontier.size, frontier.root()):
        raise LedgerDamaged(f"The tree of {frontier.size} events is not the one that was signed last.")


def _waiting(limit: int) -> list[_Row]:
    found = quick_cursor().execute(
        "select p.seq, e.id, e.occurred_at, e.salt, e.body, e.mac from audit_pending p "
        "join audit_event e on e.id = p.event_id and e.occurred_at = p.occurred_at "
        "order by p.seq limit %s",
        [limit],
        binary=True,
    )
    return [_Row(*row) for row in found]


def _count_missing(up_to: int | None) -> int:
    """Queued events whose row is gone. They stay in the queue: their absence is the evidence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from audit_pending p where (%s::bigint is null or p.seq <= %s) and not exists "
            "(select from audit_event e where e.id = p.event_id and e.occurred_at = p.occurred_at)",
            [up_to, up_to],
        )
        return int(cursor.fetchone()[0])


def _dequeue(rows: Sequence[_Row]) -> None:
    # By their numbers, not up to a number: an earlier one may be committed only now, and not be among these.
    quick_cursor().execute("delete from audit_pending where seq = any(%s)", [[row.seq for row in rows]])


def _insert_leaves(start: int, rows: Sequence[_Row], leaves: list[bytes], unaltered: list[bool]) -> None:
    ids, times = [row.event_id for row in rows], [row.occurred_at for row in rows]
    quick_cursor().execute(
        "insert into audit_leaf (leaf_index, event_id, occurred_at, leaf_hash, mac_ok) "
        "select * from unnest(%b::bigint[], %b::uuid[], %b::timestamptz[], %b::bytea[], %b::bool[])",
        [list(range(start, start + len(rows))), ids, times, leaves, unaltered],
    )


def _extend_tiles(start: int, hashes: list[bytes]) -> None:
    """Write the tiles that these leaves reach, level by level; a full tile is one hash in the level above."""
    level = 0
    while hashes:
        first = start // WIDTH
        grown = _stored_tile(level, first, start % WIDTH) + b"".join(hashes)
        tiles = [grown[i : i + TILE_BYTES] for i in range(0, len(grown), TILE_BYTES)]
        _put_tiles(level, first, tiles)
        start, hashes = first, [tile_root(tile) for tile in tiles if len(tile) == TILE_BYTES]
        level += 1


def _stored_tile(level: int, index: int, width: int) -> bytes:
    if not width:
        return b""
    with connection.cursor() as cursor:
        cursor.execute("select hashes from audit_tile where level = %s and idx = %s", [level, index])
        row = cursor.fetchone()
    stored = bytes(row[0]) if row else b""
    if len(stored) != 32 * width:
        raise LedgerDamaged(f"Tile {level}/{index} should hold {width} hashes and holds {len(stored) // 32}.")
    return stored


def _put_tiles(level: int, first: int, tiles: list[bytes]) -> None:
    quick_cursor().execute(
        "insert into audit_tile (level, idx, hashes) "
        "select %s, %s + place - 1, hashes from unnest(%b::bytea[]) with ordinality as t(hashes, place) "
        "on conflict (level, idx) do update set hashes = excluded.hashes",
        [level, first, tiles],
    )


def _sign(frontier: Frontier, signing: Signer) -> None:
    root = frontier.root()
    note = signing.sign(Checkpoint(signing.name, frontier.size, root))
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into audit_checkpoint (size, root, note, at) values (%s, %s, %s, clock_timestamp())",
            [frontier.size, root, note],
        )
        cursor.execute(
            "update audit_state set size = %s, frontier = %s, origin = %s, sealed_at = clock_timestamp()"
            " where id = 1",
            [frontier.size, frontier.to_bytes(), signing.name],
        )
