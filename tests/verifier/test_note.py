"""Signed notes and checkpoints: the published example, round trips, and refusals."""

from __future__ import annotations

import pytest
from epicase_verify import note
from epicase_verify.note import Checkpoint, Note, NotSigned, SigningKey, VerificationKey
from epicase_verify.text import Malformed, read_base64, read_number
from hypothesis import given
from hypothesis import strategies as st

KEY = SigningKey("ledger.example/one", bytes(range(32)))
OTHER = SigningKey("ledger.example/two", bytes(range(1, 33)))
POINT = Checkpoint("ledger.example/one", 7, bytes(32))
# The vector of golang.org/x/mod/sumdb/note, which c2sp.org/signed-note names as its origin.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_note_verifies() -> None:
    key = VerificationKey.parse(PETER)
    assert note.verify(Note.parse(PETER_NOTE), [key]) == [key]
    assert key.format() == PETER


def test_a_checkpoint_comes_back_from_its_note() -> None:
    signed = note.sign_checkpoint(POINT, KEY)
    assert note.open_checkpoint(signed, [KEY.vkey]) == POINT
    assert Note.parse(signed).format() == signed


def test_two_signatures_let_a_key_be_replaced() -> None:
    signed = note.sign_checkpoint(POINT, KEY, OTHER)
    assert note.open_checkpoint(signed, [OTHER.vkey], origin=POINT.origin) == POINT
    assert note.open_checkpoint(signed, [KEY.vkey]) == POINT


def test_a_note_by_a_stranger_is_refused() -> None:
    with pytest.raises(NotSigned, match="none of the keys"):
        note.open_checkpoint(note.sign_checkpoint(POINT, OTHER), [KEY.vkey])


def test_a_known_key_with_a_wrong_signature_refuses_the_whole_note() -> None:
    good = Note.parse(note.sign_checkpoint(POINT, KEY, OTHER))
    bad = note.Signature(KEY.name, KEY.vkey.key_id, bytes(64))
    with pytest.raises(NotSigned, match="wrong"):
        note.verify(Note(good.text, (bad, good.signatures[1])), [KEY.vkey, OTHER.vkey])


def test_a_checkpoint_of_another_ledger_is_refused() -> None:
    stranger = Checkpoint("ledger.example/two", 7, bytes(32))
    with pytest.raises(NotSigned, match="is of"):
        note.open_checkpoint(note.sign_checkpoint(stranger, KEY), [KEY.vkey])


def test_no_byte_of_a_checkpoint_note_can_be_changed() -> None:
    raw = note.sign_checkpoint(POINT, KEY).encode()
    for place in range(len(raw)):
        for change in (0x01, 0x20, 0x80):
            bad = raw[:place] + bytes([raw[place] ^ change]) + raw[place + 1 :]
            with pytest.raises((Malformed, NotSigned)):
                note.open_checkpoint(bad, [KEY.vkey])
        with pytest.raises((Malformed, NotSigned)):
            note.open_checkpoint(raw[:place], [KEY.vkey])


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n01\nA\n",
        "\n1\nA\n",
        "o\n1\nAAAA\n",
        f"o\n-1\n{'A' * 43}=\n",
        f"o\n1\n{'A' * 43}=\nmore\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "raw", ["", "text\n", "text\n\n", "text\n\nno dash\n", "text\n\n— a b\n", "a\tb\n\n— a AAAAAAAA\n"]
)
def test_a_text_that_is_no_note_is_refused(raw: str) -> None:
    with pytest.raises(Malformed):
        Note.parse(raw)


def test_sixteen_signatures_are_accepted_and_a_thousand_are_not() -> None:
    line = note.sign_checkpoint(POINT, KEY).splitlines(keepends=True)[-1]
    assert len(Note.parse("text\n\n" + line * 16).signatures) == 16
    with pytest.raises(Malformed, match="too many"):
        Note.parse("text\n\n" + line * 1000)


@given(st.binary(min_size=32, max_size=32))
def test_keys_come_back_from_their_text(seed: bytes) -> None:
    key = SigningKey("a.example", seed)
    assert SigningKey.parse(key.format()) == key
    assert VerificationKey.parse(key.vkey.format()) == key.vkey
    assert seed.hex() not in repr(key)


def test_a_key_whose_id_does_not_fit_is_refused() -> None:
    name, key_id, rest = KEY.vkey.format().split("+", 2)
    with pytest.raises(Malformed, match="id"):
        VerificationKey.parse(f"{name}x+{key_id}+{rest}")


@pytest.mark.parametrize("text", ["AA=", "AB==", "A A=", "AA==\n", "ＡA=="])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(Malformed):
        read_base64(text)


@pytest.mark.parametrize("text", ["", "01", "+1", "１", "1_0", " 1"])
def test_numbers_have_one_spelling(text: str) -> None:
    with pytest.raises(Malformed):
        read_number(text)
