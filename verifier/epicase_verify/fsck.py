"""Checks everything a bundle holds against checkpoints signed by keys the reader trusts."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from epicase_verify import canonical, journal, tiles
from epicase_verify.bundle import SALT_BYTES, Bundle, EventFile, Unusable, split_entries
from epicase_verify.merkle import BadProof, Frontier, leaf_hash
from epicase_verify.note import Checkpoint, NotSigned, VerificationKey, open_checkpoint
from epicase_verify.proof import InclusionProof
from epicase_verify.text import Malformed
from epicase_verify.tiles import WIDTH, Tile

MOST_PROBLEMS = 100


@dataclass
class Findings:
    """What a check found: problems in words, and how much was looked at."""

    checkpoint: Checkpoint | None = None
    problems: list[str] = field(default_factory=list)
    unsaid: int = 0
    checkpoints: int = 0
    leaves: int = 0
    bodies: int = 0
    events: int = 0

    def add(self, problem: str) -> None:
        """Note a problem; beyond the first hundred they are only counted."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.unsaid += 1

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems


def fsck(bundle: Bundle, keys: Sequence[VerificationKey], *, origin: str | None = None) -> Findings:
    """Check a bundle; raises Unusable when there is nothing in it that could be checked."""
    findings = Findings()
    marks = _checkpoints(bundle, keys, origin, findings)
    newest = findings.checkpoint
    events = [name for name in bundle.names if name.startswith("events/") and name.endswith(".json")]
    has_tree = any(name.startswith("tile/") for name in bundle.names)
    if not events and not has_tree:
        raise Unusable("the bundle holds neither tiles nor events")
    if newest is not None and has_tree:
        _check_tree(bundle, newest, marks, findings)
    for name in events:
        findings.events += 1
        try:
            found = _event_checkpoint(bundle, name, keys, origin)
        except (Malformed, NotSigned, BadProof, Unusable) as error:
            findings.add(f"{name}: {error}")
            continue
        if newest and found.size == newest.size and found.root != newest.root:
            findings.add(f"{name}: its proof is about another tree of {found.size} leaves")
    return findings


def _checkpoints(
    bundle: Bundle, keys: Sequence[VerificationKey], origin: str | None, findings: Findings
) -> dict[int, bytes]:
    """Roots by size, from every checkpoint whose signature holds."""
    marks: dict[int, bytes] = {}
    notes = [("checkpoint", bundle.read("checkpoint").decode(errors="replace"))]
    if "checkpoints" in bundle:
        for place, found in enumerate(journal.read(io.BytesIO(bundle.read("checkpoints"))), start=1):
            if found is None:
                findings.add(f"checkpoints: the note in place {place} cannot be read")
            else:
                notes.append((f"checkpoints, note {place}", found[1]))
    for name, note in notes:
        try:
            checkpoint = open_checkpoint(note, keys, origin=origin)
        except (Malformed, NotSigned) as error:
            findings.add(f"{name}: {error}")
            continue
        findings.checkpoints += 1
        if marks.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            findings.add(f"{name}: a second, different tree of {checkpoint.size} leaves was signed")
        if name == "checkpoint":
            findings.checkpoint = checkpoint
        elif findings.checkpoint and checkpoint.size > findings.checkpoint.size:
            findings.add(f"{name}: is larger than the newest checkpoint, the ledger was cut short")
    return marks


def _check_tree(bundle: Bundle, newest: Checkpoint, marks: dict[int, bytes], findings: Findings) -> None:
    frontier, above = Frontier(), _TilesAbove(bundle, findings)
    stops = sorted(size for size in marks if size <= newest.size)
    for tile in (one for one in tiles.tiles_of(newest.size) if one.level == 0):
        try:
            hashes = _leaves(bundle, tile, findings)
        except (Malformed, Unusable) as error:
            findings.add(f"{tile.path}: {error}")
            return
        start = frontier.size
        while stops and stops[0] <= start + len(hashes):
            frontier.extend(hashes[frontier.size - start : stops[0] - start])
            _compare(frontier, stops.pop(0), marks, findings)
        frontier.extend(hashes[frontier.size - start :])
        above.take(tile, hashes)
    findings.leaves = frontier.size
    if stops == [0]:
        _compare(frontier, 0, marks, findings)
    above.finish(newest.size)


def _compare(frontier: Frontier, size: int, marks: dict[int, bytes], findings: Findings) -> None:
    if frontier.root() != marks[size]:
        findings.add(f"the checkpoint of {size} leaves does not fit the leaves before it")


