"""Masks show enough to tell records apart in a conversation, and nothing about length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault import masks

EXAMPLES = [
    (masks.name, "张伟", "张**"),
    (masks.name, "张小明", "张**"),
    (masks.name, "欧阳娜娜", "欧阳**"),
    (masks.name, "欧阳修", "欧阳**"),
    (masks.name, "司马", "司**"),
    (masks.name, "諸葛孔明", "諸葛**"),
    (masks.name, "John Smith", "J*** S***"),
    (masks.name, "Maria del Carmen Lopez", "M*** L***"),
    (masks.name, "Madonna", "M***"),
    (masks.name, " ", "***"),
    (masks.phone, "13812341234", "138****1234"),
    (masks.phone, "+86 138-1234-1234", "138****1234"),
    (masks.phone, "0086 138 1234 1234", "138****1234"),
    (masks.phone, "0755-2345678", "****5678"),
    (masks.phone, "+44 20 7946 0958", "****0958"),
    (masks.phone, "12345", "****"),
    (masks.phone, "none", "****"),
    (masks.id_last2, "44030119840301123x", "****************3X"),
    (masks.id_last2, "440301840301123", "****************23"),
    (masks.id_last2, "E12345678", "****************78"),
    (masks.id_last2, "X1", "******************"),
    (masks.address_street, "深圳市福田区福华路12号3栋401", "深圳市福田区福华路***"),
    (masks.address_street, "梅林街道梅都社区4栋", "梅林街道***"),
    (masks.address_street, "4栋401", "***"),
    (masks.address_street, "12b Rose Lane, Leeds", "*** Rose Lane"),
    (masks.address_street, "Flat 3", "***"),
    (masks.year_only, "1984-03-01", "1984-**-**"),
    (masks.year_only, "2024-05-01T08:00:00+00:00", "2024-**-**"),
    (masks.year_only, "someday", "***"),
    (masks.redact, "anything", "***"),
    (masks.text_hidden, "anything", "******"),
    (masks.place_kind, "hotel", "***"),
]


@pytest.mark.parametrize(("mask", "text", "shown"), EXAMPLES)
def test_examples(mask: masks.Callable[[str], str], text: str, shown: str) -> None:
    assert mask(text) == shown


@given(st.text())
def test_no_mask_fails_or_shows_a_whole_long_text(text: str) -> None:
    for mask in masks.MASKS.values():
        shown = mask(text)
        assert isinstance(shown, str)
        assert "*" in shown


@given(st.text("张王李赵欧阳小明娜", min_size=3, max_size=12))
def test_the_mask_of_a_name_has_one_of_two_lengths(text: str) -> None:
    assert len(masks.name(text)) in (3, 4)
    assert len(masks.id_last2(text)) == 18
