"""Typed values: what is taken, what is refused, and what is said about it."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from cases import validation

GOOD = "11010519491231002X"


def demo_number(birth: str = "19920308", order: str = "001") -> str:
    first = f"990101{birth}{order}"
    return first + validation.check_digit(first)


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_the_standard_s_own_example_is_valid() -> None:
    found = validation.resident_number(GOOD)
    assert (found.birth_date, found.sex) == (date(1949, 12, 31), "2")


@pytest.mark.parametrize(
    "typed", [" 11010519491231002x ", "110105 19491231 002X", "\uff11\uff110105194912310\uff10\uff12\uff38"]
)
def test_full_width_and_spaces_are_understood(typed: str) -> None:
    assert validation.resident_number(typed).number == GOOD


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("110105194912310021", "check_digit"),
        ("11010519491231002", "shape"),
        ("1101051949123100AX", "shape"),
        ("110105491231002", "old"),
        ("11010519491331002X", "date"),
        ("11010520991231002X", "future"),
        ("11010518001231002X", "age"),
        ("00010519491231002X", "area"),
        ("17010519491231002X", "area"),
    ],
)
def test_wrong_numbers_say_what_is_wrong(number: str, code: str) -> None:
    assert code_of(validation.resident_number, number) == code


def test_every_single_wrong_digit_is_noticed() -> None:
    for place in range(6, 17):
        for digit in "0123456789":
            if digit != GOOD[place]:
                wrong = GOOD[:place] + digit + GOOD[place + 1 :]
                assert code_of(validation.resident_number, wrong) in {"check_digit", "date", "future", "age"}


def test_birth_date_and_sex_have_to_agree() -> None:
    assert code_of(validation.resident_number, GOOD, birth_date=date(1949, 12, 30)) == "birth_date"
    assert code_of(validation.resident_number, GOOD, sex="1") == "sex"
    assert validation.resident_number(GOOD, birth_date=date(1949, 12, 31), sex="2").number == GOOD
    assert validation.resident_number(GOOD, sex="9").number == GOOD


@pytest.mark.parametrize("area", ["810000", "820000", "830000", "911156"])
def test_residence_permits_are_taken(area: str) -> None:
    first = f"{area}19920308001"
    assert validation.resident_number(first + validation.check_digit(first)).sex == "1"


def test_demo_numbers_are_refused_in_earnest(settings) -> None:
    settings.EPICASE_DEMO = settings.EPICASE_ACCEPT_DEMO_NUMBERS = False
    assert code_of(validation.resident_number, demo_number()) == "area"
    assert code_of(validation.phone, "100-0000-1234") == "shape"


def test_demo_numbers_are_taken_in_a_demonstration(settings) -> None:
    settings.EPICASE_DEMO, settings.EPICASE_ACCEPT_DEMO_NUMBERS = True, False
    assert validation.resident_number(demo_number()).birth_date == date(1992, 3, 8)
    assert validation.phone("100-0000-1234") == "10000001234"


def test_no_message_repeats_the_value(settings) -> None:
    settings.LANGUAGE_CODE = "en"
    for call, value in (
        (validation.resident_number, "110105194912310021"),
        (validation.phone, "12345678901"),
    ):
        with pytest.raises(ValidationError) as caught:
            call(value)
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("13800138000", "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("\uff11\uff13800138000", "13800138000"),
        ("010-12345678", None),
        ("010-62345678", "010-62345678"),
        ("01062345678", "010-62345678"),
        ("0592-5123456", "0592-5123456"),
        ("(0592) 51234567", "0592-51234567"),
        ("010-62345678-123", "010-62345678-123"),
        ("+861062345678", "010-62345678"),
        ("+44 20 7946 0958", "+442079460958"),
        ("0044 20 7946 0958", "+442079460958"),
        ("+82 2-312-3456", "+8223123456"),
        ("12800138000", None),
        ("62345678", None),
        ("+86 12800138000", None),
        ("+999 123456", None),
        ("abc", None),
        ("", None),
    ],
)
def test_telephone_numbers(typed: str, stored: str | None) -> None:
    if stored is None:
        with pytest.raises(ValidationError):
            validation.phone(typed)
    else:
        assert validation.phone(typed) == stored


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [("01", GOOD.lower(), GOOD), ("03", "e12345678", "E12345678"), ("06", "H12345678(9)", "H12345678(9)")],
)
def test_documents_by_kind(kind: str, typed: str, stored: str) -> None:
    assert validation.document_number(kind, typed) == stored


@pytest.mark.parametrize(
    ("kind", "typed"), [("03", "ABCDEFGH"), ("03", "E1234567890"), ("06", "?"), ("01", "E12345678")]
)
def test_documents_that_cannot_be(kind: str, typed: str) -> None:
    assert code_of(validation.document_number, kind, typed)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("38.5", "38.5"),
        ("38,5℃", "38.5"),
        ("\uff13\uff18.5", "38.5"),
        ("101.3", "38.5"),
        ("39", "39.0"),
        ("30", "30.0"),
    ],
)
def test_temperatures(typed: str, value: str) -> None:
    assert validation.temperature(typed) == Decimal(value)


@pytest.mark.parametrize("typed", ["29.9", "45.1", "385", "warm", "", "nan", "inf"])
def test_impossible_temperatures(typed: str) -> None:
    assert code_of(validation.temperature, typed) in {"number", "range"}


@pytest.mark.parametrize(
    ("value", "unit", "fits"),
    [(130, "Y", True), (131, "Y", False), (24, "M", True), (32, "D", False), (-1, "Y", False)],
)
def test_ages(value: int, unit: str, fits: bool) -> None:
    if fits:
        assert validation.age(value, unit) == value
    else:
        assert code_of(validation.age, value, unit) == "range"


def test_text_is_trimmed_composed_and_limited() -> None:
    assert validation.plain_text("  Café ", 10) == "Café"
    assert code_of(validation.plain_text, "x" * 11, 10) == "long"
    assert code_of(validation.plain_text, "a\x00b", 10) == "control_characters"
    assert validation.plain_text("a\r\nb", 10, multiline=True) == "a\nb"


def test_birth_dates() -> None:
    today = date(2026, 11, 22)
    assert validation.birth_date(today, today=today) == today
    assert code_of(validation.birth_date, date(2026, 11, 23), today=today) == "future"
    assert validation.birth_date(date(1896, 11, 22), today=today)
    assert code_of(validation.birth_date, date(1895, 11, 22), today=today) == "age"
