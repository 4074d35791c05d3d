"""Reading the ledger: pages by key, never by number, newest first, each event with its place in the tree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection

from audit import canonical, trace_codes
from audit.sentences import Told, tell

PAGE = 50
_COLUMNS = "e.id, e.occurred_at, e.body, e.trace_code, l.leaf_index"
_EVENTS = f"select {_COLUMNS} from audit_event e left join audit_leaf l on l.event_id = e.id"
_TOUCHED = (
    f"select {_COLUMNS} from audit_touch t"
    " join audit_event e on e.id = t.event_id and e.occurred_at = t.occurred_at"
    " left join audit_leaf l on l.event_id = e.id"
)


_PLAIN = (_EVENTS, "e.occurred_at", "e.id")


class BadCursor(ValueError):
    """The page's key is not one that was given out."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; everything left out does not narrow."""

    actor_id: UUID | None = None
    object_id: UUID | None = None
    label: str = ""
    acts: Sequence[str] = ()
    purpose: str = ""
    outcome: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    trace_code: str = ""
    request_id: UUID | None = None


@dataclass(frozen=True)
class Line:
    """An event as a reader meets it."""

    id: UUID
    occurred_at: datetime
    raw: bytes
    trace_code: str
    leaf_index: int | None

    @cached_property
    def body(self) -> dict[str, Any]:
        """The sealed facts."""
        return canonical.decode(self.raw)

    @cached_property
    def told(self) -> Told:
        """The event as a sentence."""
        return tell(self.body)

    @property
    def is_sealed(self) -> bool:
        """Whether the event has its leaf in the tree."""
        return self.leaf_index is not None

    @property
    def key(self) -> str:
        """The event's place in the order of time."""
        return cursor_of(self.occurred_at, self.id)


@dataclass(frozen=True)
class Page:
    """Up to fifty events, and the keys of the pages beside them ("" where there is none)."""

    lines: list[Line] = field(default_factory=list)
    newer: str = ""
    older: str = ""


def events(
    filters: Filters | None = None, cursor: str = "", *, newer: bool = False, size: int = PAGE
) -> Page:
    """A page of events that pass the filters: before the cursor, or after it. Raises BadCursor."""
    wanted = filters or Filters()
    object_id = wanted.object_id or _object_of(wanted.label)
    if wanted.label and object_id is None:
        return Page()
    base, at, key = (_TOUCHED, "t.occurred_at", "t.event_id") if object_id else _PLAIN
    conditions, values = _conditions(wanted, at, object_id)
    if cursor:
        conditions.append(f"({at}, {key}) {'>' if newer else '<'} (%s, %s)")
        values += list(read_cursor(cursor))
    where = f" where {' and '.join(conditions)}" if conditions else ""
    direction = "asc" if newer else "desc"
    order = f" order by {at} {direction}, {key} {direction} limit %s"
    return _page(_lines(base + where + order, [*values, size + 1]), cursor, newer=newer, size=size)


def case_trail(object_id: UUID, cursor: str = "", *, newer: bool = False, size: int = PAGE) -> Page:
    """Everything done to one record, and to what belongs to it."""
    return events(Filters(object_id=object_id), cursor, newer=newer, size=size)


def actor_trail(actor_id: UUID, cursor: str = "", *, newer: bool = False, size: int = PAGE) -> Page:
    """Everything one person did."""
    return events(Filters(actor_id=actor_id), cursor, newer=newer, size=size)


def event(event_id: UUID) -> Line | None:
    """One event by its id."""
    return next(iter(_lines(f"{_EVENTS} where e.id = %s", [event_id])), None)


def own_events(before: datetime | None = None, size: int = PAGE) -> tuple[list[Line], datetime | None]:
    """The present person's own events before a moment, and the moment to go on from (None at the end)."""
    with connection.cursor() as cursor:
        if before is None:
            cursor.execute("select * from sec.own_events(at_most => %s)", [size + 1])
        else:
            cursor.execute("select * from sec.own_events(%s, %s)", [before, size + 1])
        lines = [_line(row) for row in cursor.fetchall()]
    return lines[:size], lines[size - 1].occurred_at if len(lines) > size else None


