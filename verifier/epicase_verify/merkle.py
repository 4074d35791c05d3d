"""The Merkle tree of RFC 9162 (the same as RFC 6962): hashes, a compact frontier, proofs and their checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Node = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree at (level, index); level 0 are the leaves."""


class BadProof(Exception):
    """The proof, or what it speaks about, does not hold."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node over its two children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The peaks of a growing tree: all that is needed to append to it and to know its root."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has not {len(self.peaks)} peaks")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError("a peak is not 32 bytes")

    @classmethod
    def from_bytes(cls, size: int, stored: bytes) -> Frontier:
        """The frontier whose peaks, largest subtree first, were written one after another."""
        if len(stored) % HASH_BYTES:
            raise ValueError("a frontier is a whole number of 32-byte hashes")
        return cls(size, (stored[i : i + HASH_BYTES] for i in range(0, len(stored), HASH_BYTES)))

    def to_bytes(self) -> bytes:
        """The peaks one after another, largest subtree first."""
        return b"".join(self.peaks)

    def copy(self) -> Frontier:
        """An independent frontier of the same tree."""
        return Frontier(self.size, self.peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in their order."""
        size, peaks, digest_of = self.size, self.peaks, sha256
        for leaf in leaves:
            if len(leaf) != HASH_BYTES:
                raise ValueError("a leaf hash is not 32 bytes")
            carried, rest = leaf, size
            while rest & 1:
                carried = digest_of(b"\x01" + peaks.pop() + carried).digest()
                rest >>= 1
            peaks.append(carried)
            size += 1
        self.size = size

    def append_perfect(self, root: bytes, height: int) -> None:
        """Add 2**height leaves at once by the root over them, where such a subtree begins."""
        if self.size & ((1 << height) - 1) or len(root) != HASH_BYTES:
            raise ValueError("a perfect subtree is added where one begins")
        carried, rest = root, self.size >> height
        while rest & 1:
            carried = node_hash(self.peaks.pop(), carried)
            rest >>= 1
        self.peaks.append(carried)
        self.size += 1 << height

    def root(self) -> bytes:
        """Root of the tree as it is now."""
        if not self.peaks:
            return EMPTY_ROOT
        carried = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            carried = node_hash(peak, carried)
        return carried


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def perfect_root(hashes: bytes) -> bytes:
    """Root over 1, 2, 4, 8… leaf hashes that stand one after another."""
    count = len(hashes) // HASH_BYTES
    if not count or count & (count - 1) or len(hashes) % HASH_BYTES:
        raise ValueError("a perfect tree has 1, 2, 4, 8… leaves")
    while len(hashes) > HASH_BYTES:
        pairs = range(0, len(hashes), 2 * HASH_BYTES)
        hashes = b"".join([sha256(b"\x01" + hashes[i : i + 64]).digest() for i in pairs])
    return hashes


def node_from_leaves(leaves: Sequence[bytes]) -> Node:
    """A node reader over leaf hashes in memory."""

    def node(level: int, index: int) -> bytes:
        return root_of(leaves[index << level : (index + 1) << level])

    return node


# Building proofs -----------------------------------------------------------------------------------


def prove_inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Sibling hashes from the leaf to below the root, for leaf `index` in the tree of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    return _path(index, 0, size, node)


def prove_consistency(old: int, new: int, node: Node) -> list[bytes]:
    """Hashes that show the tree of `old` leaves to be the beginning of the tree of `new` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}")
    return [] if old == new else _subproof(old, 0, new, node, is_whole=True)


def _path(index: int, start: int, end: int, node: Node) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, node), _subtree(middle, end, node)]
    return [*_path(index, middle, end, node), _subtree(start, middle, node)]


def _subproof(old: int, start: int, end: int, node: Node, *, is_whole: bool) -> list[bytes]:
    if old == end:
        return [] if is_whole else [_subtree(start, end, node)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, node, is_whole=is_whole), _subtree(middle, end, node)]
    return [*_subproof(old, middle, end, node, is_whole=False), _subtree(start, middle, node)]


def _subtree(start: int, end: int, node: Node) -> bytes:
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(_subtree(start, middle, node), _subtree(middle, end, node))


def _split(size: int) -> int:
    """Largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


# Checking proofs (RFC 9162, 2.1.3.2 and 2.1.4.2) ---------------------------------------------------


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise BadProof unless `leaf` is leaf `index` of the tree of `size` leaves with this root."""
    if not 0 <= index < size:
        raise BadProof(f"there is no leaf {index} in a tree of {size} leaves")
    _require_hashes((leaf, root, *proof))
    if _climb(index, size, leaf, iter(proof)) != root:
        raise BadProof(f"leaf {index} does not lead to the root of the tree of {size} leaves")


def _climb(index: int, size: int, leaf: bytes, proof: Iterator[bytes]) -> bytes:
    carried, place, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            raise BadProof("the proof is longer than the tree is high")
        if place & 1 or place == last:
            carried = node_hash(sibling, carried)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            carried = node_hash(carried, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise BadProof("the proof is shorter than the tree is high")
    return carried


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise BadProof unless the tree of `old` leaves is the beginning of the tree of `new` leaves.

    An empty tree is the beginning of every tree, so size 0 proves nothing and is refused.
    """
    if not 0 < old <= new:
        raise BadProof(f"nothing can be shown between trees of {old} and {new} leaves")
    _require_hashes(proof)
    if old == new:
        if proof or old_root != new_root:
            raise BadProof(f"two different trees of {old} leaves")
        return
    _require_hashes((old_root, new_root))
    if _grow(old, new, old_root, proof) != (old_root, new_root):
        raise BadProof(f"the tree of {old} leaves is not the beginning of the tree of {new} leaves")


def _grow(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    steps = iter(proof if old & (old - 1) else (old_root, *proof))
    first = next(steps, None)
    if first is None:
        raise BadProof("the proof is empty")
    before = after = first
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    for step in steps:
        if last == 0:
            raise BadProof("the proof is longer than the tree is high")
        if place & 1 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    if last:
        raise BadProof("the proof is shorter than the tree is high")
    return before, after


def _require_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise BadProof("a hash is not 32 bytes")
