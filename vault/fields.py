"""Encrypted model fields: the column is `bytea`, the attribute a Secret, the form field an ordinary one.

    full_name = EncryptedTextField("identity", "case.full_name", mask=masks.name, max_length=100)

The label is frozen: it is part of what a value is bound to, and stands in `vault/labels.lock`. An abstract
model writes `*.full_name`; the star becomes each concrete model's `vault_label` (or its model name).

Columns can only be asked whether they are null. Door: find() will answer equality through blind indexes.
"""

import base64
import datetime
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar, overload

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from vault import ciphertext, masks
from vault.classes import DataClass
from vault.errors import EncryptedLookupError, PlainTextRefused
from vault.forms import (
    SecretCharField,
    SecretChoiceField,
    SecretDateField,
    SecretDateTimeField,
    SecretDecimalField,
    SecretIntegerField,
    SecretJSONField,
)
from vault.secret import Assigned, Sealed, Secret, open_quietly

if TYPE_CHECKING:
    from vault.models import EncryptedModel

ST = TypeVar("ST")  # what may be assigned
GT = TypeVar("GT")  # what reading gives: a Secret, or None as well
T = TypeVar("T")
Mask = Callable[[str], str]


if TYPE_CHECKING:
    _Field = models.Field
else:
    # Django's Field takes no type parameters at run time.
    class _Field(models.Field, Generic[ST, GT]):
        pass


class SecretAttribute:
    """Reads as a Secret or None, takes plain values; nothing is opened by reading."""

    def __init__(self, field: "EncryptedField[Any, Any]") -> None:
        self.field = field
        self.attname = field.attname

    @overload
    def __get__(self, record: None, owner: type) -> "SecretAttribute": ...
    @overload
    def __get__(self, record: "EncryptedModel", owner: type) -> Secret[Any] | None: ...
    def __get__(self, record: "EncryptedModel | None", owner: type) -> "SecretAttribute | Secret[Any] | None":
        if record is None:
            return self
        try:
            held = record.__dict__[self.attname]
        except KeyError:
            record.refresh_from_db(fields=[self.attname])
            held = record.__dict__[self.attname]
        return None if held is None else Secret(record, self.field, held)

    def __set__(self, record: "EncryptedModel", value: Any) -> None:
        if value is None or type(value) is Sealed:
            record.__dict__[self.attname] = value
        else:
            self._assign(record, value)

    def _assign(self, record: "EncryptedModel", value: Any) -> None:
        attname = self.field.attname
        if isinstance(value, Secret):
            if value._field.label == self.field.label and value._record.id == record.id:
                record.__dict__[attname] = value._held
                return
            value = open_quietly(value)
        if hasattr(value, "resolve_expression"):
            raise EncryptedLookupError(f"{self.field.label}: a database expression cannot be sealed")
        before = record.__dict__.get(attname)
        before = before.before if isinstance(before, Assigned) else before
        record.__dict__[attname] = Assigned(self.field.to_plain(self.field.coerce(value)), before)


