"""One value, one spelling; the row's columns follow from the body, and its mark from both."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import canonical
from audit.identifiers import uuid7
from tests.audit.ledger import facts

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
BODIES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
)


@given(BODIES)
def test_spelling_and_reading_are_inverse(body: dict[str, Any]) -> None:
    data = canonical.encode(body)
    assert canonical.decode(data) == body
    assert canonical.encode(dict(reversed(body.items()))) == data


@pytest.mark.parametrize(
    "value", [1.0, 2**53, b"bytes", {1: 2}, {"é": 1}, {"a": "\ud800"}, {"a": float("nan")}]
)
def test_what_has_no_single_spelling_is_refused(value: Any) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.encode({"a": value})


@given(BODIES.filter(bool))
def test_another_spelling_is_not_read(body: dict[str, Any]) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.decode(json.dumps(body, indent=1).encode())


def row(**changed: Any) -> dict[str, Any]:
    event_id, at = uuid7(), datetime(2026, 11, 22, 9, 41, 7, 123456, tzinfo=UTC)
    said = facts(event_id, at, [uuid.uuid4()])
    columns = canonical.columns_of(said) | {"body": canonical.encode(said), "occurred_at": at, "id": event_id}
    columns["session_h"] = bytes.fromhex(said["session"])
    return columns | changed


def test_columns_say_what_the_body_says() -> None:
    assert canonical.columns_match(row())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor_name", "somebody else"),
        ("act", "case.list"),
        ("outcome", 1),
        ("object_id", uuid.uuid4()),
        ("actor_id", None),
        ("purpose", "P9"),
        ("n_objects", 2),
        ("ip", None),
        ("session_h", b""),
        ("occurred_at", datetime(2026, 11, 22, tzinfo=UTC)),
        ("trace_code", "7QK4-M2XD-9HTB-3WVE"),
        ("body", b"{}"),
        ("body", b"not json"),
    ],
)
def test_a_changed_column_is_noticed(column: str, value: Any) -> None:
    assert not canonical.columns_match(row(**{column: value}))


def test_the_mark_depends_on_every_part() -> None:
    event_id, at, salt, body = uuid7(), datetime.now(UTC), bytes(16), b"{}"
    mark = canonical.row_mac(event_id, at, salt, body)
    assert canonical.row_mac_matches(event_id, at, salt, body, mark)
    assert not canonical.row_mac_matches(uuid7(), at, salt, body, mark)
    assert not canonical.row_mac_matches(event_id, at.replace(year=2000), salt, body, mark)
    assert not canonical.row_mac_matches(event_id, at, b"1" * 16, body, mark)
    assert not canonical.row_mac_matches(event_id, at, salt, b"[]", mark)


def test_ids_sort_by_their_time() -> None:
    ids = [uuid7(nanoseconds) for nanoseconds in range(10**18, 10**18 + 10**7, 10**6)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
