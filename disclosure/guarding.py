"""Cells that a spreadsheet program must read as words, never as a formula."""

from __future__ import annotations

import unicodedata

_STARTS_A_FORMULA = frozenset("=+-@＝＋－＠\t\r\n")
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def guarded(text: str) -> str:
    """The text with a leading apostrophe when a spreadsheet could take it for a formula.

    Spaces, control and format characters before the first visible character do not hide it.
    Source: OWASP, CSV Injection; the full-width signs are turned into ASCII ones by East Asian spreadsheets.
    """
    return f"'{text}" if _looks_like_a_formula(text) else text


def _looks_like_a_formula(text: str) -> bool:
    for sign in text:
        if sign in _STARTS_A_FORMULA:
            return True
        if unicodedata.category(sign) not in _INVISIBLE:
            return False
    return False
