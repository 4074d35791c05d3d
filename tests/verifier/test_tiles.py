"""Tiles: paths as published, and every node of a tree readable through them."""

from __future__ import annotations

import pytest
from epicase_verify import merkle, tiles
from epicase_verify.text import Malformed
from epicase_verify.tiles import Tile, TileReader
from hypothesis import given, settings
from hypothesis import strategies as st

SIZE = 256 * 256 + 700
LEAVES = [merkle.leaf_hash(n.to_bytes(4, "big")) for n in range(SIZE)]


def make(size: int) -> dict[Tile, bytes]:
    made: dict[Tile, bytes] = {}
    row, level = LEAVES[:size], 0
    while row:
        for start in range(0, len(row), 256):
            part = row[start : start + 256]
            made[Tile(level, start // 256, len(part))] = b"".join(part)
        full = [row[i : i + 256] for i in range(0, len(row) - 255, 256)]
        row, level = [merkle.root_of(part) for part in full], level + 1
    return made


TILES = make(SIZE)


def test_tiles_of_seventy_thousand_leaves_are_those_of_the_specification() -> None:
    found = list(tiles.tiles_of(70_000))
    assert len(found) == 273 + 1 + 1 + 1 + 1
    assert [one for one in found if one.width != 256] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles.tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles.tiles_of(SIZE)) == sorted(TILES)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(1, 0, 17), "tile/1/000.p/17"),
        (Tile(-1, 5, 3), "tile/entries/005.p/3"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/x000/001",
        "tile/64/000",
        "tile/00/000",
        "tile/0/1",
        "tile/0/000.p/256",
        "tile/0/../000",
        "x/0/000",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(Malformed):
        Tile.parse(path)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, SIZE - 1), st.integers(1, SIZE - 1))
def test_proofs_are_built_from_tiles(index: int, old: int) -> None:
    root = merkle.root_of(LEAVES)
    reader = TileReader(SIZE, TILES.__getitem__)
    merkle.check_inclusion(index, SIZE, LEAVES[index], merkle.prove_inclusion(index, SIZE, reader.node), root)
    proof = merkle.prove_consistency(old, SIZE, reader.node)
    merkle.check_consistency(old, SIZE, merkle.root_of(LEAVES[:old]), root, proof)


def test_a_short_tile_and_a_node_beyond_the_tree_are_refused() -> None:
    with pytest.raises(Malformed):
        TileReader(300, lambda tile: LEAVES[0]).node(0, 5)
    with pytest.raises(ValueError, match="no whole subtree"):
        TileReader(300, TILES.__getitem__).node(0, 300)
    with pytest.raises(Malformed):
        tiles.tile_root(LEAVES[0])
