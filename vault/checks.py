"""System checks: what must hold for models with encrypted fields, or data would be lost or misplaced."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import models
from django.db.models.constants import LOOKUP_SEP

from vault import labels, providers
from vault.errors import ProviderError
from vault.fields import EncryptedField
from vault.models import EncryptedModel
from vault.queries import EncryptedQuerySet

Found = Iterator[CheckMessage]


@register(Tags.models)
def check_models(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Every rule over every model."""
    chosen = [
        model for model in apps.get_models() if app_configs is None or model._meta.app_config in app_configs
    ]
    found: list[CheckMessage] = []
    for model in chosen:
        found += check_model(model)
    return found + list(_labels())


def check_model(model: type[models.Model]) -> list[CheckMessage]:
    """Every rule over one model."""
    fields = [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]
    if not issubclass(model, EncryptedModel):
        return (
            [_error(model, 1, "has encrypted fields but does not derive from EncryptedModel")]
            if fields
            else []
        )
    return [message for rule in _RULES for message in rule(model, fields)]


@register(Tags.security, deploy=True)
def check_provider(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The key provider answers."""
    try:
        health = providers.configured().health()
    except ProviderError as error:
        return [Error(str(error), id="vault.E020")]
    return [] if health.ok else [Error(health.message, id="vault.E020")]


def _primary_key(model: type[EncryptedModel], fields: list[EncryptedField[Any, Any]]) -> Found:
    key = model._meta.pk
    if not isinstance(key, models.UUIDField) or key.name != "id" or not callable(key.default):
        yield _error(
            model, 2, "needs a primary key `id` that is a UUID made in Python; keep EncryptedModel's"
        )
    if len(model._meta.parents) > 0:
        yield _error(model, 2, "may not inherit from a concrete model: its values would be bound to two rows")


def _managers(model: type[EncryptedModel], fields: list[EncryptedField[Any, Any]]) -> Found:
    for manager in (model._default_manager, model._base_manager):
        if not issubclass(type(manager.get_queryset()), EncryptedQuerySet):
            yield _error(model, 3, f"manager {manager.name} must give an EncryptedQuerySet")


def _database_defaults(model: type[EncryptedModel], fields: list[EncryptedField[Any, Any]]) -> Found:
    for field in model._meta.local_fields:
        if field.db_returning or field.has_db_default():
            yield _error(
                model,
                4,
                f"{field.name}: a value made by the database needs INSERT … RETURNING, which rights refuse",
            )


def _places(model: type[EncryptedModel], fields: list[EncryptedField[Any, Any]]) -> Found:
    columns = {field.attname: field for field in model._meta.concrete_fields}
    for name in (model.vault_scope, model.vault_guard or model.vault_scope):
        if name not in columns:
            yield _error(
                model,
                5,
                f"vault_scope/vault_guard {name!r} is no column: write the attribute, such as case_id",
            )
        elif columns[name].null and name == model.vault_scope:
            yield _error(model, 5, f"vault_scope {name!r} may not be null")


def _options(model: type[EncryptedModel], fields: list[EncryptedField[Any, Any]]) -> Found:
    for field in fields:
        if field.primary_key or field.unique or field.db_index or field.has_db_default():  # type: ignore[attr-defined]
            yield _error(
                model,
                6,
                f"{field.name}: an encrypted column has no index, unique constraint or database default",
            )
        if (
            not field.label
            or len(field.label) > 100
            or not field.label.isascii()
            or set(field.label) & set(" *")
        ):
            yield _error(
                model, 7, f"{field.name}: label {field.label!r} must be short, plain and without spaces"
            )


def _meta(model: type[EncryptedModel], fields: list[EncryptedField[Any, Any]]) -> Found:
    sealed = {field.name for field in fields}
    named = {str(term).lstrip("-").split(LOOKUP_SEP)[0] for term in model._meta.ordering or ()}
    for index in model._meta.indexes:
        named.update(name.lstrip("-") for name in index.fields)
    for constraint in model._meta.constraints:
        named.update(getattr(constraint, "fields", ()))
    if model._meta.get_latest_by:
        latest = model._meta.get_latest_by
        named.update(name.lstrip("-") for name in ([latest] if isinstance(latest, str) else latest))
    for name in sorted(sealed & named):
        yield _error(model, 8, f"{name}: encrypted, so it can stand in no ordering, index or constraint")


def _labels() -> Found:
    seen: dict[str, type[models.Model]] = {}
    for model in apps.get_models():
        for field in model.encrypted_fields() if issubclass(model, EncryptedModel) else ():
            if field.label in seen:
                yield _error(
                    model, 9, f"label {field.label!r} is also used by {seen[field.label]._meta.label}"
                )
            seen[field.label] = model
    for label in labels.changed():
        yield Error(f"label {label} is frozen with another class or type; use a new label", id="vault.E010")


_RULES: tuple[Callable[[type[EncryptedModel], list[EncryptedField[Any, Any]]], Found], ...] = (
    _primary_key, _managers, _database_defaults, _places, _options, _meta,
)  # fmt: skip


def _error(model: type[models.Model], number: int, text: str) -> Error:
    return Error(f"{model._meta.label}: {text}", obj=model, id=f"vault.E{number:03}")
