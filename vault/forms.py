"""Ordinary form fields that refuse to show a Secret by accident and clean what people type or paste.

An edit form is given its starting values by `revealed(record, names)`, which is a reading like any other
and is recorded. A Secret that reaches a widget raises: its fingerprint would be shown, and then saved as
the value.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from vault.errors import PlainTextRefused
from vault.normalise import clean_text


class _NeverASecret:
    def prepare_value(self, value: Any) -> Any:
        from vault.secret import Secret

        if isinstance(value, Secret):
            raise PlainTextRefused(
                "a form would show a Secret: pass initial=vault.forms.revealed(record, names) to the form"
            )
        return super().prepare_value(value)  # type: ignore[misc]

    def has_changed(self, initial: Any, data: Any) -> bool:
        from vault.secret import Secret

        return isinstance(initial, Secret) or bool(super().has_changed(initial, data))  # type: ignore[misc]


CHOOSE: Final = _("Choose one of the values offered.")
NO_DATE: Final = _("This is no date of the calendar. Enter year, month and day.")


class ClearChoices(forms.BaseForm):
    """A form that refuses what is no choice, or no date, in words that say what to do.

    Django's own repeat what was sent, and name the database's kind of key to somebody who chose a person.
    """

    def add_error(self, field: str | None, error: Any) -> None:
        """Note the mistake; what a choice or date field itself refused gets our words."""
        words = None if field is None else _clear(self.fields.get(field), getattr(error, "code", None))
        super().add_error(field, error if words is None else ValidationError(words, code="invalid_choice"))


def _clear(field: forms.Field | None, code: str | None) -> Any:
    if code in {"invalid_choice", "invalid_list", "invalid_pk_value"}:
        return CHOOSE
    if code != "invalid":
        return None
    if isinstance(field, forms.ModelChoiceField):
        return CHOOSE
    return NO_DATE if type(field) in {forms.DateField, SecretDateField} else None


class SecretCharField(_NeverASecret, forms.CharField):
    """Text without control or invisible characters; line breaks only if `multiline`."""

    def __init__(self, *, multiline: bool = False, **options: Any) -> None:
        self.multiline = multiline
        if multiline:
            options.setdefault("widget", forms.Textarea)
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if not isinstance(value, str):
            return value
        return clean_text(value, multiline=self.multiline) or self.empty_value


class SecretChoiceField(_NeverASecret, forms.TypedChoiceField):
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid_choice": CHOOSE}


class SecretDateField(_NeverASecret, forms.DateField):
    pass


class SecretDateTimeField(_NeverASecret, forms.DateTimeField):
    pass


class SecretJSONField(_NeverASecret, forms.JSONField):
    pass


class SecretDecimalField(_NeverASecret, forms.DecimalField):
    pass


class SecretIntegerField(_NeverASecret, forms.IntegerField):
    pass


def revealed(record: Any, names: Iterable[str]) -> dict[str, Any]:
    """The plain starting values of a form, each revealed and so recorded; raises Locked."""
    found = {name: getattr(record, name) for name in names}
    return {name: None if secret is None else secret.reveal() for name, secret in found.items()}
