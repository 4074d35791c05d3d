"""UUID version 7 (RFC 9562, section 5.7): event ids that sort by their time."""

import secrets
import time
from uuid import UUID

_SUB_MILLISECOND_STEPS = 4096


def uuid7(nanoseconds: int | None = None) -> UUID:
    """A new id for the moment given (now, by default), with 1/4096 ms of time and 62 random bits."""
    now = time.time_ns() if nanoseconds is None else nanoseconds
    milliseconds, rest = divmod(now, 1_000_000)
    fraction = rest * _SUB_MILLISECOND_STEPS // 1_000_000
    high = (milliseconds & (2**48 - 1)) << 16 | 0x7000 | fraction
    low = 0b10 << 62 | secrets.randbits(62)
    return UUID(int=high << 64 | low)
