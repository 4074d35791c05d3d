"""Asking for emergency access, and judging it afterwards."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from access.models import EmergencyAccess, Verdict
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

LONGEST_NUMBER: Final = 24
FEWEST_WORDS: Final = 10
HOURS = [("4", _("4 hours")), ("12", _("12 hours")), ("24", _("24 hours"))]


class EmergencyForm(ClearChoices, forms.Form):
    """A case number, why now, for how long, and the password again."""

    case_no = forms.CharField(label=_("Case number"), max_length=LONGEST_NUMBER,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))  # fmt: skip
    reason = forms.ChoiceField(
        label=_("Why it cannot wait"), choices=EmergencyAccess.Reason.choices, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label=_("In words"),
        max_length=200,
        required=False,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("Needed for another reason. The supervisors of the area read it. No personal data."),
    )
    hours = forms.ChoiceField(label=_("For"), choices=HOURS, widget=forms.RadioSelect, initial="4")
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("Asked again, so that nobody uses emergency access on an unattended screen."),
    )
    is_understood = forms.BooleanField(label=_("I have read what will happen"))

    def __init__(self, *args: Any, asks_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks_password = asks_password
        if not asks_password:
            del self.fields["password"]

    def clean_case_no(self) -> str:
        number = "".join(self.cleaned_data["case_no"].split()).upper()
        if not (number.isascii() and number.isprintable()):
            raise forms.ValidationError(_("A case number has letters, figures and hyphens only."))
        return number

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        needs_words = given.get("reason") == EmergencyAccess.Reason.OTHER
        if needs_words and "words" not in self.errors and len(given.get("words", "")) < FEWEST_WORDS:
            self.add_error("words", _("Say the reason in at least ten characters."))
        return given

    @property
    def why(self) -> EmergencyAccess.Reason:
        return EmergencyAccess.Reason(self.cleaned_data["reason"])


class ReviewForm(ClearChoices, forms.Form):
    """A verdict; a hard one has to be explained."""

    verdict = forms.ChoiceField(label=_("Verdict"), choices=Verdict.choices, widget=forms.RadioSelect)
    words = forms.CharField(
        label=_("In words"),
        max_length=200,
        required=False,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("Needed unless it was justified. No personal data."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        needs_words = given.get("verdict") in (Verdict.NOT_JUSTIFIED, Verdict.UNCLEAR)
        if needs_words and "words" not in self.errors and len(given.get("words", "")) < FEWEST_WORDS:
            self.add_error("words", _("Say why in at least ten characters."))
        return given


class BreachForm(ClearChoices, forms.Form):
    """A verdict on somebody who asked for more values than allowed."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
