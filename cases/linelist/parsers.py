"""Turns one cell into a value, or refuses it with a reason's code. An empty cell gives None."""

import re
from collections.abc import Callable, Mapping
from datetime import date

from cases.linelist.problems import Refused

Value = str | int | date | None
Parser = Callable[[str], Value]

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?")
BLANKS = frozenset({"", "NA", "N/A", "na", "NULL", "null", "-"})


def text(longest: int) -> Parser:
    """Text of at most this many characters."""

    def parse(cell: str) -> str | None:
        if len(cell) > longest:
            raise Refused("too_long")
        return None if cell in BLANKS else cell

    return parse


def day(cell: str) -> date | None:
    """A calendar day: 2015-05-20, 2015/5/20 or 2015年5月20日."""
    if cell in BLANKS:
        return None
    match = _DATE.fullmatch(cell)
    if match is None:
        raise Refused("not_a_date")
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        raise Refused("not_a_date") from None


def whole_number(lowest: int, highest: int) -> Parser:
    """A whole number, both ends included."""

    def parse(cell: str) -> int | None:
        if cell in BLANKS:
            return None
        if not re.fullmatch(r"[+-]?\d{1,9}", cell, re.ASCII):
            raise Refused("not_a_number")
        if not lowest <= int(cell) <= highest:
            raise Refused("out_of_range")
        return int(cell)

    return parse


def word(codes: Mapping[str, str]) -> Parser:
    """One of the words of the source, given as our code; case does not matter."""
    known = {name.casefold(): code for name, code in codes.items()}

    def parse(cell: str) -> str | None:
        if cell in BLANKS:
            return None
        if cell.casefold() not in known:
            raise Refused("unknown_code")
        return known[cell.casefold()]

    return parse
