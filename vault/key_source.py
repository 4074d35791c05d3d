"""Where wrapped keys come from, and whose they are.

A higher room installs a source that hands out rows only to whoever holds a grant; in the vault alone the source
reads the table. The *bearer* names who would be using a key now.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection


class KeyRow(NamedTuple):
    """One row of the keyring as a source gives it; `wrapped` is None once the key is shredded."""

    scope_id: UUID
    data_class: int
    generation: int
    wrapped: bytes | None


Source = Callable[[Sequence[UUID]], Iterable[KeyRow]]
Bearer = Callable[[], Hashable]


def from_table(scopes: Sequence[UUID]) -> Iterable[KeyRow]:
    """The rows of these scopes, whoever asks: what the vault does where nobody has installed a source."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select scope_id, data_class, generation, wrapped from vault_keyring where scope_id = any(%s)",
            [list(scopes)],
        )
        return [KeyRow(*row) for row in cursor.fetchall()]


def _nobody() -> Hashable:
    return None


_source: Source = from_table
_bearer: Bearer = _nobody


def install(source: Source | None, *, bearer: Bearer | None = None) -> None:
    """Fetch keys through `source`; `bearer` names whose keys they are. None: read the table itself."""
    global _source, _bearer
    _source, _bearer = source or from_table, bearer or _nobody


def installed() -> tuple[Source, Bearer]:
    """The source and bearer in use, to be put back later."""
    return _source, _bearer


def bearer() -> Hashable:
    """Who would be using a key now."""
    return _bearer()


def ask(scopes: Sequence[UUID]) -> Iterable[KeyRow]:
    """The rows that the source hands out for these scopes."""
    return _source(scopes)
