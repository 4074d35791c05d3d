"""Querysets of encrypted models: keys for a whole result at once, and no question ciphertext cannot answer.

Door: `find()` and `opened()` belong here.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction
from django.db.models import sql

from vault import keyring, sealing
from vault.errors import EncryptedLookupError

if TYPE_CHECKING:
    from vault.models import EncryptedModel

M = TypeVar("M", bound="EncryptedModel")


class EncryptedQuery(sql.Query):
    """A query that names no encrypted column in an expression or an order."""

    def resolve_ref(
        self, name: str, allow_joins: bool = True, reuse: set[str] | None = None, summarize: bool = False
    ) -> Any:
        _refuse_sealed(self.model, name, "an expression")
        return super().resolve_ref(name, allow_joins, reuse, summarize)

    def add_ordering(self, *ordering: Any) -> None:
        for term in ordering:
            if isinstance(term, str):
                _refuse_sealed(self.model, term.lstrip("-+"), "order_by")
        super().add_ordering(*ordering)


class EncryptedQuerySet(models.QuerySet[M, Any]):
    """A queryset whose records know their peers, so that the first opened value fetches the keys of all."""

    _bulk_updating = False

    def __init__(
        self,
        model: type[M] | None = None,
        query: sql.Query | None = None,
        using: str | None = None,
        hints: dict[str, models.Model] | None = None,
    ) -> None:
        if query is None and model is not None:
            query = EncryptedQuery(model)
        super().__init__(model=model, query=query, using=using, hints=hints)

    if TYPE_CHECKING:

        @classmethod
        def as_manager(cls) -> models.Manager[Any]: ...

    def _clone(self) -> Any:
        clone = super()._clone()  # type: ignore[misc]
        clone._bulk_updating = self._bulk_updating
        return clone

    def _fetch_all(self) -> None:
        unread = self._result_cache is None
        super()._fetch_all()
        if unread:
            introduce(self._result_cache, related=bool(self.query.select_related))

    def _iterator(self, use_chunked_fetch: bool, chunk_size: int | None) -> Iterator[Any]:
        rows: Iterator[Any] = super()._iterator(use_chunked_fetch, chunk_size)  # type: ignore[misc]
        while chunk := list(islice(rows, chunk_size or 2000)):
            introduce(chunk, related=bool(self.query.select_related))
            yield from chunk

    def distinct(self, *field_names: str) -> Any:
        for name in field_names:
            _refuse_sealed(self.model, name, "distinct")
        return super().distinct(*field_names)

    def update(self, **values: Any) -> int:
        """Refuses encrypted fields: sealing needs the record, and the ledger needs to know."""
        if not self._bulk_updating:
            for name, value in values.items():
                _refuse_sealed(self.model, name, "update()")
                for ref in _references(value):
                    _refuse_sealed(self.model, ref, "an expression")
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(  # noqa: PLR0917  Django's own signature
        self,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[M]:
        """Seal and insert many records, then their keys, in one transaction."""
        if ignore_conflicts or update_conflicts:
            raise EncryptedLookupError(
                "sealed records are inserted whole: conflicts can be neither ignored nor merged"
            )
        records = list(objs)
        with transaction.atomic(using=self.db, savepoint=False):
            for record in records:
                record.vault_begin()
                sealing.seal_record(record)
            super().bulk_create(records, batch_size)
            sealing.write_keys(records)
        for record in records:
            record.vault_written()
        return records

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None) -> int:
        """Seal and update many records."""
        records, names = list(objs), list(fields)
        attnames = self.model.attnames(names)
        warm(records)
        with transaction.atomic(using=self.db, savepoint=False):
            for record in records:
                sealing.refuse_moved(record)
                sealing.seal_record(record, attnames)
            bulk = self._chain()  # type: ignore[attr-defined]
            bulk._bulk_updating = True
            # Through the class: `super()` would start from this queryset, which refuses encrypted fields.
            count: int = models.QuerySet.bulk_update(bulk, records, names, batch_size)
            sealing.write_keys(records)
        for record in records:
            record.vault_written(attnames)
        return count

    bulk_update.alters_data = True  # type: ignore[attr-defined]


class EncryptedManager(models.Manager.from_queryset(EncryptedQuerySet)):  # type: ignore[misc]
    """The manager of every model with encrypted fields."""


def warm(records: Iterable["EncryptedModel"]) -> None:
    """Fetch the keys of all these records in one call."""
    keyring.warm([sealing.origin(record)[0] for record in records])


def introduce(records: Sequence[Any] | None, *, related: bool = False) -> None:
    """Let the records of one result know each other's scopes."""
    from vault.models import EncryptedModel

    if not records:
        return
    if isinstance(records[0], EncryptedModel):
        scope = records[0].vault_scope
        peers = tuple(dict.fromkeys([record.__dict__.get(scope) for record in records]))
        if len(peers) > 1:
            for record in records:
                record.__dict__["_peers"] = peers
    if related:
        _introduce_related(records)


def _introduce_related(records: Sequence[Any]) -> None:
    """The same for records that came along by select_related, model by model."""
    from vault.models import EncryptedModel

    found: dict[type, list[Any]] = {}
    for record in records:
        for other in record._state.fields_cache.values() if isinstance(record, models.Model) else ():
            if isinstance(other, models.Model):
                found.setdefault(type(other), []).append(other)
    for model, others in found.items():
        introduce(others if issubclass(model, EncryptedModel) else [], related=False)
        _introduce_related([other for other in others if other._state.fields_cache])


def _references(value: Any) -> Iterator[str]:
    """The names of all columns a database expression mentions."""
    if isinstance(value, models.F):
        yield value.name  # type: ignore[attr-defined]
    elif hasattr(value, "get_source_expressions"):
        for part in value.get_source_expressions():
            yield from _references(part)


def _refuse_sealed(model: type[models.Model] | None, path: str, what: str) -> None:
    from vault.fields import EncryptedField

    for part in path.split("__"):
        if model is None:
            return
        try:
            field = model._meta.get_field(part) if part != "pk" else model._meta.pk
        except FieldDoesNotExist:
            return
        if isinstance(field, EncryptedField):
            _refuse(field.label, what)
        related = getattr(field, "related_model", None)
        model = None if isinstance(related, str) else related


def _refuse(label: str, what: str) -> NoReturn:
    raise EncryptedLookupError(f"{label} is encrypted: {what} cannot work on it. Use find() to search it.")


__all__ = ["EncryptedManager", "EncryptedQuery", "EncryptedQuerySet", "introduce", "warm"]
