"""Saving what one person changed without losing what another changed meanwhile.

A form carries, for each field, a keyed mark of the value it was drawn with: no value, nothing to guess. From what
was typed, that mark and the record as it is now follows what the person changed and where two people disagree.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.crypto import salted_hmac

from cases.policy import is_encrypted
from vault.models import EncryptedModel
from vault.secret import open_quietly

SALT = "cases.merging"


@dataclass
class Merged:
    """What to write, and the fields in which another person was faster."""

    changes: dict[str, Any] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)


def merge(record: EncryptedModel, typed: Mapping[str, Any], seen: Mapping[str, str]) -> Merged:
    """Compare what was typed with what was drawn (`seen`) and with the record, which the caller has locked."""
    merged = Merged()
    for name, value in typed.items():
        mine, drawn, now = mark(record, name, value), seen.get(name, ""), mark_now(record, name)
        if mine in (drawn, now):
            continue
        if drawn == now:
            merged.changes[name] = value
        else:
            merged.conflicts.append(name)
    return merged


def marks(record: EncryptedModel, values: Mapping[str, Any]) -> dict[str, str]:
    """The marks of values just drawn into a form."""
    return {name: mark(record, name, value) for name, value in values.items()}


def mark(record: models.Model, name: str, value: Any) -> str:
    """A mark of one value of one field of one record; equal values have equal marks."""
    text = json.dumps([record._meta.label, str(record.pk), name, canonical(value)])
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:24]


def mark_now(record: EncryptedModel, name: str) -> str:
    """The mark of what the record holds; the value is compared, never shown."""
    return mark(record, name, present(record, name))


def present(record: EncryptedModel, name: str) -> Any:
    """What the record holds, for a comparison on the server: nobody is shown it. Raises vault.errors.Locked."""
    model_field = record._meta.get_field(name)
    value = getattr(record, getattr(model_field, "attname", name))
    return open_quietly(value) if is_encrypted(model_field) and value is not None else value


def parse(text: str) -> dict[str, str]:
    """The marks a form brought back; what is not ours counts as nothing seen."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}


def canonical(value: Any) -> str:  # noqa: PLR0911  one line for each kind of value
    """One text for equal values: moments to the minute in UTC, lists in order, nothing as ""."""
    if value is None or value in ("", []):
        return ""
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, list | tuple):
        return ",".join(sorted(str(one) for one in value))
    return str(value)
