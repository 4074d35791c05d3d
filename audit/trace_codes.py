"""Trace codes: 50 random bits that survive a bad photograph.

16 characters of Crockford's base 32, in groups of four: ten carry the id, six are a Reed-Solomon check over
GF(32) (x^5 + x^2 + 1), so three wrong or six unreadable characters (`?`), or a mixture, are repaired.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from reedsolo import ReedSolomonError, RSCodec

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH, PAYLOAD, CHECK = 16, 10, 6
UNREADABLE = "?"
_VALUES = {character: value for value, character in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_codec = RSCodec(nsym=CHECK, nsize=31, c_exp=5, prim=0x25, fcr=1)
# The codec keeps its tables in module globals.
_lock = Lock()


class NotATraceCode(ValueError):
    """The text is not a trace code, or too damaged to repair."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A code as it was issued, and which of its 16 characters (from 0) had to be repaired."""

    code: str
    repaired: tuple[int, ...] = ()


def new() -> str:
    """A fresh code, like 7QK4-M2XD-9HTB-3WVE."""
    return encode(secrets.randbits(50))


def encode(number: int) -> str:
    """The code of a 50-bit number."""
    if not 0 <= number < 2**50:
        raise ValueError("a trace code carries 50 bits")
    symbols = [number >> 5 * place & 31 for place in reversed(range(PAYLOAD))]
    with _lock:
        whole = _codec.encode(bytearray(symbols))
    return _grouped(whole)


def decode(text: str) -> Reading:
    """The code behind what could be read of it; spaces and hyphens do not count. Raises NotATraceCode."""
    characters = [c for c in text.upper() if c not in "- \t\u00a0\u3000"]
    if len(characters) != LENGTH:
        raise NotATraceCode("a trace code has 16 characters")
    gaps = [place for place, character in enumerate(characters) if character not in _VALUES]
    received = [_VALUES.get(character, 0) for character in characters]
    try:
        with _lock:
            _, whole, _ = _codec.decode(bytearray(received), erase_pos=gaps or None)
    except (ReedSolomonError, ZeroDivisionError, IndexError) as error:
        raise NotATraceCode("too damaged to repair") from error
    return _reading(whole, received, gaps)


def _reading(whole: Sequence[int], received: Sequence[int], gaps: Sequence[int]) -> Reading:
    repaired = [place for place in range(LENGTH) if whole[place] != received[place] or place in gaps]
    wrong = len(repaired) - len(gaps)
    # The decoder is asked for no more than it can promise.
    if max(whole) > 31 or 2 * wrong + len(gaps) > CHECK or encode(_number(whole)) != _grouped(whole):
        raise NotATraceCode("too damaged to repair")
    return Reading(_grouped(whole), tuple(repaired))


def _number(symbols: Sequence[int]) -> int:
    number = 0
    for symbol in symbols[:PAYLOAD]:
        number = number << 5 | symbol
    return number


def _grouped(symbols: Sequence[int]) -> str:
    text = "".join(ALPHABET[symbol] for symbol in symbols)
    return "-".join(text[start : start + 4] for start in range(0, LENGTH, 4))
