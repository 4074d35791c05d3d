"""Where an organisation goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from access.models import Organisation
from vault.forms import ClearChoices


class TargetForm(ClearChoices, forms.Form):
    """The organisation that takes another one over, and whether the figures were seen and agreed to."""

    target = forms.ModelChoiceField(
        label=_("Organisation"), queryset=Organisation.objects.none(), empty_label=_("Choose")
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, targets: QuerySet[Organisation], label: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["target"]
        field.queryset, field.label = targets.select_related("parent"), label
        field.label_from_instance = _with_parent


def _with_parent(place: Any) -> str:
    return (
        f"{place.parent.area} · {place.area} {place.code}" if place.parent else f"{place.area} {place.code}"
    )
