"""The words of a request for an export, checked; and the answer to it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.visibility import CasePermission
from cases.models import Case, Outbreak
from disclosure import profiles
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

if TYPE_CHECKING:
    from access.models import User
    from cases.models import CaseQuerySet

LONGEST_USE: Final = timedelta(days=180)
USUAL_USE: Final = timedelta(days=14)


class RequestForm(ClearChoices, forms.Form):
    """Why, for whom, which cases, which fields."""

    purpose = forms.ChoiceField(label=_("Purpose"))
    recipient = forms.CharField(
        label=_("Recipient"), max_length=80, validators=[refuse_control_characters, refuse_long_numbers]
    )
    use_until = forms.DateField(
        label=_("Use until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(
        label=_("Explanation"), max_length=200, required=False,
        validators=[refuse_control_characters, refuse_long_numbers],
        help_text=_("What the table is for. No person's details."),
    )  # fmt: skip
    outbreak = forms.ModelChoiceField(label=_("Outbreak"), queryset=Outbreak.objects.none(), required=False)
    onset_from = forms.DateField(
        label=_("Onset from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    onset_to = forms.DateField(
        label=_("Onset to"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    case = forms.MultipleChoiceField(label=_("Cases"), required=False, widget=forms.MultipleHiddenInput)
    fields_taken = forms.MultipleChoiceField(label=_("Fields"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["purpose"].choices = [(one.value, one.label) for one in profiles.PURPOSES]  # type: ignore[attr-defined]
        self.fields["fields_taken"].choices = [(one.name, one.label) for one in profiles.exportable()]  # type: ignore[attr-defined]
        self.fields["outbreak"].queryset = outbreaks_of(person)  # type: ignore[attr-defined]
        self.fields["outbreak"].empty_label = _("All outbreaks")  # type: ignore[attr-defined]
        # Single cases come from a link on their page; their identifiers are checked by visible_to.
        self.fields["case"].choices = [(one, one) for one in self._given_cases()]  # type: ignore[attr-defined]

    def clean_use_until(self) -> date:
        until: date = self.cleaned_data["use_until"]
        today = timezone.localdate()
        if not today <= until <= today + LONGEST_USE:
            raise ValidationError(
                _("Choose a day from today to %(days)d days ahead."), params={"days": LONGEST_USE.days}
            )
        return until

    def clean(self) -> dict[str, Any]:
        words = super().clean() or {}
        start, end = words.get("onset_from"), words.get("onset_to")
        if start and end and start > end:
            self.add_error("onset_to", _("The last day lies before the first."))
        return words

    def cases(self) -> CaseQuerySet:
        """The export-granted cases of the chosen scope; unreadable parts of the scope are left out."""
        words = getattr(self, "cleaned_data", {}) if self.is_bound else self.initial
        cases = granted_cases(self.person)
        if words.get("outbreak"):
            cases = cases.filter(outbreak=words["outbreak"])
        if words.get("onset_from"):
            cases = cases.filter(sort_date__gte=words["onset_from"])
        if words.get("onset_to"):
            cases = cases.filter(sort_date__lte=words["onset_to"])
        if words.get("case"):
            cases = cases.filter(pk__in=words["case"])
        return cases

    def taken(self) -> list[str]:
        """The names of the chosen fields, whatever else is wrong."""
        names = self.data.getlist("fields_taken") if self.is_bound else self.initial.get("fields_taken", [])  # type: ignore[attr-defined]
        possible = {field.name for field in profiles.exportable()}
        return [name for name in names if name in possible]

    def _given_cases(self) -> list[str]:
        given = self.data.getlist("case") if self.is_bound else self.initial.get("case", [])  # type: ignore[attr-defined]
        return [str(one) for one in given if _is_uuid(str(one))]


class AnswerForm(ClearChoices, forms.Form):
    """A supervisor's words to the requester."""

    answer = forms.CharField(
        label=_("Note to the requester"),
        max_length=200,
        required=False,
        validators=[refuse_control_characters, refuse_long_numbers],
    )


class RejectForm(AnswerForm):
    """Declining needs a reason."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].required = True


def granted_cases(person: User) -> CaseQuerySet:
    """The cases that the person may export."""
    cases: CaseQuerySet = Case.objects.visible_to(person, CasePermission.EXPORT)
    return cases


def outbreaks_of(person: User) -> Any:
    """The outbreaks of those cases."""
    return Outbreak.objects.filter(pk__in=granted_cases(person).values("outbreak"))


def first_words(person: User, field_set: profiles.FieldSet, case_ids: list[str]) -> dict[str, Any]:
    """What an empty form starts with: the smallest set, two weeks of use, the latest outbreak."""
    latest = None if case_ids else outbreaks_of(person).first()
    return {
        "purpose": field_set.purpose,
        "use_until": timezone.localdate() + USUAL_USE,
        "outbreak": latest.pk if latest else None,
        "case": [one for one in case_ids if _is_uuid(one)],
        "fields_taken": list(field_set.names),
    }


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
