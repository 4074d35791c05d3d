"""Canonical JSON: one spelling, and everything outside the profile refused."""

from __future__ import annotations

from typing import Any

import pytest
from epicase_verify import canonical
from epicase_verify.text import Malformed
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(VALUES)
def test_values_come_back_from_their_one_spelling(value: Any) -> None:
    assert canonical.decode(canonical.encode(value)) == value


def test_the_spelling_is_compact_sorted_and_not_escaped() -> None:
    assert canonical.encode({"b": [1, True, None], "a": "名\n"}) == '{"a":"名\\n","b":[1,true,null]}'.encode()


@pytest.mark.parametrize(
    "value", [1.0, 2**53, -(2**53), {"名": 1}, {1: 1}, b"x", {"a": {1.5}}, "\ud800", float("nan")]
)
def test_what_has_no_single_spelling_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        canonical.encode(value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b"1.0",
        b"1e2",
        b'"\\u0041"',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_other_spellings_are_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        canonical.decode(raw)
