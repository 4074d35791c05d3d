"""Change capture on django-auditlog: every saved row of an audited model joins the act it belongs to.

django-auditlog's registry, signals and log-entry manager do the wiring. Replaced are its three costs and
leaks: the SELECT before each save (the snapshot `_loaded` taken on load serves instead), the INSERT for each
row (changes wait in the context), and values in diffs (secrets are fingerprints, plain fields their name
unless allow-listed).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import Any, ClassVar, Self
from uuid import UUID

from auditlog.registry import auditlog
from django.apps import apps
from django.conf import settings
from django.db import connections, models
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from audit import context as contexts
from audit.drafts import Change, ObjectRef, code
from audit.errors import AuditOutsideContext, AuditOutsideTransaction, UnguardedBulk
from vault.fields import EncryptedField
from vault.models import EncryptedModel
from vault.secret import UNSEALED, Assigned, Sealed, Secret, fingerprint

_HOW = {0: "create", 1: "update", 2: "delete", 3: "access"}
_allowed: dict[type[models.Model], frozenset[str]] = {}
_bulk: ContextVar[str] = ContextVar("audited_bulk", default="")
# bulk_update() is made of update()s: only the outer statement counts.
_inside: ContextVar[bool] = ContextVar("audited_bulk_inside", default=False)


class AuditedModel(models.Model):
    """A plain model whose changes are captured; `audited_values` lists coded fields whose values are kept.

    Models with encrypted fields have the same snapshot from the vault and need not derive from this.
    """

    audited_values: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> Self:
        """The row as an object that remembers what it was loaded with."""
        instance = super().from_db(db, field_names, values, **options)
        instance._loaded = _snapshot(instance)  # type: ignore[attr-defined]
        return instance


def register(model: type[models.Model], audited_values: Iterable[str] | None = None) -> None:
    """Capture the changes of a model. Models of the vault and AuditedModel are registered by themselves."""
    allowed = getattr(model, "audited_values", ()) if audited_values is None else audited_values
    unknown = set(allowed) - {field.name for field in model._meta.concrete_fields}
    if unknown:
        raise ValueError(f"{model._meta.label}.audited_values names no field: {sorted(unknown)}")
    _allowed[model] = frozenset(allowed)
    if not auditlog.contains(model):
        # Reverse relations would be registered too: name the columns.
        auditlog.register(model, include_fields=[field.name for field in model._meta.concrete_fields])
        for signal in (pre_save, pre_delete):
            signal.connect(_guard, sender=model, dispatch_uid=f"audit.guard.{model._meta.label}")


def is_registered(model: type[models.Model]) -> bool:
    """Whether the model's changes are captured."""
    return model in _allowed


def install() -> None:
    """Put our receivers into django-auditlog's registry, guard bulk statements, register the models."""
    auditlog._signals = {post_save: _saved, post_delete: _deleted}
    _guard_bulk()
    for model in apps.get_models():
        if issubclass(model, (AuditedModel, EncryptedModel)) and model._meta.app_label not in _unwatched():
            register(model)


@contextmanager
def audited_bulk(reason: str) -> Iterator[None]:
    """Permit QuerySet.update and bulk statements on audited models; each is one change with this reason."""
    token = _bulk.set(code(reason, "reason") or "bulk")
    try:
        yield
    finally:
        _bulk.reset(token)


def keep(instance: models.Model, action: int | None, changes: Any, *, force: bool = False) -> None:
    """Let a change wait in the context for its act. This is where django-auditlog's entries end up."""
    fields = {name: _permitted(type(instance), name, pair) for name, pair in (changes or {}).items()}
    if fields or force:
        how = _HOW.get(1 if action is None else action, "update")
        _present(instance._state.db).changes.append(Change(ObjectRef.of(instance), how, fields))


def _unwatched() -> frozenset[str]:
    """Apps of the tests of lower rooms, which know no ledger; nothing can be left out in the product."""
    is_test = getattr(settings, "EPICASE_TEST", False)
    return frozenset(getattr(settings, "AUDIT_UNWATCHED_APPS", ())) if is_test else frozenset()


def _present(using: str | None) -> contexts.Context:
    """The current context, on a connection that is in a transaction."""
    if not contexts.is_open():
        raise AuditOutsideContext("a change outside a request and outside audit_job")
    if not connections[using or "default"].in_atomic_block:
        raise AuditOutsideTransaction("a change and its event must share one COMMIT")
    return contexts.current()


def _guard(sender: type[models.Model], instance: models.Model, using: str, **_: Any) -> None:
    """Refuse before the statement: afterwards, in autocommit, the row would stay."""
    _present(using)


def _saved(sender: type[models.Model], instance: models.Model, created: bool, **kwargs: Any) -> None:
    old = {} if created else getattr(instance, "_loaded", None)
    changes = _difference(instance, old, kwargs.get("update_fields"))
    if changes or created:
        _ledger().log_create(instance, force_log=created, action=0 if created else 1, changes=changes)
    _remember(instance, kwargs.get("update_fields"))


