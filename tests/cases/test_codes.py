"""Code lists: what is stored, what is shown."""

import pytest
from django.utils import translation

from cases import codes


def test_label_follows_the_active_language() -> None:
    with translation.override("zh-hans"):
        assert codes.label("CASE_CLASS", "confirmed") == "确诊病例"
    with translation.override("en"):
        assert codes.label("CASE_CLASS", "confirmed") == "Confirmed"


def test_choices_built_once_still_follow_the_language() -> None:
    pairs = dict(codes.choices("SEX"))
    with translation.override("zh-hans"):
        assert str(pairs["2"]) == "女"
    with translation.override("en"):
        assert str(pairs["2"]) == "Female"


def test_choices_keep_the_order_of_the_file() -> None:
    assert [value for value, _ in codes.choices("SEX")] == ["1", "2", "0", "9"]


@pytest.mark.parametrize("word", ["confirmed", "Confirmed", " CONFIRMED ", "确诊病例"])
def test_a_word_of_a_line_list_finds_its_code(word: str) -> None:
    assert codes.code_list("CASE_CLASS").find(word) == "confirmed"


def test_a_strange_word_finds_no_code() -> None:
    assert codes.code_list("CASE_CLASS").find("perhaps") is None


def test_unknown_list_is_named_in_the_error() -> None:
    with pytest.raises(codes.UnknownCodeList, match="NOPE"):
        codes.code_list("NOPE")


def test_every_code_fits_its_column_and_is_unique() -> None:
    for name in codes.names():
        values = codes.code_list(name).values
        assert len(values) == len(set(values))
        assert all(0 < len(value) <= 24 for value in values), name


def test_a_migration_keeps_the_list_name_and_no_labels() -> None:
    _, path, _, kwargs = codes.CodeField(codes="SEX", blank=True).deconstruct()
    assert path == "cases.codes.CodeField"
    assert kwargs["codes"] == "SEX"
    assert "choices" not in kwargs
