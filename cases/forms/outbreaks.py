"""Opening an outbreak, and choosing which cases a list shows."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from access import chips
from cases import codes, validation
from cases.forms.fields import UNKNOWN_CODE, DayField, TextField, offer
from cases.models import DiseaseProfile, Outbreak
from cases.models.outbreaks import CODE_LENGTH
from vault.forms import ClearChoices


class OpenOutbreakForm(ClearChoices, forms.Form):
    """What an outbreak is, since when, and on which legal basis data are collected in it."""

    code = TextField(
        label=_("Code"), limit=CODE_LENGTH, help_text=_("Case numbers begin with it, e.g. YT-2026.")
    )
    name = TextField(
        label=_("Working title"),
        limit=80,
        help_text=_("No person's name, nothing that brands a place or a group."),
    )
    disease = forms.ModelChoiceField(
        label=_("Disease"), queryset=DiseaseProfile.objects.none(), error_messages=UNKNOWN_CODE
    )
    started_on = DayField(label=_("Started on"))
    legal_basis = forms.MultipleChoiceField(
        label=_("Legal basis"),
        choices=codes.choices("LEGAL_BASIS"),
        widget=forms.CheckboxSelectMultiple,
        error_messages=UNKNOWN_CODE,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "disease", DiseaseProfile.objects.all())

    def clean_code(self) -> str:
        code = validation.narrow(self.cleaned_data["code"]).upper()
        validator = Outbreak._meta.get_field("code").validators[0]
        try:
            validator(code)
        except ValidationError:
            raise ValidationError(
                _t("Use letters, figures and single hyphens, e.g. YT-2026."), code="shape"
            ) from None
        if Outbreak.objects.filter(code=code).exists():
            raise ValidationError(_t("Another outbreak has this code. Choose another one."), code="taken")
        return code

    def clean_started_on(self) -> date:
        day: date = self.cleaned_data["started_on"]
        if day > timezone.localdate():
            raise ValidationError(_t("This lies in the future. Check the date."), code="future")
        return day


class CaseFilter(ClearChoices, forms.Form):
    """Which cases the list shows; unknown words show everything."""

    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("All states")),
            *chips.choices(chips.STATUSES, codes.code_list("CASE_STATUS").values),
        ],
    )
    classification = forms.ChoiceField(
        label=_("Class"),
        required=False,
        choices=[
            ("", _("All classes")),
            *chips.choices(chips.CLASSIFICATIONS, codes.code_list("CASE_CLASS").values),
        ],
    )
    outbreak = forms.ModelChoiceField(
        label=_("Outbreak"),
        queryset=Outbreak.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=_("All outbreaks"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "outbreak", Outbreak.objects.all())
        for field in self.fields.values():
            field.widget.attrs["data-sends"] = ""

    @property
    def wanted(self) -> dict[str, str]:
        """The filters of `cases.lists`, without those left open or not understood."""
        self.is_valid()
        given = self.cleaned_data
        chosen: dict[str, str] = {
            name: given[name] for name in ("status", "classification") if given.get(name)
        }
        if given.get("outbreak"):
            chosen["outbreak__code"] = given["outbreak"].code
        return chosen

    @property
    def query(self) -> dict[str, str]:
        """The chosen filters as they stand in an address: codes only."""
        return {name.removesuffix("__code"): value for name, value in self.wanted.items()}
