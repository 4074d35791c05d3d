"""Ordinary form fields that refuse to show a Secret by accident and clean what people type or paste.

An edit form is given its starting values by `revealed(record, names)`, which is a reading like any other
and is recorded. A Secret that reaches a widget raises: its fingerprint would be shown, and then saved as
the value.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from vault.errors import PlainTextRefused
from vault.normalise import clean_text, control_characters, too_long, too_short


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


_CHOICES: Final = {"invalid_choice", "invalid_list", "invalid_pk_value"}
_MODEL_CHOICES: Final = {"invalid", "null_characters_not_allowed"}
# What a browser can show in an input of this type; anything else it would leave out.
_SHOWN: Final = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "datetime-local": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?"),
    "number": re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE),
}


class ClearChoices(forms.BaseForm):
    """A form that refuses wrong choices, dates, numbers and texts in words that say what to do, once for each fault.

    Django's own repeat what was sent, and name the database's kind of key to somebody who chose a person. What was
    typed stands in the field again, also where a browser cannot show it as a date or number.
    """

    def full_clean(self) -> None:
        """Check the form; what a browser would drop as no date or number is drawn as text."""
        super().full_clean()
        if not self.is_bound:
            return
        for name, field in self.fields.items():
            kind = getattr(field.widget, "input_type", None)
            if kind in _SHOWN and not _can_show(kind, self[name].data):
                field.widget.input_type = "text"

    def add_error(self, field: str | None, error: Any) -> None:
        """Note the mistake; what a field itself refused gets our words."""
        if field is not None and isinstance(error, ValidationError) and not hasattr(error, "error_dict"):
            error = _in_our_words(self.fields.get(field), error)
        super().add_error(field, error)


def _can_show(kind: str, typed: Any) -> bool:
    text = "" if typed is None else str(typed)
    if not text:
        return True
    if not _SHOWN[kind].fullmatch(text) or not text.isascii():
        return False
    try:
        return kind == "number" or bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _in_our_words(field: forms.Field | None, error: ValidationError) -> ValidationError:
    """The mistakes in our words, each once."""
    said: dict[str, ValidationError] = {}
    for one in error.error_list:
        clear = _clear(field, one) or one
        said.setdefault(clear.messages[0], clear)
    return ValidationError(list(said.values())) if len(said) > 1 else next(iter(said.values()))


def _clear(field: forms.Field | None, error: ValidationError) -> ValidationError | None:
    code = error.code or ""
    if code in _CHOICES or (code in _MODEL_CHOICES and isinstance(field, forms.ModelChoiceField)):
        return ValidationError(CHOOSE, code="invalid_choice")
    if code == "invalid" and type(field) in {forms.DateField, SecretDateField}:
        return ValidationError(NO_DATE, code="invalid_choice")
    if code == "null_characters_not_allowed":
        return control_characters()
    if code in {"max_length", "min_length"} and isinstance(field, forms.CharField):
        found, limit = error.params["show_value"], error.params["limit_value"]  # type: ignore[index]  # always given
        return too_long(found - limit) if code == "max_length" else too_short(limit)
    return None


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
