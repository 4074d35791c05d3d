"""Opens what the vault sealed, written from the format's description alone: no import of epicase, no Django.

Root key file -> epoch key -> data key -> value. Run it with a vectors file to see the plain values.
"""

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CODES = {"identity": 1, "reach": 2, "health": 3, "trajectory": 4, "system": 9}
Facts = dict[str, Any]


def root_key(keyring: Facts, purpose: str, version: int) -> bytes:
    assert keyring["format"] == "epicase-keyring/1"
    return base64.b64decode(keyring["keys"][purpose]["versions"][str(version)])


def open_epoch(keyring: Facts, row: Facts) -> bytes:
    """nonce[12] ciphertext[32] tag[16] under the root key of the class."""
    blob = bytes.fromhex(row["wrapped"])
    aad = b"epicase/epoch/1" + bytes([CODES[row["class"]]])
    aad += row["epoch"].to_bytes(4, "big") + row["root_version"].to_bytes(4, "big")
    return AESGCM(root_key(keyring, row["class"], row["root_version"])).decrypt(blob[:12], blob[12:], aad)


def open_data_key(epochs: dict[tuple[str, int], bytes], row: Facts) -> bytes:
    """version suite epoch(u32) nonce[12] ciphertext[32] tag[16] under the epoch key of the class."""
    blob = bytes.fromhex(row["wrapped"])
    assert len(blob) == 66
    assert blob[:2] == b"\x01\x01"
    aad = b"epicase/dek/1" + bytes([CODES[row["class"]]]) + UUID(row["scope"]).bytes
    aad += row["generation"].to_bytes(2, "big") + blob[2:6]
    epoch = epochs[row["class"], int.from_bytes(blob[2:6], "big")]
    return AESGCM(epoch).decrypt(blob[6:18], blob[18:], aad)


def open_value(keys: dict[tuple[str, str, int], bytes], row: Facts) -> bytes:
    """version suite generation(u16) nonce[12] ciphertext tag[16] under the data key; ISO 7816-4 padding."""
    blob, label = bytes.fromhex(row["sealed"]), row["label"].encode()
    assert blob[:2] == b"\x01\x01"
    key = keys[row["scope"], row["class"], int.from_bytes(blob[2:4], "big")]
    aad = b"epicase/field/1" + blob[:4] + bytes([CODES[row["class"]]]) + len(label).to_bytes(2, "big") + label
    aad += UUID(row["scope"]).bytes + UUID(row["row"]).bytes
    padded = AESGCM(key).decrypt(blob[4:16], blob[16:], aad).rstrip(b"\0")
    assert padded.endswith(b"\x80")
    return padded[:-1]


def token(keyring: Facts, version: int, label: str, value: str) -> bytes:
    """HMAC-SHA256 under HKDF-Expand(index root key, "epicase/index/1" | u16 len label)."""
    name, text = label.encode(), value.encode()
    info = b"epicase/index/1" + len(name).to_bytes(2, "big") + name
    key = hmac.digest(root_key(keyring, "index", version), info + b"\x01", hashlib.sha256)
    return hmac.digest(key, b"\x01" + len(text).to_bytes(4, "big") + text, hashlib.sha256)[:16]


def read(vectors: Facts) -> list[bytes]:
    """The plain bytes of every value, in order."""
    epochs = {(row["class"], row["epoch"]): open_epoch(vectors["keyring"], row) for row in vectors["epochs"]}
    keys = {
        (row["scope"], row["class"], row["generation"]): open_data_key(epochs, row) for row in vectors["keys"]
    }
    return [open_value(keys, row) for row in vectors["values"]]


if __name__ == "__main__":
    for value in read(json.loads(Path(sys.argv[1]).read_text())):
        sys.stdout.write(value.decode() + "\n")
