"""The frozen labels of encrypted fields: a label, its class and its kind of value belong to what was sealed.

`vault/labels.lock` has one line per label: label, class, field type. `manage.py vault_labels --write` adds
new ones; nothing changes or removes a line.
"""

from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from vault.models import EncryptedModel

LOCK = Path(__file__).with_name("labels.lock")
Facts = tuple[str, str]


def registered(*, tests_too: bool = False) -> dict[str, Facts]:
    """Class and field type of every label of the installed models."""
    return {
        field.label: (str(field.data_class), type(field).__name__)
        for model in _models(tests_too)
        for field in model.encrypted_fields()
    }


def frozen(path: Path = LOCK) -> dict[str, Facts]:
    """The same as the lock file has it."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {label: (data_class, kind) for label, data_class, kind in rows}


def changed() -> list[str]:
    """Labels that are frozen with another class or type: their data could not be opened."""
    now, lock = registered(), frozen()
    return sorted(label for label in now.keys() & lock.keys() if now[label] != lock[label])


def missing() -> list[str]:
    """Labels in use and not frozen yet."""
    return sorted(registered().keys() - frozen().keys())


def freeze(path: Path = LOCK) -> list[str]:
    """Add the missing labels to the lock file; returns them."""
    new = missing()
    rows = registered() | frozen(path)
    head = "# Frozen for ever; written by: manage.py vault_labels --write\n"
    path.write_text(head + "".join(f"{label} {' '.join(rows[label])}\n" for label in sorted(rows)))
    return new


def _models(tests_too: bool) -> Iterator[type[EncryptedModel]]:
    for model in apps.get_models():
        if issubclass(model, EncryptedModel) and (tests_too or not model.__module__.startswith("tests.")):
            yield model