def _leaves(bundle: Bundle, tile: Tile, findings: Findings) -> list[bytes]:
    """Leaf hashes of one level-0 tile, from the tile, the entries, or both when they agree."""
    entries = Tile(-1, tile.index, tile.width)
    stored = tiles.split(bundle.read(tile.path)) if tile.path in bundle else None
    if entries.path not in bundle:
        if stored is None:
            raise Unusable("neither hashes nor entries are in the bundle")
        return _of_width(stored, tile)
    made = []
    for place, one in enumerate(split_entries(bundle.read(entries.path))):
        made.append(leaf_hash(one))
        findings.bodies += 1
        _check_body(one[SALT_BYTES:], f"entry {tile.index * WIDTH + place}", findings)
    for place, (here, there) in enumerate(zip(made, stored or made, strict=False)):
        if here != there:
            findings.add(
                f"entry {tile.index * WIDTH + place} was changed: its hash is not the one in the tile"
            )
    return _of_width(stored or made, tile)


def _of_width(hashes: list[bytes], tile: Tile) -> list[bytes]:
    if len(hashes) != tile.width:
        raise Malformed(f"{len(hashes)} hashes where there must be {tile.width}")
    return hashes


def _check_body(body: bytes, name: str, findings: Findings) -> None:
    try:
        canonical.decode(body)
    except Malformed as error:
        findings.add(f"{name}: {error}")


class _TilesAbove:
    """Compares the tiles above level 0 with what the level below them says."""

    def __init__(self, bundle: Bundle, findings: Findings) -> None:
        self._bundle, self._findings = bundle, findings
        self._rows: list[list[bytes]] = []
        self._full: list[int] = []

    def take(self, tile: Tile, hashes: list[bytes]) -> None:
        """Note the root of a full tile in the row above."""
        if len(hashes) == WIDTH:
            self._note(1, tiles.tile_root(b"".join(hashes)))

    def _note(self, level: int, root: bytes) -> None:
        while len(self._rows) < level:
            self._rows.append([])
            self._full.append(0)
        row = self._rows[level - 1]
        row.append(root)
        if len(row) == WIDTH:
            self._check(Tile(level, self._full[level - 1]), row)
            self._full[level - 1] += 1
            self._note(level + 1, tiles.tile_root(b"".join(row)))
            row.clear()

    def finish(self, size: int) -> None:
        """Compare the partial tiles, and name every tile that a tree of this size does not have."""
        for level, row in enumerate(self._rows, start=1):
            if row:
                self._check(Tile(level, self._full[level - 1], len(row)), row)
        for name in self._bundle.names:
            if name.startswith("tile/") and not _belongs(name, size):
                self._findings.add(f"{name}: a tree of {size} leaves has no such tile")

    def _check(self, tile: Tile, hashes: list[bytes]) -> None:
        if tile.path in self._bundle and self._bundle.read(tile.path) != b"".join(hashes):
            self._findings.add(f"{tile.path}: does not fit the tiles below it")


def _belongs(path: str, size: int) -> bool:
    try:
        tile = Tile.parse(path)
    except Malformed:
        return False
    hashes = size >> (tiles.HEIGHT * max(tile.level, 0))
    return tile.width == min(WIDTH, hashes - tile.index * WIDTH)


def _event_checkpoint(
    bundle: Bundle, name: str, keys: Sequence[VerificationKey], origin: str | None
) -> Checkpoint:
    """The checkpoint that a single event's proof leads to; raises what is wrong with either."""
    event = EventFile.parse(bundle.read(name))
    event.facts()
    proof = InclusionProof.parse(bundle.read(name.removesuffix(".json") + ".tlog-proof"))
    return proof.check(event.leaf, keys, origin=origin)


def describe(findings: Findings) -> Iterator[str]:
    """The findings in lines for a person."""
    checkpoint = findings.checkpoint
    if checkpoint is not None:
        yield f"checkpoint  {checkpoint.origin}, {checkpoint.size} events"
    looked = (findings.checkpoints, findings.leaves, findings.bodies, findings.events)
    yield "looked at   {} checkpoints, {} leaves, {} bodies, {} single events".format(*looked)
    for problem in findings.problems:
        yield f"problem     {problem}"
    if findings.unsaid:
        yield f"problem     and {findings.unsaid} more"
    yield (
        "whole       nothing was changed"
        if findings.is_whole
        else "TAMPERED    the ledger and its proofs disagree"
    )
