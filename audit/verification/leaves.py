"""The hashes of the leaves, stretch by stretch, compared with the tiles that hold them again."""

from typing import Any

from epicase_verify.merkle import HASH_BYTES
from epicase_verify.tiles import WIDTH

from audit.rows import quick_cursor
from audit.verification.report import VerifyReport

STEP = 16 * WIDTH
TILE_BYTES = WIDTH * HASH_BYTES


def leaf_hashes(start: int, end: int, report: VerifyReport) -> bytes:
    """Leaf hashes of a stretch, one after another, compared with its tiles, which fill the gaps."""
    first, last = start // WIDTH, -(-end // WIDTH)
    tiles = quick_cursor().execute(
        "select idx, hashes from audit_tile where level = 0 and idx >= %s and idx < %s",
        [first, last],
        binary=True,
    )
    leaves = quick_cursor().execute(
        "select leaf_index / 256, string_agg(leaf_hash, '' order by leaf_index),"
        " array_agg(leaf_index order by leaf_index),"
        " array_agg(leaf_index order by leaf_index) filter (where not mac_ok)"
        " from audit_leaf where leaf_index >= %s and leaf_index < %s group by 1",
        [start, end],
        binary=True,
    )
    stored = {index: bytes(hashes) for index, hashes in tiles}
    found = {row[0]: row[1:] for row in leaves}
    return b"".join(
        _one_tile(index, stored.get(index, b""), found.get(index), min(WIDTH, end - index * WIDTH), report)
        for index in range(first, last)
    )


def _one_tile(index: int, stored: bytes, row: Any, width: int, report: VerifyReport) -> bytes:
    leaves, places, altered = row or (b"", [], None)
    tile, leaves = stored[: width * HASH_BYTES], bytes(leaves)
    for at in altered or []:
        report.add("altered", at)
    first = index * WIDTH
    if len(places) == width and len(leaves) == width * HASH_BYTES:
        if tile != leaves:
            report.add("tile", first, f"tile 0/{index}")
        return leaves
    return _patched(first, width, tile, dict(zip(places, cut(leaves, HASH_BYTES), strict=False)), report)


def _patched(first: int, width: int, tile: bytes, leaves: dict[int, bytes], report: VerifyReport) -> bytes:
    whole = []
    for place in range(width):
        leaf = leaves.get(first + place)
        if leaf is None:
            report.add("leaf_missing", first + place)
            leaf = tile[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        whole.append(leaf if len(leaf) == HASH_BYTES else bytes(HASH_BYTES))
    return b"".join(whole)


def cut(whole: bytes, length: int) -> list[bytes]:
    return [whole[i : i + length] for i in range(0, len(whole), length)]
