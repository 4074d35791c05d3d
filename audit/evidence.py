"""What the ledger can show of its own wholeness: its state, the newest checkpoint, a proof for an event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone
from epicase_verify.bundle import EventFile
from epicase_verify.merkle import prove_consistency, prove_inclusion
from epicase_verify.proof import InclusionProof, format_hashes
from epicase_verify.tiles import Tile, TileReader

from audit import canonical, search
from audit.acts import Act
from audit.models import Checkpoint, TreeState

COUNTED_AT_MOST = 10_000
LATE_SECONDS = 60


class NotSealedYet(LookupError):
    """The event has no leaf, or no checkpoint covers it yet; it will have within seconds."""


@dataclass(frozen=True)
class Integrity:
    """The ledger's state, as the strip on every page of it says it."""

    sealed: int
    waiting: int
    waits_since: datetime | None
    checkpoint: Checkpoint | None
    checked_at: datetime | None = None
    was_whole: bool | None = None

    @property
    def is_late(self) -> bool:
        """Whether events have been waiting for more than a minute."""
        return (
            self.waits_since is not None
            and (timezone.now() - self.waits_since).total_seconds() > LATE_SECONDS
        )

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look: the last check failed, or sealing has stopped."""
        return self.was_whole is False or self.is_late

    @property
    def root(self) -> str:
        """The newest root in hexadecimal, its middle left out."""
        whole = bytes(self.checkpoint.root).hex() if self.checkpoint else ""
        return f"{whole[:4]} {whole[4:8]} … {whole[-4:]}" if whole else ""


def integrity() -> Integrity:
    """The present state; counts of waiting events stop at 10,000."""
    state = TreeState.objects.filter(pk=1).first()
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), min(occurred_at) from"
            " (select occurred_at from audit_pending order by seq limit %s) waiting",
            [COUNTED_AT_MOST],
        )
        waiting, since = cursor.fetchone()
    checked_at, was_whole = _last_check()
    return Integrity(state.size if state else 0, waiting, since, newest_checkpoint(), checked_at, was_whole)


def newest_checkpoint() -> Checkpoint | None:
    """The checkpoint of the largest tree that was signed."""
    return Checkpoint.objects.order_by("-size").first()


def inclusion_proof(event_id: UUID) -> str:
    """A c2sp.org/tlog-proof file: the event stands in the newest checkpoint's tree. Raises NotSealedYet."""
    line, checkpoint = search.event(event_id), newest_checkpoint()
    if line is None or line.leaf_index is None or checkpoint is None or line.leaf_index >= checkpoint.size:
        raise NotSealedYet(str(event_id))
    hashes = prove_inclusion(line.leaf_index, checkpoint.size, TileReader(checkpoint.size, _tile).node)
    return InclusionProof(line.leaf_index, tuple(hashes), checkpoint.note).format()


class NoSuchCheckpoint(LookupError):
    """No checkpoint of this size was signed, so nobody can hold it."""


def checkpoint_of(size: int) -> Checkpoint:
    """The checkpoint of the tree of that many leaves. Raises NoSuchCheckpoint."""
    found = Checkpoint.objects.filter(size=size).order_by("-at").first()
    if found is None:
        raise NoSuchCheckpoint(str(size))
    return found


def consistency_proof(old: int, new: int) -> str:
    """Hash lines: the tree of `new` leaves begins with the tree of `old`, which is not larger. Raises NotSealedYet."""
    return format_hashes(prove_consistency(old, new, TileReader(new, _tile).node))


def event_file(event_id: UUID) -> bytes | None:
    """An event as it is given away beside its proof: salt, body, touched records; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("select occurred_at, salt, body from audit_event where id = %s", [event_id])
        row = cursor.fetchone()
    if row is None:
        return None
    touches = tuple(sorted(canonical.touch_pair(*touch) for touch in search.touched(event_id, row[0])))
    return EventFile(bytes(row[1]), bytes(row[2]), touches).format()


def _tile(wanted: Tile) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(
            "select hashes from audit_tile where level = %s and idx = %s", [wanted.level, wanted.index]
        )
        row = cursor.fetchone()
    if row is None:
        raise NotSealedYet(wanted.path)
    return bytes(row[0])


def _last_check() -> tuple[datetime | None, bool | None]:
    found = search.events(search.Filters(acts=(Act.AUDIT_VERIFY,)), size=1).lines
    return (found[0].occurred_at, found[0].body["outcome"] == 0) if found else (None, None)
