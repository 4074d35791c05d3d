"""Tiles of 256 hashes: c2sp.org/tlog-tiles paths, and reading any node of the tree from them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from epicase_verify.merkle import HASH_BYTES, node_hash, perfect_root
from epicase_verify.text import Malformed

WIDTH = 256
HEIGHT = 8
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, order=True)
class Tile:
    """One tile: `width` hashes at `level`, the `index`-th of its level. Level -1 holds the entries."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where the tile lies below the log's address."""
        level = "entries" if self.level < 0 else str(self.level)
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(groups)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """The tile a path names; raises Malformed."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise Malformed(f"not a tile path: {path}")
        level = -1 if match[1] == "entries" else int(match[1])
        index = int(re.sub("[x/]", "", match[2]))
        found = cls(level, index, int(match[3] or WIDTH))
        if level > 63 or found.path != path:
            raise Malformed(f"not a tile path: {path}")
        return found


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles of a tree of `size` leaves, level by level, the partial one last in each level."""
    level, hashes = 0, size
    while hashes:
        full, rest = divmod(hashes, WIDTH)
        yield from (Tile(level, index) for index in range(full))
        if rest:
            yield Tile(level, full, rest)
        level, hashes = level + 1, full


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile; raises Malformed unless it is 1 to 256 whole hashes."""
    if not tile or len(tile) % HASH_BYTES or len(tile) > WIDTH * HASH_BYTES:
        raise Malformed("a tile is 1 to 256 hashes of 32 bytes")
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


def tile_root(tile: bytes) -> bytes:
    """Root over a full tile, which is one hash of the level above."""
    if len(tile) != WIDTH * HASH_BYTES:
        raise Malformed("only a full tile has a place in the level above")
    return perfect_root(tile)


class TileReader:
    """Reads the hash of any perfect subtree of a tree through its tiles, a few of which it remembers."""

    def __init__(self, size: int, fetch: Callable[[Tile], bytes], *, remembered: int = 512) -> None:
        self._size, self._fetch, self._remembered = size, fetch, remembered
        self._seen: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def node(self, level: int, index: int) -> bytes:
        """Hash at (level, index), level 0 being the leaves."""
        if (index + 1) << level > self._size:
            raise ValueError(f"no whole subtree {level}/{index} in a tree of {self._size}")
        tile_level, below = divmod(level, HEIGHT)
        first = index << below
        hashes = self._hashes(tile_level, first // WIDTH)[first % WIDTH :][: 1 << below]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
        return hashes[0]

    def _hashes(self, level: int, index: int) -> list[bytes]:
        place = (level, index)
        if place not in self._seen:
            width = min(WIDTH, (self._size >> (HEIGHT * level)) - index * WIDTH)
            hashes = split(self._fetch(Tile(level, index, width)))[:width]
            if len(hashes) != width:
                raise Malformed(f"tile {level}/{index} is shorter than the tree")
            self._seen[place] = hashes
            if len(self._seen) > self._remembered:
                self._seen.popitem(last=False)
        return self._seen[place]
