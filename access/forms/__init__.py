"""What people type when they give and ask for access."""

from access.forms.grants import CLASS_CHOICES, LENGTHS, MORE_CHOICES, PRESETS, GrantForm, Preset, preset
from access.forms.sign_in import CodeForm, ConfirmForm, FirstCodeForm, PasskeyForm, PasswordForm

__all__ = [
    "CLASS_CHOICES",
    "LENGTHS",
    "MORE_CHOICES",
    "PRESETS",
    "CodeForm",
    "ConfirmForm",
    "FirstCodeForm",
    "GrantForm",
    "PasskeyForm",
    "PasswordForm",
    "Preset",
    "preset",
]
