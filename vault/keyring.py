"""The keyring: one random data key per (scope, class), fetched for many scopes at once, kept for one request.

Keys live in a session (`with session():`), filed under their *bearer*, so that what one actor fetched is never
used by another in it. Without a session every use asks the source (`vault.key_source`). New keys are made in
`vault.new_keys`.

Doors: a generation above 1 (rotation) is understood when reading; a row without its wrapped key (shredding)
reads as Shredded. Neither is written here yet.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from vault import key_source
from vault.ciphertext import DataKey
from vault.classes import DataClass
from vault.errors import Locked, UnknownGeneration
from vault.held_keys import HeldKeys, Keys, Known, Ring
from vault.key_source import KeyRow
from vault.wrapping import NewKey

_session: ContextVar[HeldKeys | None] = ContextVar("vault_keyring_session", default=None)


@contextmanager
def session() -> Iterator[None]:
    """Keep keys inside this block, and nowhere else; an inner block starts empty."""
    token = _session.set(HeldKeys())
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
        keys = here.rings[key_source.bearer()][scope][code]
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


def keep(new: Iterable[NewKey]) -> None:
    """Hold keys that were just written, where there is a session."""
    here = _session.get()
    if here is not None:
        here.keep(new)


def _keys(scope_id: UUID, data_class: DataClass, peers: Iterable[UUID]) -> Keys:
    here = _session.get()
    if here is None:
        return _ask({}, scope_id, data_class, ())
    ring = here.ring()
    known = ring.get(scope_id.bytes)
    keys = None if known is None else known.get(data_class.code)
    if keys is None or keys.dead:
        return _ask(ring, scope_id, data_class, peers)
    return keys


def _ask(ring: Ring, scope_id: UUID, data_class: DataClass, peers: Iterable[UUID]) -> Keys:
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


def _fetch(ring: Ring, scopes: Iterable[UUID]) -> None:
    wanted = [scope for scope in dict.fromkeys(scopes) if scope.bytes not in ring]
    if not wanted:
        return
    answers: dict[bytes, Known] = {scope.bytes: Known() for scope in wanted}
    for row in key_source.ask(wanted):
        scope_id, code, generation, wrapped = row
        clean = KeyRow(scope_id, code, generation, None if wrapped is None else bytes(wrapped))
        answers[scope_id.bytes].setdefault(code, Keys()).add(clean)
    ring.update(answers)


def _fetch_rest(ring: Ring, scope_id: UUID) -> None:
    """Ask about a scope of which the session has only keys it made itself, and keep those."""
    made = ring.pop(scope_id.bytes)
    _fetch(ring, (scope_id,))
    ring[scope_id.bytes].update(made)
