"""Passphrases that can be read aloud: no sign that looks or sounds like another one on paper."""

from __future__ import annotations

import secrets

# Crockford's base 32 in lower case: no i, l, o or u.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, GROUP_LENGTH = 4, 5


def new_passphrase() -> str:
    """A fresh passphrase of 100 random bits: four groups of five signs, ASCII, parted by hyphens."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
