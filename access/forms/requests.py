"""Asking for access, asking for longer, and answering."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from access.forms.grants import CLASS_CHOICES, MORE_CHOICES
from access.models import AccessRequest
from access.models.requests import CASE_NO
from access.permissions import CasePermission
from access.purposes import GRANTABLE_CHOICES, Purpose
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

MOST_DAYS = 90


class _Wish(ClearChoices, forms.Form):
    """What is wanted, for what, and for how long."""

    purpose = forms.ChoiceField(label=_("Purpose"), choices=GRANTABLE_CHOICES, initial=Purpose.SOURCE)
    classes = forms.MultipleChoiceField(
        label=_("Data classes"),
        choices=CLASS_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=[CasePermission.HEALTH.value],
        help_text=_("As few as the purpose needs. Statistics never need identity or contact details."),
    )
    more = forms.MultipleChoiceField(
        label=_("May also"), choices=MORE_CHOICES, widget=forms.CheckboxSelectMultiple, required=False
    )
    days = forms.IntegerField(
        label=_("For how many days"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=7,
        help_text=_("Counted from the approval. More than 30 days take a second supervisor."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        min_length=10,
        max_length=200,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("What you will do with it. No personal data."),
    )

    @property
    def permissions(self) -> list[CasePermission]:
        return _chosen(self)


class AskForm(_Wish):
    """A wish for access to a case by its number; nothing here looks whether there is one."""

    case_no = forms.CharField(
        label=_("Case number"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("case_no", "purpose", "classes", "more", "days", "reason")

    def clean_case_no(self) -> str:
        return case_number(self.cleaned_data["case_no"])


class ExtendForm(_Wish):
    """A wish for longer: of what is held, or of less."""

    def __init__(self, *args: Any, held: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _narrow(self, held)


class NumberForm(ClearChoices, forms.Form):
    """A case number, as typed."""

    case_no = forms.CharField(
        label=_("Case number"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_case_no(self) -> str:
        return case_number(self.cleaned_data["case_no"])


class ApproveForm(ClearChoices, forms.Form):
    """What a supervisor gives of what was asked: the same or less. Nothing else of the request is read from here."""

    classes = forms.MultipleChoiceField(
        label=_("Data classes"), choices=CLASS_CHOICES, widget=forms.CheckboxSelectMultiple, required=False
    )
    more = forms.MultipleChoiceField(
        label=_("May also"), choices=MORE_CHOICES, widget=forms.CheckboxSelectMultiple, required=False
    )
    days = forms.IntegerField(label=_("For how many days"), min_value=1)

    def __init__(self, *args: Any, request: AccessRequest, **kwargs: Any) -> None:
        asked = request.permissions
        kwargs.setdefault("initial", {"classes": asked, "more": asked, "days": request.days})
        super().__init__(*args, **kwargs)
        _narrow(self, asked)
        days = self.fields["days"]
        days.validators.append(MaxValueValidator(request.days))
        days.widget.attrs.update({"max": request.days})

    @property
    def permissions(self) -> list[CasePermission]:
        return _chosen(self)


class RefuseForm(ClearChoices, forms.Form):
    """Why a request is declined: from the list."""

    refusal = forms.ChoiceField(label=_("Why it is declined"), choices=AccessRequest.Refusal.choices)


def case_number(typed: str) -> str:
    """The number as cases have them: capitals, figures and hyphens. Raises ValidationError for any other shape."""
    number = "".join(unicodedata.normalize("NFKC", typed).split()).upper()
    if len(number) > 24 or not re.fullmatch(CASE_NO, number):
        raise forms.ValidationError(
            _("This is not the shape of a case number, e.g. YT-2026-0147."), code="shape"
        )
    return number


def _chosen(form: forms.Form) -> list[CasePermission]:
    chosen = [*form.cleaned_data.get("classes", ()), *form.cleaned_data.get("more", ())]
    return [CasePermission.VIEW, *(CasePermission(codename) for codename in chosen)]


def _narrow(form: forms.Form, permitted: Collection[str]) -> None:
    """Offer what is permitted and nothing else; a field with nothing to offer goes."""
    for name in ("classes", "more"):
        field: Any = form.fields[name]
        field.choices = [choice for choice in field.choices if choice[0] in permitted]
        if not field.choices:
            del form.fields[name]
