"""Who is told when a value is revealed. The vault knows nobody: a higher room installs the witness."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from vault.classes import DataClass
from vault.errors import NoWitness

# Called with the record, the field's name and its class, before the value is handed over. If it raises,
# nothing is.
Witness = Callable[[Any, str, DataClass], None]

_installed: list[Witness] = []
_watching: ContextVar[Witness | None] = ContextVar("vault_watching", default=None)


def install(witness: Witness) -> None:
    """Make `witness` the one who is told of every reveal in this process."""
    _installed[:] = [witness]


@contextmanager
def watching(witness: Witness) -> Iterator[None]:
    """Let another witness be told instead, inside this block only."""
    token = _watching.set(witness)
    try:
        yield
    finally:
        _watching.reset(token)


def required() -> Witness:
    """The witness in place; raises NoWitness when there is none."""
    witness = _watching.get()
    if witness is not None:
        return witness
    if not _installed:
        raise NoWitness("no witness is installed: a value may not be revealed unseen")
    return _installed[0]
