"""A cell never starts a formula, whatever a person typed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure.guarding import guarded

DANGEROUS = "=+-@＝＋－＠\t\r\n"
HIDDEN = " \u00a0\u3000\x00\x07\x1f\x7f\u200b\u2028\ufeff"


@given(st.text(HIDDEN, max_size=4), st.sampled_from(DANGEROUS), st.text(max_size=20))
def test_text_that_could_start_a_formula_gets_an_apostrophe(before: str, sign: str, after: str) -> None:
    text = before + sign + after
    assert guarded(text) == "'" + text


@given(st.text(max_size=30))
def test_guarded_text_is_the_text_or_the_text_after_an_apostrophe(text: str) -> None:
    assert guarded(text) in (text, "'" + text)


@given(st.text(max_size=30))
def test_first_visible_sign_of_a_guarded_text_starts_no_formula(text: str) -> None:
    hidden = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    visible = [s for s in guarded(text) if unicodedata.category(s) not in hidden or s in "\t\r\n"]
    assert not visible or visible[0] not in DANGEROUS


@given(st.text(max_size=30))
def test_guarding_twice_changes_nothing(text: str) -> None:
    assert guarded(guarded(text)) == guarded(text)


@pytest.mark.parametrize("text", ["", "张三", "O'Neil", "2026-11-22", "a=1", "1+1", "（备注）", "  好 -"])
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text
