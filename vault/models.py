"""The base of every model with encrypted fields, and the two tables of keys.

Door for shredding: a keyring row whose `wrapped` is NULL is a tombstone.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import DatabaseError, models, transaction
from django.db.models.base import ModelBase
from django.utils import timezone

from vault import sealing
from vault.classes import DataClass
from vault.errors import RecordGone
from vault.queries import EncryptedManager

if TYPE_CHECKING:
    from vault.fields import EncryptedField


class EncryptedModel(models.Model):
    """A record with encrypted fields, in a scope, whose keys seal it; the grants of its guard open them.

    `vault_scope` and `vault_guard` name the columns that hold them: a case is its own scope and guard; a
    visit has `vault_scope = "case_id"`; a contact is its own scope, with `vault_guard = "source_case_id"`.
    """

    vault_scope: ClassVar[str] = "id"
    vault_guard: ClassVar[str] = ""
    # More classes a new scope gets keys for; by default all record classes if it has a field of any.
    vault_classes: ClassVar[tuple[DataClass, ...] | None] = None
    # What the star in an inherited label stands for; by default the model's name.
    vault_label: ClassVar[str] = ""

    # The raw values as last read from or written to the database, by attribute: Sealed bytes for secrets.
    _loaded: Mapping[str, Any] = MappingProxyType({})

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    # Hidden from the type checker, so that a model may have a manager of its own kind.
    if not TYPE_CHECKING:
        objects = EncryptedManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle carries: sealed values only; raises if one is not sealed yet."""
        state: dict[str, Any] = super().__getstate__()
        for private in ("_peers", "_made", "_origin"):
            state.pop(private, None)
        state["_loaded"] = dict(self._loaded)
        return state

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Seal what was assigned and write: an insert when adding, else an update that must meet its row."""
        attnames = None if update_fields is None else self.attnames(update_fields)
        adding = self.vault_begin() or bool(force_insert)
        with transaction.atomic(using=using, savepoint=False):
            sealing.seal_record(self, attnames)
            try:
                super().save(
                    force_insert=force_insert or adding,
                    force_update=not adding and (force_update or update_fields is None),
                    using=using,
                    update_fields=None if adding else update_fields,
                )
            except DatabaseError as error:
                # Django's own "did not affect any rows" has no driver error behind it.
                if adding or type(error) is not DatabaseError or error.__cause__ is not None:
                    raise
                raise RecordGone(f"{self._meta.label} {self.id} is gone or not yours to change") from None
            sealing.write_keys([self])
        self.vault_written(attnames)

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> Self:
        record = super().from_db(db, field_names, values, **options)
        record._loaded = dict(zip(field_names, values, strict=False))
        return record

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        names = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self.vault_written(None if names is None else self.attnames(names))

    def rescope(self) -> None:
        """Seal everything anew for the scope the record has now; save() then moves it."""
        sealing.rebind(self)
        self._loaded = dict(self._loaded) | {self.vault_scope: self.vault_scope_id()}
        sealing.seal_record(self)

    def vault_scope_id(self) -> uuid.UUID:
        """Whose keys seal this record."""
        scope: uuid.UUID = getattr(self, self.vault_scope)
        return scope

    def vault_guard_id(self) -> uuid.UUID:
        """Whose grants open the keys of this record's scope."""
        guard: uuid.UUID = getattr(self, self.vault_guard or self.vault_scope)
        return guard

    @classmethod
    def encrypted_fields(cls) -> "tuple[EncryptedField[Any, Any], ...]":
        """The model's encrypted fields in order."""
        return _encrypted_fields(cls)

    def raw_values(self) -> dict[str, Any]:
        """The values as they are or will be stored, by attribute, without those not loaded."""
        facts = self.__dict__
        return {
            field.attname: facts[field.attname]
            for field in self._meta.concrete_fields
            if field.attname in facts
        }

    def vault_begin(self) -> bool:
        """Prepare for writing; whether the record is to be inserted. A copied record is sealed anew."""
        if self.id is None:
            self.id, self._state.adding = uuid.uuid4(), True
        if self._loaded and self._loaded.get("id") not in (None, self.id):
            self._state.adding = True
            sealing.rebind(self)
            self._loaded = MappingProxyType({})
        if self._state.adding:
            sealing.begin(self)
            return True
        sealing.refuse_moved(self)
        return False

    def vault_written(self, attnames: Iterable[str] | None = None) -> None:
        """Take what stands in the attributes for what stands in the database."""
        raw = self.raw_values()
        if attnames is None:
            self._loaded = raw
        else:
            self._loaded = dict(self._loaded) | {name: raw[name] for name in attnames if name in raw}

    @classmethod
    def attnames(cls, names: Iterable[str]) -> list[str]:
        """The attributes that hold these fields' columns."""
        return [cls._meta.get_field("id" if name == "pk" else name).attname for name in names]  # type: ignore[union-attr]


@cache
def _encrypted_fields(model: type[models.Model]) -> "tuple[EncryptedField[Any, Any], ...]":
    from vault.fields import EncryptedField

    return tuple(field for field in model._meta.concrete_fields if isinstance(field, EncryptedField))


class EpochKey(models.Model):
    """A wrapping key of one class, wrapped by the provider's root key. Written by vault.epochs only."""

    pk = models.CompositePrimaryKey("data_class", "epoch")
    data_class = models.SmallIntegerField()
    epoch = models.IntegerField()
    root_version = models.IntegerField()
    wrapped = models.BinaryField()
    state = models.SmallIntegerField(default=1)  # 1 current, 2 retired: opens, seals nothing new
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"epoch {self.epoch} of class {self.data_class}"


class KeyringEntry(models.Model):
    """The wrapped data key of one scope and class. Written by vault.new_keys only; web roles never read it."""

    pk = models.CompositePrimaryKey("scope_id", "data_class", "generation")
    scope_id = models.UUIDField()
    data_class = models.SmallIntegerField()
    generation = models.SmallIntegerField(default=1)
    guard_id = models.UUIDField(db_index=True)
    epoch = models.IntegerField(db_index=True)
    wrapped = models.BinaryField(null=True)
    state = models.SmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "vault_keyring"

    def __str__(self) -> str:
        return f"key of class {self.data_class}, scope {self.scope_id}"
