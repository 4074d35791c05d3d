"""The tree over the leaves: its roots against what was signed and published, its upper tiles against the lower."""

import heapq
from collections.abc import Sequence

from django.db import connection
from epicase_verify.merkle import HASH_BYTES, Frontier, perfect_root
from epicase_verify.note import VerificationKey
from epicase_verify.tiles import HEIGHT as TILE_HEIGHT
from epicase_verify.tiles import WIDTH

from audit.verification.bodies import check_bodies
from audit.verification.checkpoints import Mark, published_marks, signed
from audit.verification.leaves import STEP, TILE_BYTES, cut, leaf_hashes
from audit.verification.report import MOST_OF_A_KIND, VerifyReport


def check_leaves(report: VerifyReport, bodies_from: int, keys: Sequence[VerificationKey]) -> Frontier:
    frontier = Frontier()
    row: list[bytes] = []
    marks = heapq.merge(signed(report, keys), published_marks(report), key=lambda mark: mark.size)
    mark = next(marks, None)
    for start in range(0, report.size, STEP):
        end = min(start + STEP, report.size)
        hashes = leaf_hashes(start, end, report)
        if end > bodies_from:
            check_bodies(max(start, bodies_from), start, hashes, report)
        tiles = cut(hashes, TILE_BYTES)
        roots = [perfect_root(tile) for tile in tiles if len(tile) == TILE_BYTES]
        row += roots
        while mark and mark.size <= end:
            _grow(frontier, mark.size, tiles, roots)
            if frontier.root() != mark.root:
                report.add("root", mark.size)
            mark = next(marks, None)
        _grow(frontier, end, tiles, roots)
    _check_what_lies_beyond(report, [mark, *marks] if mark else [], _check_tiles_above(b"".join(row), report))
    return frontier


def _check_what_lies_beyond(report: VerifyReport, marks: list[Mark], tiles: list[tuple[int, int]]) -> None:
    """Report what is of a larger tree than the one in the database, which may have grown while we looked."""
    with connection.cursor() as cursor:
        cursor.execute("select size from audit_state where id = 1")
        row = cursor.fetchone()
    size = row[0] if row else 0
    for mark in marks:
        if mark.size > size:
            report.add("cut_short", mark.size)
    for level, index in tiles:
        if index * WIDTH >= size >> (TILE_HEIGHT * level):
            report.add("tile", None, f"tile {level}/{index}, which the tree does not have")


def _grow(frontier: Frontier, size: int, tiles: list[bytes], roots: list[bytes]) -> None:
    """Grow the tree to `size` leaves from the tiles of the present stretch."""
    while frontier.size < size:
        index, place = divmod(frontier.size % STEP, WIDTH)
        count = min(size - frontier.size, WIDTH - place)
        if count == WIDTH:
            frontier.append_perfect(roots[index], TILE_HEIGHT)
        else:
            frontier.extend(cut(tiles[index], HASH_BYTES)[place : place + count])


def _check_tiles_above(row: bytes, report: VerifyReport) -> list[tuple[int, int]]:
    """Compare the tiles above level 0 with those below; gives level and index of tiles of a larger tree."""
    level, beyond = 1, [(0, index) for index in _tiles_beyond(report.size)]
    while row:
        stored = _tiles_of_level(level)
        tiles = cut(row, TILE_BYTES)
        for index, tile in enumerate(tiles):
            # The last tile may have grown since we began.
            if stored.pop(index, b"")[: len(tile)] != tile:
                report.add("tile", None, f"tile {level}/{index}")
        beyond += [(level, index) for index in stored]
        row = b"".join(perfect_root(tile) for tile in tiles if len(tile) == TILE_BYTES)
        level += 1
    return beyond


def _tiles_beyond(size: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select idx from audit_tile where level = 0 and idx >= %s limit %s",
            [-(-size // WIDTH), MOST_OF_A_KIND],
        )
        return [index for (index,) in cursor.fetchall()]


def _tiles_of_level(level: int) -> dict[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("select idx, hashes from audit_tile where level = %s", [level])
        return {index: bytes(hashes) for index, hashes in cursor.fetchall()}
