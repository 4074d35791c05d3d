"""A trace code survives three wrong or six unreadable characters, and never turns into another one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import trace_codes
from audit.trace_codes import ALPHABET, LENGTH, NotATraceCode

NUMBERS = st.integers(0, 2**50 - 1)


def damaged(code: str, places: list[int], characters: list[str]) -> str:
    letters = list(code.replace("-", ""))
    for place, character in zip(places, characters, strict=False):
        letters[place] = character
    return "".join(letters)


@given(NUMBERS)
def test_a_code_is_read_as_written(number: int) -> None:
    code = trace_codes.encode(number)
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    assert trace_codes.decode(code) == trace_codes.Reading(code)


@given(NUMBERS, st.lists(st.integers(0, LENGTH - 1), max_size=3, unique=True), st.data())
def test_three_wrong_characters_are_repaired(number: int, places: list[int], data: st.DataObject) -> None:
    code = trace_codes.encode(number)
    wrong = [data.draw(st.sampled_from(ALPHABET)) for _ in places]
    reading = trace_codes.decode(damaged(code, places, wrong))
    assert reading.code == code
    assert set(reading.repaired) <= set(places)


@given(NUMBERS, st.lists(st.integers(0, LENGTH - 1), max_size=6, unique=True))
def test_six_unreadable_characters_are_repaired(number: int, places: list[int]) -> None:
    code = trace_codes.encode(number)
    reading = trace_codes.decode(damaged(code, places, ["?"] * len(places)))
    assert reading.code == code
    assert set(reading.repaired) == set(places)


@given(
    NUMBERS,
    st.integers(0, LENGTH - 1),
    st.lists(st.integers(0, LENGTH - 1), min_size=4, max_size=4, unique=True),
)
def test_one_wrong_and_four_unreadable(number: int, wrong: int, gaps: list[int]) -> None:
    code = trace_codes.encode(number)
    text = damaged(code, [wrong], ["Z"])
    assert trace_codes.decode(damaged(text, gaps, ["?"] * 4)).code == code


@given(NUMBERS)
def test_look_alikes_and_small_letters_are_read(number: int) -> None:
    code = trace_codes.encode(number)
    assert trace_codes.decode(code.lower().replace("0", "o").replace("1", "l").replace("-", " ")).code == code


@pytest.mark.parametrize("text", ["", "7QK4", "????-????-????-????", "7QK4-M2XD-9???-????", "ABCD" * 5])
def test_too_little_is_refused(text: str) -> None:
    with pytest.raises(NotATraceCode):
        trace_codes.decode(text)


def test_no_two_codes_are_alike_in_a_while() -> None:
    assert len({trace_codes.new() for _ in range(2000)}) == 2000


def test_a_number_must_fit() -> None:
    with pytest.raises(ValueError, match="50 bits"):
        trace_codes.encode(2**50)
