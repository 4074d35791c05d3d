"""Access for many at once: cases by their numbers, people or a team, a stand-in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.apps import apps
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from access.actions import possible_grantees, possible_takers
from access.forms.grants import LENGTHS, GrantForm
from access.models import Team, User
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

MOST_NUMBERS: Final = 5_000
_BETWEEN = re.compile(r"[\s,;，；、]+")


class BulkForm(GrantForm):
    """What a supervisor decides for several cases and several people at once."""

    cases = forms.CharField(
        label=_("Case numbers"),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=120_000,
        strip=True,
        help_text=_("One per line, or with commas between them."),
    )
    to = forms.ModelMultipleChoiceField(
        label=_("People"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
        help_text=_("Several: hold Ctrl, or Cmd, while choosing."),
    )
    team = forms.ModelChoiceField(
        label=_("Or a team"), queryset=Team.objects.none(), required=False, empty_label=_("no team")
    )
    expected = forms.IntegerField(required=False, widget=forms.HiddenInput)
    single_use = None  # type: ignore[assignment]

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, by=by, **kwargs)
        self._by = by
        self.case_ids: list[UUID] = []
        self.fields["team"].queryset = Team.objects.visible_to(by).filter(is_active=True).order_by("name")  # type: ignore[attr-defined]
        self.fields["lasts"].choices = LENGTHS  # type: ignore[attr-defined]
        self.fields["until_date"].help_text = _("At most 30 days.")

    def clean_cases(self) -> str:
        """The numbers as typed; those that are no case of the area are told, whether or not they exist elsewhere."""
        typed: str = self.cleaned_data["cases"]
        numbers = {number.upper() for number in _BETWEEN.split(typed) if number}
        if len(numbers) > MOST_NUMBERS:
            raise forms.ValidationError(_("These are more than %(most)d numbers.") % {"most": MOST_NUMBERS})
        cases = apps.get_model("cases.Case").objects.visible_to(self._by)
        found = dict(cases.filter(case_no__in=numbers).values_list("case_no", "pk"))
        if missing := sorted(numbers - found.keys()):
            words = ngettext(
                "%(n)d number is no case of your area: %(numbers)s",
                "%(n)d numbers are no cases of your area: %(numbers)s",
                len(missing),
            )
            shown = ", ".join(number[:24] for number in missing[:10])
            raise forms.ValidationError(words % {"n": len(missing), "numbers": shown})
        self.case_ids = list(found.values())
        return typed

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if (
            "to" not in self.errors
            and "team" not in self.errors
            and bool(given.get("to")) == bool(given.get("team"))
        ):
            self.add_error("to", _("Choose people, or a team."))
        return given


class TeamForm(ClearChoices, forms.Form):
    """A new team."""

    name = forms.CharField(
        label=_("Name of the team"),
        max_length=40,
        validators=[refuse_control_characters, refuse_long_numbers],
    )


class JoinForm(ClearChoices, forms.Form):
    """Who joins a team."""

    person = forms.ModelChoiceField(label=_("Person"), queryset=User.objects.none(), empty_label=None)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = possible_grantees(by)  # type: ignore[attr-defined]
        self.fields["person"].label_from_instance = person_and_place  # type: ignore[attr-defined]


class StandInForm(ClearChoices, forms.Form):
    """Who is absent, who stands in, and until when."""

    absent = forms.ModelChoiceField(label=_("Absent"), queryset=User.objects.none(), empty_label=_("Choose"))
    stand_in = forms.ModelChoiceField(
        label=_("Stands in"), queryset=User.objects.none(), empty_label=_("Choose")
    )
    last_day = forms.DateField(
        label=_("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("At most 30 days; never beyond the end of the colleague's own access."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("No personal data."),
    )
    expected = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("absent", "stand_in"):
            self.fields[name].queryset = possible_grantees(by)  # type: ignore[attr-defined]
            self.fields[name].label_from_instance = person_and_place  # type: ignore[attr-defined]

    @property
    def until(self) -> datetime:
        """The end of the last day; of the thirtieth, the very moment 30 days from now."""
        day = datetime.combine(self.cleaned_data["last_day"], datetime.max.time().replace(microsecond=0))
        end = timezone.make_aware(day)
        month = timezone.now() + timedelta(days=30) - timedelta(seconds=1)
        return month if end.date() == timezone.localtime(month).date() else end


class HandOverForm(ClearChoices, forms.Form):
    """Who takes somebody's work over."""

    to = forms.ModelChoiceField(
        label=_("Takes over"),
        queryset=User.objects.none(),
        help_text=_("Active investigators of your area."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("No personal data."),
    )
    expected = forms.IntegerField(required=False, widget=forms.HiddenInput)
    # Whom the preview was about: whoever is chosen after it gets a preview of their own.
    shown = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, person: User, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = possible_takers(person, by=by)  # type: ignore[attr-defined]
        self.fields["to"].label_from_instance = person_and_place  # type: ignore[attr-defined]

    def confirms(self, rows: int) -> bool:
        """Whether this is the click on a preview that said just this."""
        given = self.cleaned_data
        return bool(given["expected"] == rows and given["shown"] == given["to"].pk)


def person_and_place(person: Any) -> str:
    return f"{person.display_name} · {person.organisation}"
