"""Checks of typed values: numbers of documents and telephones, lengths, temperatures, text.

Each function gives the value in its one stored form or raises ValidationError; the message says what is wrong
and which change helps, and never repeats the value.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from vault.normalise import clean_text, too_long

OLDEST_AGE = 130
DEMO_AREA = "99"
DEMO_PHONE = re.compile(r"1000000\d{4}")
MOBILE = re.compile(r"1[3-9]\d{9}")
LANDLINE = re.compile(r"(010|02\d|0[3-9]\d{2})-?([2-9]\d{6,7})(?:-(\d{1,6}))?")
PASSPORT = re.compile(r"[A-Z0-9]{5,9}")
OTHER_DOCUMENT = re.compile(r"[A-Z0-9()/-]{3,32}")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"

# GB/T 2260 provinces and the residence permits of Hong Kong, Macao and Taiwan (81-83).
# County codes are not listed: merged and renamed counties stay valid on old cards.
_PROVINCES = """
    11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83
"""
PROVINCES = frozenset(_PROVINCES.split())
RESIDENT_KINDS = frozenset({"01", "02", "10", "11"})

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = Decimal("30.0"), Decimal("45.0")


@dataclass(frozen=True)
class ResidentNumber:
    """What an identity number of GB 11643 says by itself."""

    number: str
    birth_date: date
    sex: str


def accepts_demo_numbers() -> bool:
    """May invented numbers (area 99xxxx, 100-0000-xxxx) be entered? Only in a demonstration or a test."""
    return bool(
        getattr(settings, "EPICASE_DEMO", False) or getattr(settings, "EPICASE_ACCEPT_DEMO_NUMBERS", False)
    )


def narrow(text: str) -> str:
    """The text in half-width figures and letters, without spaces at its ends (NFKC)."""
    return unicodedata.normalize("NFKC", text).strip()


def resident_number(text: str, *, birth_date: date | None = None, sex: str = "") -> ResidentNumber:
    """The 18 characters of GB 11643-1999, checked against birth date and sex if these are known.

    The 17th digit is odd for men and even for women; sex codes other than 1 and 2 are not compared.
    """
    number = narrow(text).replace(" ", "").upper()
    _check_shape(number)
    born = _birth_date_in(number)
    if check_digit(number[:17]) != number[17]:
        raise _error(
            "check_digit", _("The check digit does not fit. Compare the number with the card again.")
        )
    sex_said = "1" if int(number[16]) % 2 else "2"
    if birth_date is not None and birth_date != born:
        raise _error(
            "birth_date", _("The number says another birth date. Correct the number or the birth date.")
        )
    if sex in ("1", "2") and sex != sex_said:
        raise _error("sex", _("The number says another sex. Correct the number or the sex."))
    return ResidentNumber(number, born, sex_said)


def check_digit(first17: str) -> str:
    """The 18th character that belongs to 17 digits (GB 11643-1999: ISO 7064 MOD 11-2)."""
    return CHECK_DIGITS[sum(int(d) * w for d, w in zip(first17, WEIGHTS, strict=True)) % 11]


def _check_shape(number: str) -> None:
    if re.fullmatch(r"\d{15}", number):
        raise _error(
            "old", _("A 15-digit number is out of use. Enter the 18 characters of the present card.")
        )
    if not re.fullmatch(r"\d{17}[\dX]", number):
        raise _error(
            "shape", _("An ID number has 18 characters: 17 digits and a digit or X. Count them again.")
        )
    known = number[:2] in PROVINCES or (number[0] == "9" and not number.startswith(DEMO_AREA))
    if not known and not (number.startswith(DEMO_AREA) and accepts_demo_numbers()):
        raise _error("area", _("The first six digits name no place. Compare them with the card again."))


def _birth_date_in(number: str) -> date:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise _error("date", _("Digits 7 to 14 are no date. Compare them with the card again.")) from None
    return birth_date(born)


def birth_date(born: date, *, today: date | None = None) -> date:
    """A birth date that a living person can have: not in the future, at most 130 years ago."""
    today = today or timezone.localdate()
    if born > today:
        raise _error("future", _("The birth date lies in the future. Check year, month and day."))
    if age_on(today, born) > OLDEST_AGE:
        raise _error("age", _("The person would be over 130 years old. Check the year of birth."))
    return born


def age_on(day: date, born: date) -> int:
    """Completed years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def document_number(kind: str, text: str, *, birth_date: date | None = None, sex: str = "") -> str:
    """The number of an identity document of a kind (list ID_KIND) in its stored form."""
    if kind in RESIDENT_KINDS:
        return resident_number(text, birth_date=birth_date, sex=sex).number
    if kind == "03":
        return passport(text)
    number = narrow(text).replace(" ", "").upper()
    if not OTHER_DOCUMENT.fullmatch(number):
        raise _error(
            "shape", _("A document number has 3 to 32 letters and digits. Copy it from the document.")
        )
    return number


