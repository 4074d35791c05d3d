"""The keyring: one random data key per (scope, class), fetched for many scopes at once, kept for one request.

Rows come from a *source*. A higher room installs one that hands out rows only to whoever holds a grant; in
the vault alone the source reads the table. Keys live in a session (`with session():`), filed under their
*bearer*, so that what one actor fetched is never used by another in it. Without a session every use asks
the source.

Wrapped key, 66 bytes: version suite epoch(u32) nonce[12] ciphertext[32] tag[16].
Associated data: "epicase/dek/1" | u8 class | scope_id[16] | u16 generation | u32 epoch.

Doors: a generation above 1 (rotation) is understood when reading; a row without its wrapped key (shredding)
reads as Shredded. Neither is written here yet.
"""

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.db import connection, transaction

from vault import epochs, suites
from vault.ciphertext import DataKey
from vault.classes import DataClass
from vault.errors import KeyConflict, Locked, NotAuthentic, PlainTextRefused, Shredded, UnknownGeneration

FIRST_GENERATION = 1
_WRAP_HEADER = bytes((1, suites.AES.number))
_WRAPPED_BYTES = 66


class KeyRow(NamedTuple):
    """One row of the keyring as a source gives it; `wrapped` is None once the key is shredded."""

    scope_id: UUID
    data_class: int
    generation: int
    wrapped: bytes | None


class NewKey(NamedTuple):
    """A key just made and not yet written."""

    scope_id: UUID
    guard_id: UUID
    data_class: DataClass
    raw: bytes
    ready: DataKey

    def __repr__(self) -> str:
        return f"<NewKey {self.data_class} of {self.scope_id}>"

    def __reduce__(self) -> NoReturn:
        raise PlainTextRefused("a data key is neither copied nor pickled")


Source = Callable[[Sequence[UUID]], Iterable[KeyRow]]
Bearer = Callable[[], Hashable]
# By the bytes of the scope id and the code of the class: UUIDs and enumerations are slow keys.
_Ring = dict[bytes, dict[int, "_Keys"]]


class _Keys:
    """All generations of one (scope, class); unwrapped when first needed."""

    __slots__ = ("_ready", "_rows", "life", "newest")

    def __init__(self) -> None:
        self._rows: dict[int, KeyRow] = {}
        self._ready: dict[int, DataKey] = {}
        self.life: _Life | None = None
        self.newest = 0

    def add(self, row: KeyRow) -> None:
        self._rows[row.generation] = row
        self.newest = max(self.newest, row.generation)

    def add_fresh(self, key: DataKey, life: "_Life") -> None:
        self._ready[key.generation] = key
        self.newest = max(self.newest, key.generation)
        self.life = life

    @property
    def dead(self) -> bool:
        """Whether these keys were made in a transaction that was rolled back since."""
        return self.life is not None and not self.life.alive

    def known(self, generation: int) -> DataKey | None:
        return self._ready.get(generation)

    def get(self, generation: int) -> DataKey | None:
        ready = self._ready.get(generation)
        if ready is None and generation in self._rows:
            ready = self._ready[generation] = _unwrap(self._rows[generation])
        return ready


class _Life:
    """Knows whether the (sub)transaction it was born in still counts.

    Django forgets on-commit callbacks of what is rolled back, savepoint by savepoint: being remembered is
    being alive.
    """

    def __init__(self) -> None:
        self.committed = False
        transaction.on_commit(self._commit)

    def _commit(self) -> None:
        self.committed = True

    @property
    def alive(self) -> bool:
        return self.committed or any(entry[1] == self._commit for entry in connection.run_on_commit)


class _Session:
    """The keys of one request or job, by bearer."""

    __slots__ = ("_lives", "rings")

    def __init__(self) -> None:
        self.rings: dict[Hashable, _Ring] = {}
        self._lives: dict[frozenset[str], _Life] = {}

    def ring(self) -> _Ring:
        bearer = _bearer()
        found = self.rings.get(bearer)
        if found is None:
            found = self.rings[bearer] = {}
        return found

    def life(self) -> _Life:
        """One marker per stack of savepoints: what is born in the same stack shares its fate."""
        stack = frozenset(connection.savepoint_ids)
        life = self._lives.get(stack)
        if life is None or life.committed or not life.alive:
            life = self._lives[stack] = _Life()
        return life

    def __repr__(self) -> str:
        return "<keyring session>"

    def __reduce__(self) -> NoReturn:
        raise PlainTextRefused("a key session is neither copied nor pickled")


_session: ContextVar[_Session | None] = ContextVar("vault_keyring_session", default=None)


