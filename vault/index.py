"""Keyed tokens of values, for equality without opening: import source ids, audit subjects, search terms.

The key is the provider's `index` root key, separated by label. Door for blind indexes: truncated tokens,
planners and `find()` build on the same derivation.
"""

from vault import providers

TOKEN_BYTES = 16


def token(label: str, value: str) -> bytes:
    """16 bytes, equal for equal values under one label; they say nothing without the index key."""
    return tokens(label, [value])[0]


def tokens(label: str, values: list[str]) -> list[bytes]:
    """The tokens of many values under one label."""
    provider, name = providers.configured(), label.encode()
    info = b"epicase/index/1" + len(name).to_bytes(2, "big") + name
    framed = [_frame(value.encode()) for value in values]
    return [mac[:TOKEN_BYTES] for mac in provider.mac(provider.current(providers.INDEX), info, framed)]


def _frame(value: bytes) -> bytes:
    """Kind 1 (a whole value) and its length, so that tokens of other kinds can never coincide."""
    return b"\x01" + len(value).to_bytes(4, "big") + value
