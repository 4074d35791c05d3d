"""A token of the API: what for, for which parts, until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from access.actions.tokens import scopes_of
from access.models import User
from access.models.tokens import SCOPE_WORDS, Scope
from access.purposes import REVEAL_CHOICES, Purpose
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

LENGTHS = [("1", _("24 hours")), ("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days"))]


class TokenForm(ClearChoices, forms.Form):
    """Everything a token is bound to; none of it can be changed later."""

    name = forms.CharField(
        label=_("Name of the program"),
        max_length=60,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("Tells your tokens apart. No names of persons."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    purpose = forms.ChoiceField(label=_("Purpose"), choices=[("", _("Choose")), *REVEAL_CHOICES])
    scopes = forms.MultipleChoiceField(label=_("Permitted"), widget=forms.CheckboxSelectMultiple)
    lasts = forms.ChoiceField(label=_("Ends after"), choices=LENGTHS, initial="7", widget=forms.RadioSelect)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(scope.value, SCOPE_WORDS[scope]) for scope in scopes_of(by)]
        self.fields["scopes"].choices = offered  # type: ignore[attr-defined]

    @property
    def given(self) -> dict[str, Any]:
        """What was typed, as the action wants it."""
        return {
            "name": self.cleaned_data["name"],
            "scopes": [Scope(scope) for scope in self.cleaned_data["scopes"]],
            "purpose": Purpose(self.cleaned_data["purpose"]),
            "lasts": timedelta(days=int(self.cleaned_data["lasts"])),
        }
