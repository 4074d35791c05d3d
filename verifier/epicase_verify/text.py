"""Strict readings of the small texts that notes and proofs are made of."""

from __future__ import annotations

import base64
import binascii
import re

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class Malformed(Exception):
    """The text is not in the form it must have."""


def read_base64(text: str) -> bytes:
    """Bytes of standard base64, in its one canonical spelling."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Malformed("not base64") from error
    if write_base64(decoded) != text:
        raise Malformed("base64 in an unusual spelling")
    return decoded


def write_base64(value: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(value).decode("ascii")


def read_number(text: str) -> int:
    """A whole number from 0, in ASCII digits without leading zeroes."""
    if not _NUMBER.fullmatch(text):
        raise Malformed("not a plain decimal number")
    return int(text)


def read_hash(text: str) -> bytes:
    """A 32-byte hash in base64."""
    value = read_base64(text)
    if len(value) != 32:
        raise Malformed("a hash is not 32 bytes")
    return value


def read_utf8(raw: bytes) -> str:
    """Text without control characters other than the newline."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error
    if any(character < " " and character != "\n" for character in text):
        raise Malformed("a control character")
    return text
