"""The one shape of an error over the API: `code`, `detail`, `fields`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


def body(code: str, detail: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """The body of an error: a code for programs, a sentence for a person, what is wrong with each field."""
    return {"code": code, "detail": detail, "fields": dict(fields or {})}


def invalid(detail: Any) -> dict[str, Any]:
    """The body for bad input: DRF's nested findings, flattened to one list of sentences for each field."""
    fields = dict(_flat(detail, ""))
    return body("invalid", _("Some of what was sent cannot be taken: see the fields."), fields)


def _flat(detail: Any, name: str) -> list[tuple[str, list[str]]]:
    if isinstance(detail, Mapping):
        return [pair for key, value in detail.items() for pair in _flat(value, _below(name, key))]
    if isinstance(detail, list) and any(isinstance(one, (Mapping, list)) for one in detail):
        return [pair for n, value in enumerate(detail) for pair in _flat(value, _below(name, n))]
    said = detail if isinstance(detail, list) else [detail]
    return [(name or "non_field_errors", [str(one) for one in said])]


def _below(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)
