"""Padding, so that a ciphertext's length says little: ISO 7816-4 up to a class's step, PADMÉ above 1 KB."""

from vault.classes import DataClass

# Two-, three- and four-character names, and any telephone number, must look alike.
_STEPS = {DataClass.IDENTITY.code: 32, DataClass.REACH.code: 32}
_STEP_ELSE = 16
_LONG = 1024


def pad(plain: bytes, data_class: DataClass) -> bytes:
    """The plain bytes, one 0x80, and zeros up to the padded length."""
    marked = plain + b"\x80"
    return marked.ljust(padded_length(len(marked), _STEPS.get(data_class.code, _STEP_ELSE)), b"\0")


def unpad(padded: bytes) -> bytes | None:
    """What was padded, or None when this is no padding."""
    stripped = padded.rstrip(b"\0")
    return stripped[:-1] if stripped.endswith(b"\x80") else None


def padded_length(length: int, step: int) -> int:
    """The next multiple of `step`; above 1 KB the next PADMÉ length (at most 12 % more).

    Source: Nikitin et al., Reducing Metadata Leakage from Encrypted Files and Communication with PURBs, 2019.
    """
    if length <= _LONG:
        return -(-length // step) * step
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (length + mask) & ~mask