class EncryptedField(_Field[ST, GT]):
    """What all encrypted fields share; a type of value adds coerce, to_plain and from_plain."""

    descriptor_class = SecretAttribute
    # Django's own message repeats the value.
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": _("Choose one of the values offered.")
    }
    empty_strings_allowed = False
    default_mask: Mask = staticmethod(masks.redact)

    def __init__(
        self, data_class: DataClass | str, label: str, *, mask: Mask | None = None, **options: Any
    ) -> None:
        self.data_class = DataClass(data_class)
        self.label = label
        self.mask: Mask = mask or self.default_mask
        super().__init__(**options)

    # What a subclass says.
    def coerce(self, value: Any) -> Any:
        """The value in the field's own type; raises ValidationError, without the value in it."""
        raise NotImplementedError

    def to_plain(self, value: Any) -> bytes:
        """The canonical bytes of a coerced value."""
        return _utf8(self.as_text(value))

    def from_plain(self, plain: bytes) -> Any:
        """The value those bytes stand for."""
        raise NotImplementedError

    def as_text(self, value: Any) -> str:
        """The value as the text a mask works on."""
        return str(value)

    # Schema and migrations.
    def get_internal_type(self) -> str:
        return "BinaryField"

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs |= {"data_class": str(self.data_class), "label": self.label}
        return name, path, args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        if "*" in self.label and not cls._meta.abstract:
            own = getattr(cls, "vault_label", "") or str(cls._meta.model_name)
            self.label = self.label.replace("*", own)
        self.bound_name = ciphertext.named(self.data_class, self.label)
        super().contribute_to_class(cls, name, private_only)

    # To and from the database: sealed bytes only.
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> bytes | None:
        if value is None:
            return None
        sealed = value._held if isinstance(value, Secret) else value
        if type(sealed) is not Sealed:
            raise PlainTextRefused(
                f"{self.label}: only sealed bytes go to the database; save the record instead"
            )
        return bytes(sealed)

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        held = model_instance.__dict__.get(self.attname)
        if isinstance(held, Assigned):
            # save(), bulk_create() and bulk_update() seal before, and write the keys after.
            raise PlainTextRefused(
                f"{self.label}: save the record through save(), bulk_create() or bulk_update()"
            )
        if held is None and self.attname not in model_instance.__dict__:
            self.value_from_object(model_instance)  # deferred: this loads it
            held = model_instance.__dict__[self.attname]
        return held

    # Queries: whether it is null, and nothing else.
    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            self._refuse(lookup_name)
        return super().get_lookup(lookup_name)

    def get_transform(self, name: str) -> NoReturn:
        self._refuse(name)

    def _refuse(self, what: str) -> NoReturn:
        raise EncryptedLookupError(
            f"{self.label} is encrypted: the database cannot answer `{what}`. "
            "Use find() to search it, or `isnull` to ask whether it is there."
        )

    # Forms and validation see plain values on the way in, and never open anything.
    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, Secret) else self.coerce(value)

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if isinstance(value, Secret):
            if isinstance(value._held, Assigned):
                super().clean(open_quietly(value), model_instance)
            return value
        return super().clean(value, model_instance)

    def value_to_string(self, obj: models.Model) -> str:
        sealed: Secret[Any] | None = self.value_from_object(obj)  # type: ignore[assignment]
        if sealed is None:
            return ""
        if sealed.sealed is None:
            raise PlainTextRefused(f"{self.label}: save the record before it is serialised")
        return "sealed:" + base64.b64encode(sealed.sealed).decode()


class EncryptedTextField(EncryptedField[ST, GT]):
    """Text of any kind, kept exactly as given; \"\" is sealed, never NULL."""

    _pyi_private_set_type: "str | Secret[str]"
    _pyi_private_get_type: "Secret[str]"
    empty_strings_allowed = True

    def __init__(
        self,
        data_class: DataClass | str,
        label: str,
        mask: Mask | None = None,
        max_length: int | None = None,
        *,
        multiline: bool = False,
        **options: Any,
    ) -> None:
        self.multiline = multiline
        super().__init__(data_class, label, mask=mask, max_length=max_length, **options)

    def coerce(self, value: Any) -> str:
        if isinstance(value, bytes | bytearray | memoryview | dict | list | tuple | set):
            raise ValidationError(_("Enter text."), code="invalid")
        return str(value)

    def from_plain(self, plain: bytes) -> str:
        return plain.decode()

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if self.max_length is not None and len(value) > self.max_length:
            raise ValidationError(
                _("Use at most %(n)d characters."), code="max_length", params={"n": self.max_length}
            )

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        options: dict[str, Any] = {"form_class": SecretCharField, "choices_form_class": SecretChoiceField}
        if self.choices is None:
            options |= {"max_length": self.max_length, "multiline": self.multiline}
            options |= {"empty_value": None} if self.null else {}
        return super().formfield(**(options | kwargs))