def people() -> list[tuple[UUID, str]]:
    """Everyone who stands in the ledger as an actor, by their latest name; hops along the index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with recursive walk as ("
            " (select actor_id, actor_name from audit_event where actor_id is not null"
            "  order by actor_id, occurred_at desc, id desc limit 1)"
            " union all select n.actor_id, n.actor_name from walk w cross join lateral"
            " (select actor_id, actor_name from audit_event where actor_id > w.actor_id"
            "  order by actor_id, occurred_at desc, id desc limit 1) n"
            ") select actor_id, actor_name from walk order by actor_name"
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def label_of(object_id: UUID) -> str:
    """The number a record carried last, as some event about it says; empty when none ever named it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select e.object_label from audit_touch t"
            " join audit_event e on e.id = t.event_id and e.occurred_at = t.occurred_at"
            " where t.object_id = %s and e.object_id = t.object_id and e.object_label <> ''"
            " order by t.occurred_at desc, t.event_id desc limit 1",
            [object_id],
        )
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def touched(event_id: UUID, occurred_at: datetime) -> list[tuple[UUID, bytes | None]]:
    """The records an event touched."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select object_id, subject_h from audit_touch where event_id = %s and occurred_at = %s",
            [event_id, occurred_at],
        )
        return [(row[0], None if row[1] is None else bytes(row[1])) for row in cursor.fetchall()]


def by_trace_code(text: str) -> tuple[trace_codes.Reading, list[Line]]:
    """The events behind a trace code, read with its damage repaired. Raises NotATraceCode."""
    reading = trace_codes.decode(text)
    return reading, events(Filters(trace_code=reading.code)).lines


def cursor_of(at: datetime, event_id: UUID) -> str:
    """A page's key: the moment in microseconds and the id."""
    microseconds = (at - canonical.EPOCH) // (canonical.EPOCH.resolution)
    return f"{microseconds:x}.{event_id.hex}"


def read_cursor(text: str) -> tuple[datetime, UUID]:
    """The moment and id of a page's key. Raises BadCursor."""
    moment, _, key = text.partition(".")
    try:
        return canonical.EPOCH + canonical.EPOCH.resolution * int(moment, 16), UUID(hex=key)
    except (ValueError, OverflowError) as error:
        raise BadCursor("not a page key") from error


def _conditions(wanted: Filters, at: str, object_id: UUID | None) -> tuple[list[str], list[Any]]:
    given: Mapping[str, Any] = {
        "t.object_id = %s": object_id,
        "e.actor_id = %s": wanted.actor_id,
        "e.act = any(%s)": list(wanted.acts) or None,
        "e.purpose = %s": wanted.purpose or None,
        "e.trace_code = %s": wanted.trace_code or None,
        "e.request_id = %s": wanted.request_id,
        f"{at} >= %s": wanted.since,
        f"{at} < %s": wanted.until,
    }
    used = {condition: value for condition, value in given.items() if value is not None}
    conditions, values = list(used), list(used.values())
    if wanted.outcome is not None:
        # Written out where it fits the partial index on what was refused or failed.
        conditions += ["e.outcome <> 0", "e.outcome = %s"] if wanted.outcome else ["e.outcome = %s"]
        values.append(wanted.outcome)
    return conditions, values


def _object_of(label: str) -> UUID | None:
    """The record that carries a number, as the ledger knows it."""
    if not label:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "select object_id from audit_event where object_label = %s and object_id is not null"
            " order by occurred_at desc limit 1",
            [label],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _page(lines: list[Line], cursor: str, *, newer: bool, size: int) -> Page:
    more, shown = len(lines) > size, lines[:size]
    if newer:
        shown.reverse()
    if not shown:
        return Page()
    has_newer = more if newer else bool(cursor)
    has_older = bool(cursor) if newer else more
    return Page(shown, shown[0].key if has_newer else "", shown[-1].key if has_older else "")


def _lines(sql: str, values: Iterable[Any]) -> list[Line]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return [_line(row) for row in cursor.fetchall()]


def _line(row: Sequence[Any]) -> Line:
    event_id, occurred_at, body, trace_code, leaf_index = row
    return Line(event_id, occurred_at.astimezone(UTC), bytes(body), trace_code, leaf_index)
