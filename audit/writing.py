"""From drafts to rows: one INSERT for the events, one for what they touched, in the transaction we are in."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from audit import acts, canonical
from audit.context import Actor, Context
from audit.drafts import Change, EventDraft, ObjectRef, Opening
from audit.identifiers import uuid7
from audit.rows import quick_cursor

BODY_VERSION = 1
# Longer lists are told by their number and digest; every id stands in the touch rows anyway.
MOST_LISTED = 60
LARGEST_BODY = 60_000
PREPARE_AFTER = 5
_COLUMNS = (
    "id", "occurred_at", "act", "outcome", "actor_id", "actor_name", "role", "org_id", "org_name",
    "content_type_id", "object_pk", "object_id", "object_label", "request_id", "purpose", "grant_id",
    "decision_id", "n_objects",
    "session_h", "ip", "trace_code", "salt", "body", "mac",
)  # fmt: skip
_INSERT = f"insert into audit_event ({', '.join(_COLUMNS)}) values "
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"
# One statement, one round trip: a touch row never stands without its event.
_TOUCH = (
    "with touched as (insert into audit_touch (occurred_at, event_id, object_id, subject_h) "
    "select * from unnest(%s::timestamptz[], %s::uuid[], %s::uuid[], %s::bytea[])) "
)

Touches = list[tuple[UUID, bytes | None]]


def write(drafts: Sequence[EventDraft], context: Context) -> None:
    """Insert the drafts as events, with what they touched. Raises whatever the database raises."""
    values: list[Any] = []
    touches: list[tuple[Any, UUID, UUID, bytes | None]] = []
    for draft in drafts:
        event_id, touched = uuid7(), _touched(draft)
        values += _row(draft, context, event_id, touched)
        touches += [(draft.at, event_id, object_id, subject) for object_id, subject in touched]
    columns = [list(column) for column in zip(*touches, strict=True)]
    statement = (_TOUCH if columns else "") + _INSERT + ", ".join([_ROW] * len(drafts))
    cursor = quick_cursor()
    # One event is the usual case: the server keeps its plan, which costs as much as the insert itself.
    cursor.connection.prepare_threshold = PREPARE_AFTER
    with connection.wrap_database_errors:
        cursor.execute(statement, [*columns, *values], prepare=None if len(drafts) == 1 else False)


def changes_something(act: str) -> bool:
    """Whether the catalogue counts the act among those that change data."""
    return acts.entry(act).changes


def key_session() -> AbstractContextManager[Any]:
    """The vault's key cache for one request or job; keys never outlive it."""
    from vault import keyring

    session: Callable[[], AbstractContextManager[Any]] = keyring.session
    return session()


def _row(draft: EventDraft, context: Context, event_id: UUID, touched: Touches) -> list[Any]:
    facts = _facts(draft, context, event_id, touched)
    body = canonical.encode(facts)
    if len(body) > LARGEST_BODY:
        body = canonical.encode(facts | _summaries(draft))
    salt = secrets.token_bytes(16)
    columns = canonical.columns_of(facts) | {
        "occurred_at": draft.at,
        "content_type_id": _content_type_id(draft.subject.type),
        "session_h": context.session_h,
        "salt": salt,
        "body": body,
        "mac": canonical.row_mac(event_id, draft.at, salt, body),
    }
    return [columns[name] for name in _COLUMNS]


def _facts(draft: EventDraft, context: Context, event_id: UUID, touched: Touches) -> dict[str, Any]:
    actor = draft.actor or context.actor
    return {
        "v": BODY_VERSION,
        "id": str(event_id),
        "at": canonical.moment(draft.at),
        "act": str(draft.act),
        "outcome": int(draft.outcome),
        "actor": _actor(actor),
        "toward": _actor(draft.toward) if draft.toward else None,
        "object": _object(draft.subject),
        "others": _limited([_object(one) for one in draft.others], MOST_LISTED),
        "fields": sorted({*draft.fields, *(opening.field for opening in draft.openings)}),
        "classes": sorted({*draft.data_classes, *(opening.data_class for opening in draft.openings)}),
        "opened": _opened(draft.openings),
        "changes": _changes(draft.changes)
        if len(draft.changes) <= MOST_LISTED
        else _collapsed(draft.changes),
        "purpose": draft.purpose,
        "grant": _text(draft.grant_id),
        "decision": _text(draft.decision_id),
        "reason": draft.reason or context.reason,
        "counts": draft.counts,
        "extra": draft.extra | ({"token": str(context.token)} if context.token else {}),
        "touches": len(touched),
        "touch_sha256": canonical.touch_digest(touched),
        "request": str(context.request_id),
        "kind": context.kind,
        "view": draft.view or context.view,
        "method": context.method,
        "session": context.session_h.hex(),
        "ip": context.ip,
        "trace": context.trace,
    }


def _summaries(draft: EventDraft) -> dict[str, Any]:
    """The long lists of a body in their short form."""
    return {"others": [], "opened": _opened(draft.openings, most=0), "changes": _collapsed(draft.changes)}


def _touched(draft: EventDraft) -> Touches:
    own = draft.subject.id
    return [(one, draft.person_token if one == own else None) for one in sorted(draft.touches())]


def _actor(actor: Actor) -> dict[str, Any]:
    return {
        "id": _text(actor.actor_id),
        "name": actor.name,
        "role": actor.role,
        "org": actor.organisation_id,
        "org_name": actor.organisation_name,
    }


def _object(reference: ObjectRef) -> dict[str, Any]:
    return {"type": reference.type, "pk": reference.pk, "id": _text(reference.id), "label": reference.label}


def _opened(openings: Iterable[Opening], most: int = MOST_LISTED) -> list[dict[str, Any]]:
    """Which field of which records was opened; per field and model, ids only."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for opening in openings:
        found[opening.object.type, opening.field, opening.data_class].add(opening.object.pk)
    return [
        {"type": kind, "field": name, "class": data_class, **_listed(sorted(keys), most)}
        for (kind, name, data_class), keys in sorted(found.items())
    ]


def _changes(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [
        {
            "type": change.object.type,
            "pk": change.object.pk,
            "how": change.how,
            "n": change.count,
            "fields": change.fields,
        }
        | ({"bulk": change.bulk} if change.bulk else {})
        for change in changes
    ]


def _collapsed(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Many changes as one line for each model and way: how many, and which fields."""
    found: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        found[change.object.type, change.how].append(change)
    return [
        {
            "type": kind,
            "how": how,
            "n": sum(change.count for change in group),
            "fields": {name: None for change in group for name in change.fields},
            "keys_sha256": _digest(sorted(change.object.pk for change in group)),
        }
        for (kind, how), group in sorted(found.items())
    ]


def _listed(keys: list[str], most: int) -> dict[str, Any]:
    return (
        {"n": len(keys), "keys": keys}
        if len(keys) <= most
        else {"n": len(keys), "keys_sha256": _digest(keys)}
    )


def _limited(objects: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    return objects if len(objects) <= most else []


def _digest(keys: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _content_type_id(label: str) -> int | None:
    if not label:
        return None
    return ContentType.objects.get_for_model(apps.get_model(label)).pk
