"""Cleaning what people type, without changing what they meant.

Door: the versioned normal forms of telephone numbers, identity numbers and names that blind indexes need.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Invisible characters: zero-width, word joiner and invisible operators, byte order mark, bidirectional
# overrides, language tags. They make equal-looking values differ and can carry a hidden mark.
_INVISIBLE = {
    code: None
    for first, last in (
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x2069),
        (0xFEFF, 0xFEFF),
        (0xE0000, 0xE007F),
    )
    for code in range(first, last + 1)
}

_LONG_NUMBER = re.compile(r"(?:\d[ -]?){7,}")


def refuse_long_numbers(text: str) -> None:
    """Numbers of phones and documents have no place in words that many people read."""
    if _LONG_NUMBER.search(text):
        raise ValidationError(
            _("Leave out phone and document numbers: this text is read by others and is not encrypted.")
        )


def control_characters() -> ValidationError:
    return ValidationError(_("Remove the control characters from this text."), code="control_characters")


def too_long(over: int) -> ValidationError:
    return ValidationError(
        _("The text is %(over)d characters too long. Shorten it."), code="long", params={"over": over}
    )


def too_short(least: int) -> ValidationError:
    return ValidationError(_("Write at least %(least)d characters."), code="short", params={"least": least})


def clean_text(value: str, *, multiline: bool = False) -> str:
    """The text composed (NFC), trimmed, without invisible characters; control characters are refused."""
    text = unicodedata.normalize("NFC", value).translate(_INVISIBLE)
    if multiline:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    allowed = "\n\t" if multiline else ""
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed for letter in text.strip()):
        raise control_characters()
    return text.strip()


def refuse_control_characters(value: str) -> None:
    """A validator: raises for what `clean_text` refuses."""
    clean_text(value)