def passport(text: str) -> str:
    """A passport number: 5 to 9 letters and digits (ICAO Doc 9303 keeps 9 places for it)."""
    number = narrow(text).replace(" ", "").upper()
    if not PASSPORT.fullmatch(number) or not any(c.isdigit() for c in number):
        raise _error(
            "shape",
            _("A passport number has 5 to 9 letters and digits. Copy it from the page with the photo."),
        )
    return number


def phone(text: str) -> str:
    """A number in its stored form: 11 digits, `0xx-xxxxxxxx` for a landline, `+…` (E.164) from abroad."""
    number = re.sub(r"[\s().]", "", re.sub(r"[‐-―−]", "-", narrow(text)))
    home = re.sub(r"^(\+|00)86-?", "", number)
    digits = home.replace("-", "")
    if MOBILE.fullmatch(digits) or (DEMO_PHONE.fullmatch(digits) and accepts_demo_numbers()):
        return digits
    landline = LANDLINE.fullmatch(home if home.startswith("0") or home == number else f"0{home}")
    if landline:
        return "-".join(part for part in landline.groups() if part)
    if home == number and number.startswith(("+", "00")):
        return _abroad(number)
    raise _error(
        "shape",
        _("Enter 11 digits of a mobile, a landline with area code (010-12345678), or + and country code."),
    )


def _abroad(number: str) -> str:
    try:
        parsed = phonenumbers.parse(re.sub(r"^00", "+", number), None)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        raise _error(
            "abroad", _("This is no complete number of that country. Check the country code and the digits.")
        )
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def plain_text(text: str, limit: int, *, multiline: bool = False) -> str:
    """The text cleaned and at most `limit` characters long; control characters are refused."""
    cleaned = clean_text(text, multiline=multiline)
    if len(cleaned) > limit:
        raise too_long(len(cleaned) - limit)
    return cleaned


def temperature(text: str) -> Decimal:
    """A body temperature in degrees Celsius to one decimal; Fahrenheit (over 80) is converted."""
    try:
        value = Decimal(narrow(text).rstrip("°℃CFcf ").replace(",", "."))
    except InvalidOperation:
        raise _error("number", _("Enter a temperature such as 38.5.")) from None
    if value.is_finite() and 80 < value < 115:
        value = (value - 32) * 5 / 9
    if not value.is_finite() or not LOWEST_TEMPERATURE <= value <= HIGHEST_TEMPERATURE:
        raise _error("range", _("A body temperature lies between 30.0 and 45.0 °C. Check the figure."))
    return value.quantize(Decimal("0.1"))


def age(value: int, unit: str = "Y") -> int:
    """An age in years, months or days that a person can have."""
    highest = {"Y": OLDEST_AGE, "M": 24, "D": 31}.get(unit, OLDEST_AGE)
    if not 0 <= value <= highest:
        raise _error("range", _("The age does not fit its unit: up to 130 years, 24 months or 31 days."))
    return value


def _error(code: str, message: str) -> ValidationError:
    return ValidationError(message, code=code)