def _from_table(scopes: Sequence[UUID]) -> Iterable[KeyRow]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select scope_id, data_class, generation, wrapped from vault_keyring where scope_id = any(%s)",
            [list(scopes)],
        )
        return [KeyRow(*row) for row in cursor.fetchall()]


def _nobody() -> Hashable:
    return None


_source: Source = _from_table
_bearer: Bearer = _nobody


def set_source(source: Source | None, *, bearer: Bearer | None = None) -> None:
    """Fetch keys through `source`; `bearer` names whose keys they are. None: read the table itself."""
    global _source, _bearer
    _source, _bearer = source or _from_table, bearer or _nobody


def source() -> tuple[Source, Bearer]:
    """The source and bearer in use, to be put back later."""
    return _source, _bearer


def bearer() -> Hashable:
    """Who would be using a key now."""
    return _bearer()


@contextmanager
def session() -> Iterator[None]:
    """Keep keys inside this block, and nowhere else; an inner block starts empty."""
    token = _session.set(_Session())
    try:
        yield
    finally:
        _session.reset(token)


def forget() -> None:
    """Drop all keys of the present session: grants have changed."""
    here = _session.get()
    if here is not None:
        here.rings.clear()


def warm(scopes: Iterable[UUID]) -> None:
    """Fetch the keys of all these scopes in one call, as far as the session has not asked for them yet."""
    here = _session.get()
    if here is not None:
        _fetch(here.ring(), scopes)


def ready(scope: bytes, code: int, generation: int) -> DataKey | None:
    """A key that this session has unwrapped already for the present bearer."""
    here = _session.get()
    if here is None:
        return None
    try:
        keys = here.rings[_bearer()][scope][code]
    except KeyError:
        return None
    return keys.known(generation) if keys.life is None or keys.life.alive else None


def key_to_seal(scope_id: UUID, data_class: DataClass, peers: Iterable[UUID] = ()) -> DataKey:
    """The newest key of this scope and class; raises Locked."""
    keys = _keys(scope_id, data_class, peers)
    key = keys.get(keys.newest)
    if key is None:
        raise Locked(scope_id, data_class)
    return key


def key_to_open(
    scope_id: UUID, data_class: DataClass, generation: int, peers: Iterable[UUID] = ()
) -> DataKey:
    """The key of one generation; raises Locked if no key of the class is given out, or UnknownGeneration."""
    key = _keys(scope_id, data_class, peers).get(generation)
    if key is None:
        raise UnknownGeneration(f"keyring.{data_class}", scope_id)
    return key


def is_open(scope_id: UUID, data_class: DataClass, peers: Iterable[UUID] = ()) -> bool:
    """Whether the bearer is given a key of this class for this scope."""
    try:
        _keys(scope_id, data_class, peers)
    except Locked:
        return False
    return True


def fresh(scope_id: UUID) -> frozenset[DataClass]:
    """The classes whose keys this session has for a scope without asking."""
    here = _session.get()
    known = here.ring().get(scope_id.bytes, {}) if here is not None else {}
    return frozenset(DataClass.from_code(code) for code, keys in known.items() if not keys.dead)


def make(scope_id: UUID, guard_id: UUID, classes: Iterable[DataClass]) -> list[NewKey]:
    """New random keys, in memory only until `insert` writes them."""
    suite, new = suites.configured(), []
    for data_class in classes:
        raw = os.urandom(suite.key_bytes)
        new.append(NewKey(scope_id, guard_id, data_class, raw, DataKey(suite, FIRST_GENERATION, raw)))
    return new


def create(scope_id: UUID, guard_id: UUID, classes: Iterable[DataClass]) -> None:
    """Make and write the keys of a scope. `guard_id` is the record whose grants open them."""
    insert(make(scope_id, guard_id, classes))


def insert(new: Sequence[NewKey]) -> None:
    """Write new keys and keep them in the session; raises KeyConflict when one of them exists already."""
    with transaction.atomic(savepoint=False):
        current = {data_class: epochs.current(data_class) for data_class in {key.data_class for key in new}}
        written = _write(new, current)
        if written < len(new):
            written += _write_again(new, current)
        if written != len(new):
            raise KeyConflict(new[0].scope_id, new[0].data_class)
    here = _session.get()
    if here is None:
        return
    life, ring = here.life(), here.ring()
    for key in new:
        ring.setdefault(key.scope_id.bytes, {}).setdefault(key.data_class.code, _Keys()).add_fresh(
            key.ready, life
        )


def _write_again(new: Sequence[NewKey], classes: Iterable[DataClass]) -> int:
    """A second try, under the epochs that the table holds now; what the first one wrote is left as it is."""
    return _write(new, {data_class: epochs.current(data_class, anew=True) for data_class in classes})


