"""Correcting a contact field by field: what the person changed, what somebody else changed meanwhile, what to write.

The page carries for each field a keyed token of the value it started from. So only fields that the person changed are
written, others' changes to other fields stay, and the same field changed twice is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.crypto import constant_time_compare, salted_hmac

from cases import codes
from cases.policy import policy_of
from contacts.forms import EDITABLE, PROTECTED
from contacts.models import Contact
from vault import keyring
from vault.secret import Secret, open_quietly

BASE: Final = "base-"


@dataclass(frozen=True)
class Conflict:
    """A field that two people changed: what stands there now, in words that may be shown."""

    name: str
    label: str
    theirs: str


@dataclass
class Merge:
    """What a correction would write, and where it meets somebody else's."""

    changes: dict[str, Any] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def closed_fields(contact: Contact) -> set[str]:
    """Protected fields whose data class is not open to the person who acts."""
    fields = [one for one in contact.encrypted_fields() if one.name in PROTECTED]
    open_classes = {one.data_class for one in fields if keyring.is_open(contact.pk, one.data_class)}
    return {one.name for one in fields if one.data_class not in open_classes}


def plain_values(contact: Contact) -> dict[str, Any]:
    """The values of the fields that are not protected, as a form starts with them."""
    return {name: contact.serializable_value(name) for name in EDITABLE if name not in PROTECTED}


def tokens(contact: Contact, names: Iterable[str]) -> dict[str, str]:
    """For each field a keyed token of the value that stands there now, by the name of its hidden input."""
    return {f"{BASE}{name}": _token(contact, name, _present(contact, name)) for name in names}


def merge(contact: Contact, given: Mapping[str, Any], posted: Mapping[str, str]) -> Merge:
    """Compare what was typed with what the page started from and with what stands there now."""
    result = Merge()
    for name, value in given.items():
        typed = _token(contact, name, value)
        base = posted.get(f"{BASE}{name}", "")
        now = _token(contact, name, _present(contact, name))
        if constant_time_compare(typed, now) or constant_time_compare(typed, base):
            continue
        result.changes[name] = value
        if not constant_time_compare(base, now):
            result.conflicts.append(_conflict(contact, name))
    return result


def words(name: str, value: Any) -> str:
    """A value as people read it: codes by their labels."""
    field_ = Contact._meta.get_field(name)
    policy = policy_of(field_)
    listed = getattr(policy, "codes", "") or getattr(field_, "codes", "")
    if value in (None, "", []):
        return ""
    if not listed:
        return str(value)
    return ", ".join(codes.labels(listed, value if isinstance(value, list) else [value]))


def _conflict(contact: Contact, name: str) -> Conflict:
    held = getattr(contact, name)
    theirs = held.masked if isinstance(held, Secret) else words(name, held)
    return Conflict(name, str(Contact._meta.get_field(name).verbose_name), theirs or "—")  # type: ignore[union-attr]


def _present(contact: Contact, name: str) -> Any:
    """The value for comparing only; it is never shown."""
    held = contact.serializable_value(name)
    return open_quietly(held) if isinstance(held, Secret) else held


def _token(contact: Contact, name: str, value: Any) -> str:
    text = "\n".join(sorted(map(str, value))) if isinstance(value, list) else str(getattr(value, "pk", value))
    if value in (None, "", []):
        text = ""
    return salted_hmac(f"contacts.edit:{contact.pk}:{name}", text, algorithm="sha256").hexdigest()[:32]
