"""Giving access: purpose, data classes and an end, in two clicks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.actions import LONGEST, possible_grantees
from access.models import User
from access.purposes import GRANTABLE_CHOICES, Purpose
from access.visibility import CasePermission
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

CLASS_CHOICES = [
    (CasePermission.IDENTITY.value, _("Identity: name, ID number")),
    (CasePermission.REACH.value, _("Contact details: phone, address, workplace")),
    (CasePermission.HEALTH.value, _("Health: symptoms, course")),
    (CasePermission.TRAJECTORY.value, _("Movements: where and when")),
]
MORE_CHOICES = [
    (CasePermission.CHANGE.value, _("Correct the record")),
    (CasePermission.EXPORT.value, _("Ask for an export")),
]
LENGTHS = [
    ("1", _("24 hours")),
    ("3", _("3 days")),
    ("7", _("7 days")),
    ("30", _("30 days")),
    ("date", _("Until a date")),
]


@dataclass(frozen=True)
class Preset:
    """A usual combination: choosing it fills the form, so that two clicks give access."""

    code: str
    label: StrPromise
    purpose: Purpose
    classes: tuple[CasePermission, ...]
    more: tuple[CasePermission, ...]
    lasts: str

    @property
    def initial(self) -> dict[str, Any]:
        return {
            "purpose": self.purpose.value,
            "classes": [permission.value for permission in self.classes],
            "more": [permission.value for permission in self.more],
            "lasts": self.lasts,
        }


_ALL = (CasePermission.IDENTITY, CasePermission.REACH, CasePermission.HEALTH, CasePermission.TRAJECTORY)
PRESETS = (
    Preset("interview", _("Field interview, 7 days"), Purpose.SOURCE, _ALL, (CasePermission.CHANGE,), "7"),
    Preset(
        "tracing",
        _("Trace contacts, 3 days"),
        Purpose.CONTACTS,
        (CasePermission.IDENTITY, CasePermission.REACH, CasePermission.TRAJECTORY),
        (),
        "3",
    ),
    Preset("review", _("Review only, 24 hours"), Purpose.ACCOUNTABILITY, (CasePermission.HEALTH,), (), "1"),
)


def preset(code: str) -> Preset | None:
    """The combination of this code, if there is one."""
    return next((one for one in PRESETS if one.code == code), None)


class GrantForm(ClearChoices, forms.Form):
    """What a supervisor decides when giving access to one case."""

    to = forms.ModelChoiceField(label=_("To"), queryset=User.objects.none(), empty_label=None)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=GRANTABLE_CHOICES, initial=Purpose.CONTACTS)
    classes = forms.MultipleChoiceField(
        label=_("Data classes"),
        choices=CLASS_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Without any of them the case is seen with its values closed."),
    )
    more = forms.MultipleChoiceField(
        label=_("May also"), choices=MORE_CHOICES, widget=forms.CheckboxSelectMultiple, required=False
    )
    lasts = forms.ChoiceField(label=_("Until"), choices=LENGTHS, widget=forms.RadioSelect, initial="7")
    until_date = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("At most 90 days; beyond 30 days a second supervisor has to agree."),
    )
    single_use = forms.BooleanField(
        label=_("For a single use"),
        required=False,
        help_text=_("Fifteen minutes after the case is first opened, the access ends."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("No personal data."),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = possible_grantees(by)  # type: ignore[attr-defined]
        self.fields["to"].label_from_instance = _person_and_place  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("lasts") == "date" and "until_date" not in self.errors:
            self._check_date(given.get("until_date"))
        return given

    def _check_date(self, day: Any) -> None:
        today = timezone.localdate()
        if day is None:
            self.add_error("until_date", _("Name the last day, or choose a length above."))
        elif day < today:
            self.add_error("until_date", _("This day is past. Name today or a later day."))
        elif day - today >= LONGEST:
            self.add_error(
                "until_date",
                _("Access ends after 90 days at most. Name an earlier day; it can be given again."),
            )

    @property
    def until(self) -> datetime:
        """The moment the access ends: a preset from now, or the end of the named day."""
        lasts = self.cleaned_data["lasts"]
        if lasts != "date":
            return timezone.now() + timedelta(days=int(lasts))
        day = self.cleaned_data["until_date"]
        return timezone.make_aware(datetime.combine(day, datetime.max.time().replace(microsecond=0)))

    @property
    def permissions(self) -> list[CasePermission]:
        chosen = [*self.cleaned_data["classes"], *self.cleaned_data["more"]]
        return [CasePermission.VIEW, *(CasePermission(codename) for codename in chosen)]


def _person_and_place(person: Any) -> str:
    return f"{person.display_name} · {person.organisation}"
