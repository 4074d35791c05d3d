"""What people type to prove who they are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from access.models import User
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

_CODE = {
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "autocapitalize": "off",
    "spellcheck": "false",
}


class CodeForm(ClearChoices, forms.Form):
    """The second question of signing in."""

    code = forms.CharField(
        label=_("Verification code"),
        max_length=24,
        help_text=_("6 digits from the authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(attrs={**_CODE, "autofocus": True}),
    )


class FirstCodeForm(ClearChoices, forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label=_("Verification code"),
        max_length=12,
        help_text=_("6 digits that the app shows for epicase now."),
        widget=forms.TextInput(attrs=_CODE),
    )


class PasskeyForm(ClearChoices, forms.Form):
    """A name for a new passkey, and what the browser made."""

    name = forms.CharField(
        label=_("Name of the passkey"),
        max_length=40,
        help_text=_("For example: office computer, blue key."),
        validators=[refuse_control_characters, refuse_long_numbers],
    )
    passkey = forms.CharField(widget=forms.HiddenInput, required=False)


class PasswordForm(ClearChoices, forms.Form):
    """The present password, and a new one twice."""

    password = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    wanted = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=128,
        help_text=_("At least 12 characters; several words in a row are good. Common passwords are refused."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        wanted = given.get("wanted")
        if not wanted:
            return given
        if "again" in given and given["again"] != wanted:
            self.add_error("again", _("The two are not the same."))
        if wanted == given.get("password"):
            self.add_error("wanted", _("This is the present one. Choose another."))
        try:
            validate_password(wanted, self.person)
        except forms.ValidationError as error:
            self.add_error("wanted", error)
        return given


class ConfirmForm(ClearChoices, forms.Form):
    """The password, and the code of whoever has one, once more."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    code = forms.CharField(
        label=_("Verification code"),
        max_length=24,
        help_text=_("6 digits from the authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(attrs=_CODE),
    )

    def __init__(self, *args: Any, with_password: bool, with_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not with_password:
            del self.fields["password"]
        if not with_code:
            del self.fields["code"]
