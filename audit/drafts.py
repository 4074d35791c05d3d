"""What gathers in a context before it becomes events: acts, opened values, changed rows."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from audit.acts import Act, Outcome
from audit.context import Actor

# A code from a list: no spaces, no other script, so no sentence about a person fits in.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,79}|")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,79}")
_KEY = re.compile(r"[a-z_][a-z0-9_]{0,39}")


class NotACode(ValueError):
    """Free text was offered where the ledger takes codes only."""


def code(text: str, place: str) -> str:
    """The text when it is a code; raises NotACode, which names the place and not the text."""
    if not _CODE.fullmatch(text):
        raise NotACode(f"{place} takes a code, not free text")
    return str(text)


def field_name(text: str) -> str:
    """The text when it can be a field's name."""
    if not _FIELD.fullmatch(text):
        raise NotACode("fields takes field names")
    return str(text)


def coded(values: Mapping[str, Any] | None, place: str) -> dict[str, Any]:
    """A mapping of keys to codes, whole numbers, truth values or ids (or lists of them)."""
    return {_key(key, place): _coded(value, f"{place}.{key}") for key, value in (values or {}).items()}


def _key(key: str, place: str) -> str:
    if not _KEY.fullmatch(key):
        raise NotACode(f"{place} has a key that is no name")
    return key


def _coded(value: Any, place: str) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return int(value)
        case UUID():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case str():
            return code(value, place)
        case list() | tuple() | set() | frozenset():
            return [_coded(part, place) for part in value]
        case _:
            raise NotACode(f"{place} takes codes, whole numbers and ids")


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """A record as the ledger names it: model, key, and its number when it has one."""

    type: str = ""
    pk: str = ""
    id: UUID | None = None
    label: str = ""
    touches: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, instance: Model | None) -> "ObjectRef":
        """The reference of a model instance; no value of it is read but the key and `audit_label`."""
        if instance is None:
            return cls()
        pk = instance.pk
        own = pk if isinstance(pk, UUID) else None
        label = str(getattr(instance, "audit_label", "") or "")
        return cls(instance._meta.label_lower, str(pk), own, label, frozenset(_touches(instance, own)))


def _touches(instance: Model, own: UUID | None) -> Iterable[UUID]:
    """The record, what guards it (a visit's case, say), and what it names itself."""
    found = {own}
    for name in ("vault_guard_id", "vault_scope_id", "audit_touches"):
        beside = getattr(instance, name, None)
        beside = beside() if callable(beside) else beside
        found.update(beside if isinstance(beside, (list, tuple, set, frozenset)) else (beside,))
    return {one for one in found if isinstance(one, UUID)}


@dataclass(frozen=True, slots=True)
class Opening:
    """One secret that was opened: record, field, data class. Never the value."""

    object: ObjectRef
    field: str
    data_class: str


@dataclass(slots=True)
class Change:
    """One row, or many by one bulk statement, that changed."""

    object: ObjectRef
    how: str
    fields: dict[str, list[Any] | None]
    """Field name to [old, new] (fingerprints, allow-listed codes), or None when only the name may be told."""
    count: int = 1
    bulk: str = ""


_last_moment = 0


def _now() -> datetime:
    """The present moment, and never the same microsecond twice in this process."""
    global _last_moment  # noqa: PLW0603 (one clock per process; a lost race costs one equal microsecond)
    _last_moment = max(time.time_ns() // 1000, _last_moment + 1)
    seconds, microseconds = divmod(_last_moment, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


@dataclass(slots=True, eq=False)
class EventDraft:
    """An act that has been named and not yet written."""

    act: Act
    subject: ObjectRef = field(default_factory=ObjectRef)
    others: list[ObjectRef] = field(default_factory=list)
    fields: tuple[str, ...] = ()
    data_classes: tuple[str, ...] = ()
    purpose: str = ""
    grant_id: UUID | None = None
    decision_id: UUID | None = None
    outcome: Outcome = Outcome.OK
    reason: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    person_token: bytes | None = None
    actor: Actor | None = None
    toward: Actor | None = None
    claims: frozenset[UUID] | None = None
    view: str = ""
    at: datetime = field(default_factory=_now)
    openings: list[Opening] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def name_fields(self, fields: Iterable[str], data_classes: Iterable[str]) -> None:
        """Which fields it was about, and of which classes; raises NotACode."""
        self.fields = tuple(field_name(str(name)) for name in fields)
        self.data_classes = tuple(code(str(one), "data_classes") for one in data_classes)

    def give_reasons(self, purpose: str, reason: str) -> None:
        """What for and why, as codes; raises NotACode."""
        self.purpose = code(str(purpose), "purpose")
        self.reason = code(str(reason), "reason")

    def add_numbers(self, counts: Mapping[str, int] | None, extra: Mapping[str, Any] | None) -> None:
        """Whole numbers, and further codes and ids; raises NotACode."""
        self.counts = coded(counts, "counts")
        self.extra = coded(extra, "extra")

    def claim_records(self, records: Iterable[Model] | None) -> None:
        """Take what happened to these records, even if other acts follow; None: only as the last act."""
        if records is not None:
            self.claims = frozenset().union(*(ObjectRef.of(one).touches for one in records))

    def claim(self, reference: ObjectRef) -> bool:
        """Whether this act claims what happened to that record."""
        return self.claims is not None and not self.claims.isdisjoint(reference.touches)

    def touches(self) -> set[UUID]:
        """The ids of all records this act touched."""
        found = set(self.subject.touches)
        for one in [*self.others, *(o.object for o in self.openings), *(c.object for c in self.changes)]:
            found |= one.touches
        if self.toward is not None and self.toward.actor_id is not None:
            found.add(self.toward.actor_id)
        return found