def _deleted(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    _ledger().log_create(instance, force_log=True, action=2, changes={})


def _ledger() -> Any:
    from audit.models import Event

    return Event.objects


def _difference(
    instance: models.Model, old: dict[str, Any] | None, update_fields: Iterable[str] | None
) -> dict[str, tuple[Any, Any]]:
    """Field name to (old, new); without a snapshot every written field counts as changed."""
    written = set(update_fields) if update_fields is not None else None
    found = {}
    for field in instance._meta.concrete_fields:
        if field.primary_key or (field.attname not in instance.__dict__ and field.attname not in (old or {})):
            continue
        if written is not None and not {field.name, field.attname} & written:
            continue
        before = None if old is None else old.get(field.attname)
        after = _raw(instance, field)
        if (old is None or before != after) and not (before is None and after is None):
            found[field.name] = (before, after)
    return found


def _remember(instance: models.Model, update_fields: Iterable[str] | None) -> None:
    """Let the snapshot follow what has been written."""
    if isinstance(instance, AuditedModel):
        written = None if update_fields is None else set(update_fields)
        fresh = _snapshot(instance)
        if written is not None:
            known: dict[str, Any] = getattr(instance, "_loaded", {})
            names = {f.attname for f in instance._meta.concrete_fields if {f.name, f.attname} & written}
            fresh = known | {name: value for name, value in fresh.items() if name in names}
        instance._loaded = fresh  # type: ignore[attr-defined]


def _snapshot(instance: models.Model) -> dict[str, Any]:
    loaded = instance.__dict__
    return {f.attname: loaded[f.attname] for f in instance._meta.concrete_fields if f.attname in loaded}


def _raw(instance: models.Model, field: "models.Field[Any, Any]") -> Any:
    return instance.__dict__.get(field.attname)


def _permitted(model: type[models.Model], name: str, pair: Any) -> list[Any] | None:
    """What the ledger may keep of a field's two values: fingerprints, allow-listed codes, else nothing."""
    if not isinstance(pair, tuple) or len(pair) != 2:
        return None
    old, new = pair
    if _is_secret_field(model, name):
        return [_fingerprint(old), _fingerprint(new)]
    if name in _allowed.get(model, ()):
        return [_coded(old), _coded(new)]
    return None


def _is_secret_field(model: type[models.Model], name: str) -> bool:
    return isinstance(model._meta.get_field(name), EncryptedField)


def _fingerprint(value: Any) -> str | None:
    """The vault's fingerprint of a sealed value; what is not sealed stays unknown."""
    if value is None:
        return None
    sealed = value.sealed if isinstance(value, (Assigned, Secret)) else value
    return fingerprint(sealed) if isinstance(sealed, Sealed) else UNSEALED


def _coded(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)[:80]
        case datetime():
            return value.isoformat()
        case date() | UUID() | Decimal():
            return str(value)
        case _:
            return None


def _guard_bulk() -> None:
    """Wrap the four statements that no signal tells of; what is not audited passes untouched."""
    for name in ("update", "bulk_create", "bulk_update"):
        original = getattr(models.QuerySet, name)
        if not hasattr(original, "audited"):
            setattr(models.QuerySet, name, _guarded(name, original))


def _guarded(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def statement(queryset: Any, *args: Any, **kwargs: Any) -> Any:
        if _inside.get() or not is_registered(queryset.model):
            return original(queryset, *args, **kwargs)
        reason = _bulk.get()
        if not reason:
            raise UnguardedBulk(f"{queryset.model._meta.label}: {name}() outside audited_bulk")
        context = _present(queryset.db)
        token = _inside.set(True)
        try:
            changes, result = _run(name, original, queryset, args, kwargs, reason)
        finally:
            _inside.reset(token)
        context.changes += changes
        return result

    statement.audited = True  # type: ignore[attr-defined]
    return statement


def _run(  # noqa: PLR0917 (the pieces of one call)
    name: str,
    original: Callable[..., Any],
    queryset: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    reason: str,
) -> tuple[list[Change], Any]:
    if name == "update":
        touched = [_bulk_change(one, name, kwargs, reason) for one in queryset.all()]
        return touched, original(queryset, *args, **kwargs)
    objects = list(args[0] if args else kwargs.pop("objs"))
    fields = (args[1] if len(args) > 1 else kwargs.get("fields", ())) if name == "bulk_update" else ()
    result = original(queryset, objects, *args[1:], **kwargs)
    return [_bulk_change(one, name, fields, reason) for one in objects], result


def _bulk_change(instance: models.Model, name: str, fields: Iterable[str], reason: str) -> Change:
    return Change(ObjectRef.of(instance), name, dict.fromkeys(fields), bulk=reason)
