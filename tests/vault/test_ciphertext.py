"""One value: what opens it, and what does not."""

import copy
import os
import pickle
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vault import suites
from vault.ciphertext import MINIMUM, Context, DataKey, associated_data, open_, seal
from vault.classes import RECORD_CLASSES, DataClass
from vault.errors import (
    CiphertextError,
    MalformedCiphertext,
    NotAuthentic,
    PlainTextRefused,
    UnknownGeneration,
    UnknownSuite,
    UnknownVersion,
)
from vault.padding import pad, padded_length, unpad

HERE = Context(DataClass.IDENTITY, "case.full_name", UUID(int=1), UUID(int=2))
KEY = DataKey(suites.AES, 1, os.urandom(32))
labels = st.text("abc._", min_size=1, max_size=300)
contexts = st.builds(Context, st.sampled_from(DataClass), labels, st.uuids(), st.uuids())


@given(st.binary(max_size=3000), contexts)
@example(b"\x80\0\0", HERE)
@example(b"\0" * 32, HERE)
def test_what_was_sealed_opens_in_its_place(plain: bytes, context: Context) -> None:
    assert open_(KEY, seal(KEY, plain, context), context) == plain


@given(contexts, contexts, st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4))
def test_no_two_contexts_have_the_same_associated_data(
    one: Context, other: Context, head: bytes, tail: bytes
) -> None:
    same = (one, head) == (other, tail)
    assert (associated_data(head, one) == associated_data(tail, other)) == same


@given(contexts)
def test_nothing_opens_anywhere_else(other: Context) -> None:
    if other != HERE:
        with pytest.raises(NotAuthentic):
            open_(KEY, seal(KEY, b"x", HERE), other)


@pytest.mark.parametrize(
    "other",
    [
        HERE._replace(data_class=DataClass.REACH),
        HERE._replace(label="case.alias"),
        HERE._replace(scope_id=UUID(int=3)),
        HERE._replace(row_id=UUID(int=3)),
        HERE._replace(scope_id=HERE.row_id, row_id=HERE.scope_id),
    ],
    ids=["class", "column", "scope", "row", "scope and row exchanged"],
)
def test_one_different_part_is_enough_to_refuse(other: Context) -> None:
    blob = seal(KEY, b"x", HERE)
    assert open_(KEY, blob, HERE) == b"x"
    with pytest.raises(NotAuthentic):
        open_(KEY, blob, other)


def test_every_flipped_bit_and_every_other_length_is_refused() -> None:
    blob = seal(KEY, "张小明".encode(), HERE)
    variants = [blob[:n] for n in range(len(blob))] + [blob + b"\0", b"", os.urandom(len(blob))]
    for bit in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        variants.append(bytes(flipped))
    for variant in variants:
        with pytest.raises(CiphertextError):
            open_(KEY, variant, HERE)


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (0, 2, UnknownVersion),
        (0, 0, UnknownVersion),
        (1, 2, UnknownSuite),
        (1, 3, UnknownSuite),
        (2, 1, UnknownGeneration),
        (3, 2, UnknownGeneration),
        (3, 0, UnknownGeneration),
    ],
)
def test_a_wrong_header_says_what_is_wrong(place: int, value: int, error: type[CiphertextError]) -> None:
    blob = bytearray(seal(KEY, b"x", HERE))
    blob[place] = value
    with pytest.raises(error):
        open_(KEY, bytes(blob), HERE)


def test_a_nonce_or_tag_of_another_value_is_refused() -> None:
    one, other = seal(KEY, b"x", HERE), seal(KEY, b"x", HERE)
    for mixed in (one[:4] + other[4:16] + one[16:], one[:-16] + other[-16:]):
        with pytest.raises(NotAuthentic):
            open_(KEY, mixed, HERE)


def test_a_key_of_the_same_generation_but_another_scope_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        open_(DataKey(suites.AES, 1, os.urandom(32)), seal(KEY, b"x", HERE), HERE)


@pytest.mark.parametrize("foreign", [b"", b"Zhang", b"gAAAAABl" + b"A" * 80, b"\x01\x01\0\x01" + b"x" * 28])
def test_what_somebody_wrote_into_the_column_is_no_sealed_value(foreign: bytes) -> None:
    with pytest.raises(CiphertextError):
        open_(KEY, foreign, HERE)


def test_the_shortest_possible_value_is_stated() -> None:
    with pytest.raises(MalformedCiphertext):
        open_(KEY, seal(KEY, b"", HERE)[: MINIMUM - 1], HERE)


def test_errors_tell_the_label_and_the_row_and_no_more() -> None:
    blob = seal(KEY, b"Geheim", HERE)
    with pytest.raises(CiphertextError) as caught:
        open_(KEY, blob[:-1] + bytes([blob[-1] ^ 1]), HERE)
    assert "case.full_name" in str(caught.value)
    assert str(HERE.row_id) in str(caught.value)
    assert caught.value.__context__ is None
    assert "Geheim" not in repr(caught.value)


def test_a_million_nonces_would_differ_as_a_hundred_thousand_do() -> None:
    count = 100_000
    assert len({seal(KEY, b"", HERE)[4:16] for _ in range(count)}) == count


def test_a_key_shows_nothing_and_travels_nowhere() -> None:
    assert "DataKey" in repr(KEY)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(PlainTextRefused):
            way(KEY)


@given(st.binary(max_size=5000), st.sampled_from(DataClass))
def test_padding_comes_off_as_it_went_on(plain: bytes, data_class: DataClass) -> None:
    padded = pad(plain, data_class)
    assert unpad(padded) == plain
    assert len(padded) > len(plain)


def test_names_of_two_three_and_four_characters_are_equally_long() -> None:
    lengths = {
        len(pad(name.encode(), DataClass.IDENTITY)) for name in ("", "张明", "张小明", "欧阳小明", "x" * 31)
    }
    assert lengths == {32}
    assert {len(pad(b"x" * n, DataClass.HEALTH)) for n in range(16)} == {16}


def test_long_texts_keep_at_most_an_eighth_of_padding_and_few_lengths() -> None:
    lengths = {padded_length(n, 16) for n in range(1025, 5000)}
    assert len(lengths) < 40
    assert all(n <= padded_length(n, 16) <= n * 1.13 for n in range(1025, 5000))


def test_what_is_not_padding_is_refused() -> None:
    assert unpad(b"") is None
    assert unpad(b"abc") is None
    assert unpad(b"\0\0") is None


def test_class_codes_are_frozen() -> None:
    assert {str(one): one.code for one in DataClass} == {
        "identity": 1,
        "reach": 2,
        "health": 3,
        "trajectory": 4,
        "system": 9,
    }
    assert [one.code for one in RECORD_CLASSES] == [1, 2, 3, 4]
    assert all(DataClass.from_code(one.code) is one for one in DataClass)
