"""Form fields for declared model fields: each typed value is checked once, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from access.models import Organisation
from cases import codes, validation
from cases.policy import FieldPolicy, Words, policy_for
from vault.fields import EncryptedDateField, EncryptedDateTimeField, EncryptedIntegerField

OLDEST: Final = date(1900, 1, 1)
LONG_TEXT: Final = 400
NO_BROWSER_MEMORY: Final = {"autocomplete": "off"}
UNKNOWN_CODE: Final = {"invalid_choice": _("Choose one of the values offered.")}
NO_DATE: Final = {"invalid": _("This is no date of the calendar. Enter year, month and day.")}


class TextField(forms.CharField):
    """Cleaned text of limited length; control characters are refused, not dropped."""

    def __init__(self, *, limit: int, **options: Any) -> None:
        self.limit = limit
        self.multiline = limit > LONG_TEXT
        widget = forms.Textarea(attrs={"rows": 5}) if self.multiline else forms.TextInput()
        widget.attrs.update(NO_BROWSER_MEMORY)
        super().__init__(**{"strip": False, "widget": widget, **options})

    def to_python(self, value: Any) -> str:
        return validation.plain_text(str(value or ""), self.limit, multiline=self.multiline)


class CheckedField(TextField):
    """Text that a rule of `cases.validation` turns into its stored form."""

    def __init__(self, *, rule: Callable[[str], Any], limit: int = 64, **options: Any) -> None:
        self.rule = rule
        super().__init__(limit=limit, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return self.rule(text) if text else ""


class DayField(forms.DateField):
    """A day since 1900."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **NO_BROWSER_MEMORY})
        super().__init__(**{"widget": widget, "error_messages": NO_DATE, **options})

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        if day is not None and day < OLDEST:
            raise ValidationError(_("This year is too long ago. Check the year."), code="old")
        return day


class MomentField(forms.DateTimeField):
    """A day and a local time."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", **NO_BROWSER_MEMORY}
        )
        words = {"invalid": _("This is no day and time. Enter for example 2026-11-19 16:20.")}
        super().__init__(**{"widget": widget, "error_messages": words, **options})

    def to_python(self, value: Any) -> datetime | None:
        moment = super().to_python(value)
        if moment is not None and moment.date() < OLDEST:
            raise ValidationError(_("This year is too long ago. Check the year."), code="old")
        return moment


class CodeChoice(forms.ChoiceField):
    """One code of a list; the empty choice means "not stated"."""

    def __init__(self, *, name: str, **options: Any) -> None:
        choices = [("", "—"), *codes.choices(name)]
        super().__init__(**{"choices": choices, "error_messages": UNKNOWN_CODE, **options})


class CodeChoices(forms.MultipleChoiceField):
    """Several codes of a list."""

    def __init__(self, *, name: str, **options: Any) -> None:
        words = {**UNKNOWN_CODE, "invalid_list": UNKNOWN_CODE["invalid_choice"]}
        super().__init__(
            **{
                "choices": codes.choices(name),
                "widget": forms.CheckboxSelectMultiple,
                "error_messages": words,
                **options,
            }
        )


class PlaceChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # no type parameters at run time
    """An organisation or the district it stands for."""

    def __init__(self, *, by_area: bool = False, **options: Any) -> None:
        self.by_area = by_area
        super().__init__(**{"empty_label": "—", "error_messages": UNKNOWN_CODE, **options})

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.area if self.by_area else obj)


def form_field(model: type[models.Model], name: str, *, required: bool = False) -> forms.Field:
    """The form field for a declared model field."""
    field, policy = model._meta.get_field(name), policy_for(model, name)
    options = {
        "label": getattr(field, "verbose_name", name),
        "required": required,
        "help_text": _hint(field, policy),
    }
    return _kind(field, policy, name)(**options)


def offer(form: forms.BaseForm, name: str, records: models.QuerySet[Any]) -> None:
    """Let a field of the form choose among these records."""
    field = form.fields[name]
    if not isinstance(field, forms.ModelChoiceField):
        raise TypeError(f"{name} chooses no record")
    field.queryset = records


def with_value(data: Mapping[str, Any], name: str, value: str) -> Mapping[str, Any]:
    """What was posted, with one value replaced; fields with several values keep them all."""
    copied = data.copy() if isinstance(data, QueryDict) else dict(data)
    copied[name] = value
    return copied


def organisations() -> models.QuerySet[Organisation]:
    return Organisation.objects.filter(closed_at__isnull=True).order_by("code")


def _kind(field: Any, policy: FieldPolicy, name: str) -> Callable[..., forms.Field]:  # noqa: PLR0911  a table
    if policy.codes:
        kind = CodeChoices if policy.many else CodeChoice
        return lambda **options: kind(name=policy.codes, **options)
    if name in _RULES:
        return lambda **options: CheckedField(rule=_RULES[name], **options)
    if isinstance(field, models.ForeignKey):
        return lambda **options: PlaceChoice(queryset=organisations(), by_area=name == "district", **options)
    if isinstance(field, models.DateTimeField | EncryptedDateTimeField):
        return MomentField
    if isinstance(field, models.DateField | EncryptedDateField):
        return DayField
    if isinstance(field, models.BooleanField):
        return forms.BooleanField
    if isinstance(field, models.IntegerField | EncryptedIntegerField):
        return lambda **options: forms.IntegerField(
            min_value=0, max_value=_HIGHEST.get(name, 10_000), **options
        )
    return lambda **options: TextField(limit=field.max_length or LONG_TEXT, **options)


# ISO 3166-1: places with telephone numbers, and the few without.
COUNTRIES: Final = phonenumbers.SUPPORTED_REGIONS | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}


def _country(text: str) -> str:
    code = validation.narrow(text).upper()
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        raise ValidationError(_("Enter the two letters of the country, e.g. CN."), code="shape")
    if code not in COUNTRIES:
        raise ValidationError(_("No country has this code."), code="unknown")
    return code


_RULES: Final[dict[str, Callable[[str], Any]]] = {
    "phone": validation.phone,
    "max_temperature": validation.temperature,
    "nationality": _country,
}
_HIGHEST: Final = {"age_value": 130, "companions": 999}


def _hint(field: Any, policy: FieldPolicy) -> Words:
    return getattr(field, "help_text", "") or policy.condition