def _write(new: Sequence[NewKey], current: dict[DataClass, epochs.Epoch]) -> int:
    """How many keys were written. No RETURNING, no conflict target: the writer may have no right to read."""
    if not new:
        return 0
    columns: list[list[Any]] = [[], [], [], [], [], []]
    for key in new:
        epoch = current[key.data_class]
        values = (
            key.scope_id,
            key.data_class.code,
            key.ready.generation,
            key.guard_id,
            epoch.epoch,
            _wrap(key, epoch),
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
        return int(cursor.rowcount)


_INSERT = f"""
insert into vault_keyring (scope_id, data_class, generation, guard_id, epoch, wrapped, state, created_at)
select k.scope_id, k.data_class, k.generation, k.guard_id, k.epoch, k.wrapped, {epochs.CURRENT}, now()
from unnest(%s::uuid[], %s::smallint[], %s::integer[], %s::uuid[], %s::integer[], %s::bytea[])
  as k (scope_id, data_class, generation, guard_id, epoch, wrapped)
join vault_epochkey e on e.data_class = k.data_class and e.epoch = k.epoch and e.state = {epochs.CURRENT}
on conflict do nothing
"""


def _keys(scope_id: UUID, data_class: DataClass, peers: Iterable[UUID]) -> _Keys:
    here = _session.get()
    if here is None:
        return _ask({}, scope_id, data_class, ())
    ring = here.ring()
    known = ring.get(scope_id.bytes)
    keys = None if known is None else known.get(data_class.code)
    if keys is None or keys.dead:
        return _ask(ring, scope_id, data_class, peers)
    return keys


def _ask(ring: _Ring, scope_id: UUID, data_class: DataClass, peers: Iterable[UUID]) -> _Keys:
    """Fetch this scope's keys together with its peers', unless they have been asked for already."""
    known = ring.get(scope_id.bytes)
    if known is None or any(keys.dead for keys in known.values()):
        ring.pop(scope_id.bytes, None)
        _fetch(ring, (scope_id, *peers))
    elif not getattr(known, "complete", False):
        _fetch_rest(ring, scope_id)
    keys = ring[scope_id.bytes].get(data_class.code)
    if keys is None:
        raise Locked(scope_id, data_class)
    return keys


class _Known(dict[int, _Keys]):
    """What the source has answered for a scope; only such an answer can say that a class is locked."""

    complete = True


def _fetch(ring: _Ring, scopes: Iterable[UUID]) -> None:
    wanted = [scope for scope in dict.fromkeys(scopes) if scope.bytes not in ring]
    if not wanted:
        return
    answers: dict[bytes, _Known] = {scope.bytes: _Known() for scope in wanted}
    for row in _source(wanted):
        scope_id, code, generation, wrapped = row
        clean = KeyRow(scope_id, code, generation, None if wrapped is None else bytes(wrapped))
        answers[scope_id.bytes].setdefault(code, _Keys()).add(clean)
    ring.update(answers)


def _fetch_rest(ring: _Ring, scope_id: UUID) -> None:
    """Ask about a scope of which the session has only keys it made itself, and keep those."""
    made = ring.pop(scope_id.bytes)
    _fetch(ring, (scope_id,))
    ring[scope_id.bytes].update(made)


def _wrap(key: NewKey, epoch: epochs.Epoch) -> bytes:
    nonce, aad = os.urandom(12), _aad(key.data_class.code, key.scope_id, key.ready.generation, epoch.epoch)
    return _WRAP_HEADER + epoch.epoch.to_bytes(4, "big") + nonce + epoch.aead.encrypt(nonce, key.raw, aad)


def _unwrap(row: KeyRow) -> DataKey:
    data_class = DataClass.from_code(row.data_class)
    if row.wrapped is None:
        raise Shredded(row.scope_id, data_class)
    if len(row.wrapped) != _WRAPPED_BYTES or row.wrapped[:2] != _WRAP_HEADER:
        raise NotAuthentic(f"keyring.{data_class}", row.scope_id)
    number = int.from_bytes(row.wrapped[2:6], "big")
    try:
        epoch = epochs.by_number(data_class, number)
        raw = epoch.aead.decrypt(
            row.wrapped[6:18], row.wrapped[18:], _aad(row.data_class, row.scope_id, row.generation, number)
        )
    except (InvalidTag, LookupError):
        raise NotAuthentic(f"keyring.{data_class}", row.scope_id) from None
    return DataKey(suites.SUITES[row.wrapped[1]], row.generation, raw)


def _aad(code: int, scope_id: UUID, generation: int, epoch: int) -> bytes:
    return (
        b"epicase/dek/1"
        + bytes((code,))
        + scope_id.bytes
        + generation.to_bytes(2, "big")
        + epoch.to_bytes(4, "big")
    )
