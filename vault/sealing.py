"""Sealing and opening the fields of a record: the one place where records, keys and ciphertexts meet."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from vault import ciphertext, keyring, new_keys
from vault.ciphertext import Context, DataKey
from vault.classes import RECORD_CLASSES, DataClass
from vault.errors import Locked, ScopeMoved
from vault.wrapping import NewKey

if TYPE_CHECKING:
    from vault.fields import EncryptedField
    from vault.models import EncryptedModel
    from vault.secret import Assigned, Sealed

Place = tuple[UUID, UUID]


def place(record: "EncryptedModel") -> Place:
    """The scope and row id a value sealed now belongs to."""
    return _uuid(record.vault_scope_id()), _uuid(record.id)


def origin(record: "EncryptedModel") -> Place:
    """The scope and row id the record's stored values belong to, even if code has changed either since."""
    loaded = record._loaded
    if not loaded:
        return place(record)
    scope, row = loaded.get(record.vault_scope), loaded.get("id")
    return _uuid(record.vault_scope_id() if scope is None else scope), _uuid(
        record.id if row is None else row
    )


def open_sealed(record: "EncryptedModel", field: "EncryptedField[Any, Any]", sealed: "Sealed") -> bytes:
    """The canonical plain bytes of a stored value; opened each time, kept nowhere."""
    where = _origin_bytes(record)
    generation = int.from_bytes(sealed[2:4], "big")
    key = keyring.ready(where[:16], field.data_class.code, generation)
    if key is None:
        scope, row = origin(record)
        generation = ciphertext.generation_of(sealed, field.label, row)
        key = keyring.key_to_open(scope, field.data_class, generation, record.__dict__.get("_peers", ()))
    plain = ciphertext.try_open(key, sealed, field.bound_name + where)
    if plain is None:
        raise ciphertext.refusal(key, sealed, Context(field.data_class, field.label, *origin(record)))
    return plain


def _origin_bytes(record: "EncryptedModel") -> bytes:
    """The bytes of scope and row id, kept for as long as the record's snapshot is the same."""
    facts, loaded = record.__dict__, record._loaded
    kept = facts.get("_origin")
    if kept is None or kept[0] is not loaded or not loaded:
        scope, row = origin(record)
        kept = facts["_origin"] = (loaded, scope.bytes + row.bytes)
    where: bytes = kept[1]
    return where


def is_open(record: "EncryptedModel", field: "EncryptedField[Any, Any]") -> bool:
    """Whether the bearer is given the key of this field's class."""
    return keyring.is_open(origin(record)[0], field.data_class, record.__dict__.get("_peers", ()))


def seal_assigned(record: "EncryptedModel", field: "EncryptedField[Any, Any]", held: "Assigned") -> "Sealed":
    """The sealed form of an assigned value; an equal value keeps the ciphertext that stood there."""
    from vault.secret import Sealed

    here = place(record)
    if held.sealed is None or held.place != here:
        key, where = (
            _key_to_seal(record, field.data_class, here),
            field.bound_name + here[0].bytes + here[1].bytes,
        )
        if held.before is not None and ciphertext.try_open(key, held.before, where) == held.plain:
            held.sealed = held.before
        else:
            held.sealed = Sealed(ciphertext.seal_at(key, held.plain, field.data_class, where))
        held.place = here
    return held.sealed


def seal_record(record: "EncryptedModel", attnames: Iterable[str] | None = None) -> None:
    """Seal what has been assigned (to these attributes only, if named), so that the record can be written."""
    from vault.secret import Assigned

    wanted, facts = None if attnames is None else set(attnames), record.__dict__
    for field in record.encrypted_fields():
        held = facts.get(field.attname)
        if type(held) is Assigned and (wanted is None or field.attname in wanted):
            facts[field.attname] = seal_assigned(record, field, held)


def begin(record: "EncryptedModel") -> None:
    """Make, in memory, the keys a new record brings with it."""
    if record.vault_scope != "id":
        return
    have = keyring.fresh(_uuid(record.id)) | {key.data_class for key in made(record)}
    _make(record, [data_class for data_class in classes_of(type(record)) if data_class not in have])


def rebind(record: "EncryptedModel") -> None:
    """Turn stored values into assigned ones, to be sealed again where the record is now."""
    from vault.secret import Assigned, Sealed

    for field in record.encrypted_fields():
        held = getattr(record, field.attname)  # loads a deferred field
        held = record.__dict__[field.attname] if held is not None else None
        if isinstance(held, Sealed):
            record.__dict__[field.attname] = Assigned(open_sealed(record, field, held), None)
    record.__dict__.pop("_made", None)


def refuse_moved(record: "EncryptedModel") -> None:
    """A record whose scope was changed by assignment cannot be saved as it is."""
    if record._loaded and origin(record) != place(record):
        raise ScopeMoved(f"{record._meta.label} {record.id} was moved to another scope: use rescope()")


def made(record: "EncryptedModel") -> list[NewKey]:
    """The keys made for this record and not written yet."""
    keys: list[NewKey] = record.__dict__.get("_made", [])
    return [key for key in keys if key.scope_id == place(record)[0]]


def write_keys(records: Sequence["EncryptedModel"]) -> None:
    """Write the keys made for these records, after the records themselves: the row check may ask for them."""
    new = [key for record in records for key in made(record)]
    if new:
        new_keys.insert(new)
    for record in records:
        record.__dict__.pop("_made", None)


def classes_of(model: type["EncryptedModel"]) -> tuple[DataClass, ...]:
    """The classes a new scope of this model gets keys for: all record classes if it has a field of any."""
    own = dict.fromkeys(field.data_class for field in model.encrypted_fields())
    if model.vault_classes is not None:
        return tuple(dict.fromkeys((*model.vault_classes, *own)))
    if any(data_class in RECORD_CLASSES for data_class in own):
        return tuple(dict.fromkeys((*RECORD_CLASSES, *own)))
    return tuple(own)


def _key_to_seal(record: "EncryptedModel", data_class: DataClass, here: Place) -> DataKey:
    for key in record.__dict__.get("_made", ()):
        if key.data_class is data_class and key.scope_id == here[0]:
            ready: DataKey = key.ready
            return ready
    adding = record._state.adding
    if adding and record.vault_scope == "id" and data_class not in keyring.fresh(here[0]):
        return _make(record, [data_class])[0].ready
    try:
        return keyring.key_to_seal(here[0], data_class, record.__dict__.get("_peers", ()))
    except Locked:
        # Either not ours to use or never made. Writing tells: an existing key makes the insert fail.
        return _make(record, [data_class])[0].ready


def _make(record: "EncryptedModel", classes: list[DataClass]) -> list[NewKey]:
    new = new_keys.make(_uuid(record.vault_scope_id()), _uuid(record.vault_guard_id()), classes)
    record.__dict__.setdefault("_made", []).extend(new)
    return new


def _uuid(value: object) -> UUID:
    return value if type(value) is UUID else UUID(str(value))
