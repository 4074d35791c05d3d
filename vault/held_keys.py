"""The keys that one request or job holds: by bearer, scope and class, for as long as what made them counts."""

from collections.abc import Hashable, Iterable
from typing import NoReturn

from django.db import connection, transaction

from vault import key_source, wrapping
from vault.ciphertext import DataKey
from vault.errors import PlainTextRefused
from vault.key_source import KeyRow
from vault.wrapping import NewKey

# By the bytes of the scope id and the code of the class: UUIDs and enumerations are slow keys.
Ring = dict[bytes, dict[int, "Keys"]]


class Keys:
    """All generations of one (scope, class); unwrapped when first needed."""

    __slots__ = ("_ready", "_rows", "life", "newest")

    def __init__(self) -> None:
        self._rows: dict[int, KeyRow] = {}
        self._ready: dict[int, DataKey] = {}
        self.life: Life | None = None
        self.newest = 0

    def add(self, row: KeyRow) -> None:
        self._rows[row.generation] = row
        self.newest = max(self.newest, row.generation)

    def add_fresh(self, key: DataKey, life: "Life") -> None:
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
            ready = self._ready[generation] = wrapping.unwrap(self._rows[generation])
        return ready


class Known(dict[int, Keys]):
    """What the source has answered for a scope; only such an answer can say that a class is locked."""

    complete = True


class Life:
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


class HeldKeys:
    """The keys of one request or job, by bearer."""

    __slots__ = ("_lives", "rings")

    def __init__(self) -> None:
        self.rings: dict[Hashable, Ring] = {}
        self._lives: dict[frozenset[str], Life] = {}

    def ring(self) -> Ring:
        bearer = key_source.bearer()
        found = self.rings.get(bearer)
        if found is None:
            found = self.rings[bearer] = {}
        return found

    def life(self) -> Life:
        """One marker per stack of savepoints: what is born in the same stack shares its fate."""
        stack = frozenset(connection.savepoint_ids)
        life = self._lives.get(stack)
        if life is None or life.committed or not life.alive:
            life = self._lives[stack] = Life()
        return life

    def keep(self, new: Iterable[NewKey]) -> None:
        """Hold keys that were just written, until their writing is undone."""
        life, ring = self.life(), self.ring()
        for key in new:
            known = ring.setdefault(key.scope_id.bytes, {})
            known.setdefault(key.data_class.code, Keys()).add_fresh(key.ready, life)

    def __repr__(self) -> str:
        return "<keyring session>"

    def __reduce__(self) -> NoReturn:
        raise PlainTextRefused("a key session is neither copied nor pickled")
