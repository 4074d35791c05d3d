"""The vault alone: its own key source and a witness that takes notes, whatever else is installed."""

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from vault import epochs, key_source, keyring, witness
from vault.providers import FileProvider

Notes = list[tuple[str, str, str]]


def pytest_configure() -> None:
    path = Path(settings.EPICASE_KEYRING.removeprefix("file:"))
    if settings.SETTINGS_MODULE == "tests.vault.settings" and not path.exists():
        FileProvider.create(path)


@pytest.fixture(autouse=True)
def _vault_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keys come from the table itself, and the owner wears no role, where there are roles."""
    before, witnesses = key_source.installed(), list(witness._installed)
    key_source.install(None)
    witness._installed.clear()
    with owner(), keyring.session():
        yield
    key_source.install(before[0], bearer=before[1])
    witness._installed[:] = witnesses
    epochs.forget()


def owner() -> Any:
    try:
        actor = importlib.import_module("access.actor")
    except ImportError:
        return contextlib.nullcontext()
    return actor.acting_as_owner()


@pytest.fixture
def notes() -> Iterator[Notes]:
    """What the witness was told: model, field and class of every reveal."""
    seen: Notes = []
    with witness.watching(lambda record, name, kind: seen.append((record._meta.model_name, name, str(kind)))):
        yield seen
