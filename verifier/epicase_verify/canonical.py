"""Canonical JSON: one value, one spelling, so that a hash of the bytes is a hash of the value.

ASCII keys in order, strings, whole numbers below 2**53, lists, booleans, null; no fractions. Within this
profile the spelling is that of RFC 8785.
"""

from __future__ import annotations

import json
from typing import Any

from epicase_verify.text import Malformed

LARGEST = 2**53


def encode(value: Any) -> bytes:
    """Canonical bytes of the value; raises Malformed for what the profile leaves out."""
    _require(value)
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()
    except UnicodeEncodeError as error:
        raise Malformed("half of a surrogate pair in a string") from error


def decode(raw: bytes) -> Any:
    """The value of canonical bytes; raises Malformed when they are not the canonical spelling."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if encode(value) != raw:
        raise Malformed("JSON, but not in its canonical spelling")
    return value


def _require(value: Any) -> None:
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return
    if kind is int:
        if not -LARGEST < value < LARGEST:
            raise Malformed("a number of 2**53 or more")
    elif kind is dict:
        for key, inner in value.items():
            if type(key) is not str or not key.isascii():
                raise Malformed("a key that is not ASCII text")
            _require(inner)
    elif kind is list or kind is tuple:
        for inner in value:
            _require(inner)
    else:
        raise Malformed(f"a value of type {kind.__name__}")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a key that stands twice")
    return found
