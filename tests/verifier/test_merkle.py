"""The tree: against RFC 6962's definition, the published vectors, and every kind of damage."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from epicase_verify import merkle
from epicase_verify.merkle import BadProof, Frontier
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier import vectors

LEAVES = [merkle.leaf_hash(str(n).encode()) for n in range(300)]
NO_VECTORS = "no test vectors: set EPICASE_SHARED to the folder that holds data/vectors/rfc6962"


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def node(level: int, index: int) -> bytes:
    return mth(LEAVES[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 255, 256, 257])
def test_frontier_gives_the_root_of_the_definition(size: int) -> None:
    assert merkle.root_of(LEAVES[:size]) == mth(LEAVES[:size])


@given(st.integers(0, 300), st.integers(0, 300))
def test_frontier_survives_being_stored(first: int, second: int) -> None:
    first, second = sorted((first, second))
    frontier = Frontier()
    frontier.extend(LEAVES[:first])
    again = Frontier.from_bytes(first, frontier.to_bytes())
    again.extend(LEAVES[first:second])
    assert (again.size, again.root()) == (second, mth(LEAVES[:second]))


def test_a_stored_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="peaks"):
        Frontier.from_bytes(3, LEAVES[0])
    with pytest.raises(ValueError, match="32-byte"):
        Frontier.from_bytes(1, LEAVES[0][:31])


def test_a_leaf_that_is_no_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().append(b"short")


def test_every_leaf_of_every_small_tree_is_included() -> None:
    for size in range(1, 40):
        root = mth(LEAVES[:size])
        for index in range(size):
            proof = merkle.prove_inclusion(index, size, node)
            merkle.check_inclusion(index, size, LEAVES[index], proof, root)


def test_every_small_tree_is_consistent_with_its_beginnings() -> None:
    for new in range(1, 40):
        for old in range(1, new + 1):
            proof = merkle.prove_consistency(old, new, node)
            merkle.check_consistency(old, new, mth(LEAVES[:old]), mth(LEAVES[:new]), proof)


def test_proofs_are_refused_for_leaves_and_trees_that_are_not_there() -> None:
    for index, size in ((-1, 4), (4, 4), (0, 0)):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.prove_inclusion(index, size, node)
    for old, new in ((0, 4), (5, 4)):
        with pytest.raises(ValueError, match="no consistency proof"):
            merkle.prove_consistency(old, new, node)


def test_an_empty_tree_shows_nothing() -> None:
    with pytest.raises(BadProof):
        merkle.check_consistency(0, 4, merkle.EMPTY_ROOT, mth(LEAVES[:4]), [])
    with pytest.raises(BadProof):
        merkle.check_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])


@settings(max_examples=60)
@given(st.data())
def test_no_damaged_inclusion_proof_holds(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    root, proof = mth(LEAVES[:size]), merkle.prove_inclusion(index, size, node)
    bit = data.draw(st.integers(0, len(proof) * 256 - 1))
    for bad in (flipped(proof, bit), proof[:-1], [*proof, LEAVES[0]], [proof[0][:31], *proof[1:]]):
        with pytest.raises(BadProof):
            merkle.check_inclusion(index, size, LEAVES[index], bad, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
    with pytest.raises(BadProof):
        merkle.check_inclusion(other, size, LEAVES[index], proof, root)


@settings(max_examples=60)
@given(st.data())
def test_no_damaged_consistency_proof_holds(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 300))
    old = data.draw(st.integers(1, new - 1))
    roots = mth(LEAVES[:old]), mth(LEAVES[:new])
    proof = merkle.prove_consistency(old, new, node)
    bit = data.draw(st.integers(0, len(proof) * 256 - 1))
    for bad in (flipped(proof, bit), proof[:-1], [*proof, LEAVES[0]], [proof[0] + b"x", *proof[1:]]):
        with pytest.raises(BadProof):
            merkle.check_consistency(old, new, *roots, bad)
    with pytest.raises(BadProof):
        merkle.check_consistency(old, new, roots[1], roots[0], proof)


def test_a_hash_of_another_length_cannot_hide_in_an_inclusion_proof() -> None:
    # 33 + 31 bytes hash to the same node as 32 + 32.
    pair = LEAVES[0] + LEAVES[1]
    root = merkle.node_hash(LEAVES[0], LEAVES[1])
    assert merkle.node_hash(pair[:33], pair[33:]) == root
    with pytest.raises(BadProof, match="32 bytes"):
        merkle.check_inclusion(0, 2, pair[:33], [pair[33:]], root)


def flipped(proof: list[bytes], bit: int) -> list[bytes]:
    which, place = divmod(bit, 256)
    damaged = bytearray(proof[which])
    damaged[place // 8] ^= 1 << place % 8
    return [*proof[:which], bytes(damaged), *proof[which + 1 :]]


def test_the_published_vectors_are_here() -> None:
    if vectors.folder() is None:
        pytest.skip(NO_VECTORS)
    assert len(vectors.load("inclusion")) > 90
    assert len(vectors.load("consistency")) > 90


@pytest.mark.parametrize(("name", "case"), vectors.load("inclusion"))
def test_published_inclusion_vector(name: str, case: dict[str, Any]) -> None:
    proof = [vectors.raw(one) for one in case["proof"] or []]
    leaf, root = vectors.raw(case["leafHash"]), vectors.raw(case["root"])

    def check() -> None:
        merkle.check_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, root)

    expect(check, fails=case["wantErr"])


@pytest.mark.parametrize(("name", "case"), vectors.load("consistency"))
def test_published_consistency_vector(name: str, case: dict[str, Any]) -> None:
    proof = [vectors.raw(one) for one in case["proof"] or []]
    roots = vectors.raw(case["root1"]), vectors.raw(case["root2"])
    expect(
        lambda: merkle.check_consistency(case["size1"], case["size2"], *roots, proof), fails=case["wantErr"]
    )


def expect(check: Any, *, fails: bool) -> None:
    if not fails:
        check()
        return
    with pytest.raises(BadProof):
        check()
