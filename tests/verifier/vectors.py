"""Where the published test vectors lie, when they are there."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


def folder() -> Path | None:
    """The folder of vectors, or None when this machine has none."""
    shared = os.environ.get("EPICASE_SHARED")
    root = Path(shared) if shared else CHECKOUT.parent / "shared"
    found = root / "data" / "vectors" / "rfc6962" / "testdata"
    return found if found.is_dir() else None


def load(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Name and content of each vector of one kind; empty when there are none."""
    root = folder()
    if root is None:
        return []
    files = sorted((root / kind).rglob("*.json"))
    return [(path.relative_to(root).as_posix(), json.loads(path.read_text())) for path in files]


def raw(text: str | None) -> bytes:
    """Bytes of a base64 field."""
    return b64decode(text or "")
