"""A ledger for each test that wants its own: real commits, a signing key, a file of published checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit import signer

NAME = "test.example/ledger"


@pytest.fixture
def signing_key(tmp_path: Path, settings: Any) -> Path:
    """A fresh signing key and an empty file for published checkpoints."""
    path = tmp_path / "audit.key"
    signer.create(path, NAME)
    settings.EPICASE_AUDIT_KEY = f"file:{path}"
    settings.EPICASE_CHECKPOINT_FILE = str(tmp_path / "published" / "checkpoints")
    return path


@pytest.fixture
def own_ledger(private_database: str, signing_key: Path) -> str:
    """A database of this test alone, with the key to seal it; its name."""
    return private_database
