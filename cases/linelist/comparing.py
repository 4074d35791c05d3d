"""Which rows of a line list are new, changed or as before: by keyed tokens, so that nothing has to be opened.

A row is compared with what its source said last time, not with the record: people's corrections stay.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from cases.linelist.parsers import Value
from cases.linelist.profiles import IDENTIFIERS, Record
from cases.models import ImportedRow, Outbreak
from vault import index

CELL_DIGITS = 16


class State(StrEnum):
    """What the comparison says about a row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a row taken in before."""

    cells: Mapping[str, str]
    record_id: UUID


@dataclass(frozen=True, slots=True)
class Compared:
    """A row of the file beside what is known of it: `changed` names the fields whose source has changed."""

    record: Record
    token: bytes
    cells: dict[str, str]
    state: State
    changed: frozenset[str]


def source_tokens(family: str, outbreak: Outbreak, source_ids: Iterable[str]) -> list[bytes]:
    """The keyed tokens of a source's own identifiers within one outbreak."""
    return index.tokens("linelist", [f"{family}:{outbreak.pk}:{source_id}" for source_id in source_ids])


def known_rows(outbreak: Outbreak, tokens: Iterable[bytes]) -> dict[bytes, Known]:
    """The rows with these tokens that were taken in before."""
    rows = ImportedRow.objects.filter(outbreak=outbreak, source_token__in=list(tokens))
    found = rows.values_list("source_token", "cells", "record_id")
    return {bytes(token): Known(cells, record_id) for token, cells, record_id in found}


def compare(
    records: list[Record],
    tokens: list[bytes],
    cells: list[dict[str, str]],
    known: Mapping[bytes, Known],
) -> list[Compared]:
    """Each record with its state, in the order given."""
    result = []
    for record, token, mine in zip(records, tokens, cells, strict=True):
        before = known.get(token)
        changed = _changed(before.cells if before else {}, mine)
        state = State.NEW if before is None else State.CHANGED if changed else State.SAME
        result.append(Compared(record, token, mine, state, changed))
    return result


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def cell_tokens(records: list[Record], tokens: list[bytes]) -> list[dict[str, str]]:
    """For each record a token of every value by field name; the row's own token keeps equal values apart."""
    places = [
        (position, name)
        for position, record in enumerate(records)
        for name, value in record.values.items()
        if name not in IDENTIFIERS and value is not None
    ]
    texts = [f"{tokens[at].hex()}:{name}:{_text(records[at].values[name])}" for at, name in places]
    result: list[dict[str, str]] = [{} for _ in records]
    for (position, name), token in zip(places, index.tokens("linelist.cell", texts), strict=True):
        result[position][name] = token.hex()[:CELL_DIGITS]
    return result


def _text(value: Value) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