class EncryptedDateField(EncryptedField[ST, GT]):
    """A calendar day."""

    _pyi_private_set_type: "datetime.date | str | Secret[datetime.date]"
    _pyi_private_get_type: "Secret[datetime.date]"
    default_mask = staticmethod(masks.year_only)

    def coerce(self, value: Any) -> datetime.date:
        if isinstance(value, datetime.datetime):
            value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
        if isinstance(value, str):
            value = _parsed(parse_date, value)
        if not isinstance(value, datetime.date):
            raise ValidationError(_("Enter a valid date."), code="invalid")
        return value

    def as_text(self, value: Any) -> str:
        return str(value.isoformat())

    def from_plain(self, plain: bytes) -> datetime.date:
        return datetime.date.fromisoformat(plain.decode())

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**({"form_class": SecretDateField} | kwargs))


class EncryptedDateTimeField(EncryptedField[ST, GT]):
    """A moment, kept in UTC; a moment without a time zone is refused."""

    _pyi_private_set_type: "datetime.datetime | str | Secret[datetime.datetime]"
    _pyi_private_get_type: "Secret[datetime.datetime]"
    default_mask = staticmethod(masks.year_only)

    def coerce(self, value: Any) -> datetime.datetime:
        if isinstance(value, str):
            value = _parsed(parse_datetime, value)
        if not isinstance(value, datetime.datetime) or timezone.is_naive(value):
            raise ValidationError(_("Enter a valid date and time with its time zone."), code="invalid")
        return value.astimezone(datetime.UTC)

    def as_text(self, value: Any) -> str:
        return str(value.isoformat())

    def from_plain(self, plain: bytes) -> datetime.datetime:
        return datetime.datetime.fromisoformat(plain.decode())

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**({"form_class": SecretDateTimeField} | kwargs))


class EncryptedJSONField(EncryptedField[ST, GT]):
    """Anything JSON can say. Each reading gives a fresh copy, so changing it in place changes nothing."""

    _pyi_private_set_type: "Any"
    _pyi_private_get_type: "Secret[Any]"

    def coerce(self, value: Any) -> Any:
        return value

    def as_text(self, value: Any) -> str:
        try:
            return json.dumps(
                value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
            )
        except (TypeError, ValueError):
            raise ValidationError(_("This cannot be written as JSON."), code="invalid") from None

    def from_plain(self, plain: bytes) -> Any:
        return json.loads(plain)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**({"form_class": SecretJSONField} | kwargs))


class EncryptedDecimalField(EncryptedField[ST, GT]):
    """An exact number, digits kept as given."""

    _pyi_private_set_type: "Decimal | int | str | Secret[Decimal]"
    _pyi_private_get_type: "Secret[Decimal]"

    def coerce(self, value: Any) -> Decimal:
        try:
            number = Decimal(str(value) if isinstance(value, float) else value)
        except (InvalidOperation, TypeError, ValueError):
            raise ValidationError(_("Enter a number."), code="invalid") from None
        if not number.is_finite():
            raise ValidationError(_("Enter a number."), code="invalid")
        return number

    def as_text(self, value: Any) -> str:
        return format(value, "f")

    def from_plain(self, plain: bytes) -> Decimal:
        return Decimal(plain.decode())

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**({"form_class": SecretDecimalField} | kwargs))


class EncryptedIntegerField(EncryptedField[ST, GT]):
    """A whole number of any size."""

    _pyi_private_set_type: "int | str | Secret[int]"
    _pyi_private_get_type: "Secret[int]"

    def coerce(self, value: Any) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            raise ValidationError(_("Enter a whole number."), code="invalid") from None
        if isinstance(value, float | Decimal) and number != value:
            raise ValidationError(_("Enter a whole number."), code="invalid")
        return number

    def from_plain(self, plain: bytes) -> int:
        return int(plain)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**({"form_class": SecretIntegerField} | kwargs))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # The original error carries the whole text.
        raise ValidationError(
            _("This text holds characters that cannot be stored."), code="invalid"
        ) from None


def _parsed(parse: Callable[[str], T | None], text: str) -> T | None:
    try:
        return parse(text)
    except ValueError:
        return None
