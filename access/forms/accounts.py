"""What a security administrator types about accounts, and an invited person about a password."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.actions.accounts import FactorReason, Reason, State
from access.models import Organisation, User
from access.models.reach import within
from access.roles import Role
from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters, refuse_long_numbers

STATES = [
    ("", _("Any state")),
    ("present", _("Works")),
    ("temporary", _("Temporary")),
    ("ended", _("Past its end")),
    ("inactive", _("Switched off")),
    ("never", _("Never signed in")),
]
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
_ANY_ROLE = [("", _("Any role")), *Role.choices]
_LONGEST_TEMPORARY_DAYS = 366


class AccountSearch(ClearChoices, forms.Form):
    """Narrows the list of accounts; sent by POST, so that no name stands in an address."""

    q = forms.CharField(label=_("User name or name"), max_length=80, required=False)
    organisation = forms.ModelChoiceField(
        label=_("Organisation and below"),
        queryset=Organisation.objects.none(),
        required=False,
        empty_label=_("Everywhere"),
    )
    role = forms.ChoiceField(label=_("Role"), choices=_ANY_ROLE, required=False)
    state = forms.ChoiceField(label=_("State"), choices=STATES, required=False)
    page = forms.IntegerField(min_value=1, max_value=10_000, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_organisations(self)

    @property
    def number(self) -> int:
        """The page asked for, from 1."""
        return (self.cleaned_data.get("page") if self.is_bound and self.is_valid() else None) or 1

    def found(self) -> QuerySet[User]:
        """The accounts that pass; all of them for a form that was not sent, none for a wrong one."""
        rows = User.objects.select_related("organisation").order_by("organisation__code", "username")
        if not self.is_bound:
            return rows
        if not self.is_valid():
            return rows.none()
        given = self.cleaned_data
        if text := given["q"].strip():
            rows = rows.filter(Q(username__icontains=text) | Q(display_name__icontains=text))
        if place := given["organisation"]:
            rows = rows.filter(within(place, "organisation"))
        if given["role"]:
            rows = rows.filter(role=given["role"])
        return _of_state(rows, given["state"])


class _StateForm(ClearChoices, forms.Form):
    """Role, organisation and end: what both an invitation and a change say."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    organisation = forms.ModelChoiceField(
        label=_("Organisation"), queryset=Organisation.objects.none(), empty_label=None
    )
    is_temporary = forms.BooleanField(
        label=_("Temporary staff or contractor"),
        required=False,
        help_text=_("Access for 7 days at most, no export. Needs an end; investigators and partners only."),
    )
    ends_on = forms.DateField(
        label=_("Last day of the account"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: no end."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_organisations(self)

    def clean_ends_on(self) -> date | None:
        day: date | None = self.cleaned_data["ends_on"]
        if day is not None and day < timezone.localdate():
            raise ValidationError(_("This day is past. Name today or a later day."))
        return day

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        latest = timezone.localdate() + timedelta(days=_LONGEST_TEMPORARY_DAYS)
        if given.get("is_temporary") and (day := given.get("ends_on")) and day > latest:
            self.add_error("ends_on", _("A temporary account ends within a year."))
        return given

    def state(self, *, is_active: bool = True) -> State:
        """What was typed, as the action takes it."""
        given = self.cleaned_data
        return State(
            Role(given["role"]), given["organisation"], is_active, given["is_temporary"], self.ends_at
        )

    @property
    def ends_at(self) -> datetime | None:
        day = self.cleaned_data["ends_on"]
        return None if day is None else _end_of(day)


class AccountForm(_StateForm):
    """The decision about one account, with its reason."""

    is_active = forms.BooleanField(
        label=_("The account works"),
        required=False,
        help_text=_("Switching it off ends the sessions and takes back all access at once."),
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=[("", _("Choose")), *Reason.choices])
    field_order = ("role", "organisation", "is_active", "is_temporary", "ends_on", "reason")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        ends = person.ends_at
        kwargs["initial"] = {
            "role": person.role,
            "organisation": person.organisation_id,
            "is_active": person.is_active,
            "is_temporary": person.is_temporary,
            "ends_on": timezone.localdate(ends) if ends else None,
        }
        self._person = person
        super().__init__(*args, **kwargs)

    def clean_ends_on(self) -> date | None:
        """An end that stands already may be past: the account is changed otherwise."""
        return self.cleaned_data["ends_on"] if not self._moves_the_end else super().clean_ends_on()

    @property
    def ends_at(self) -> datetime | None:
        return super().ends_at if self._moves_the_end else self._person.ends_at

    @property
    def _moves_the_end(self) -> bool:
        return bool(self.cleaned_data["ends_on"] != self.initial["ends_on"])

    def wanted(self) -> State:
        return self.state(is_active=self.cleaned_data["is_active"])


class ResetFactorsForm(ClearChoices, forms.Form):
    """Why somebody's second factors are taken away; nothing is chosen beforehand."""

    reason = forms.ChoiceField(label=_("Reason"), choices=FactorReason.choices, widget=forms.RadioSelect)


class InviteForm(_StateForm):
    """Whom to invite into a new account."""

    username = forms.CharField(
        label=_("User name"),
        max_length=64,
        validators=[
            RegexValidator(
                r"\A[a-z][a-z0-9._-]{2,63}\Z",
                _("3 to 64 small letters, digits, dots and hyphens, beginning with a letter."),
            )
        ],
        help_text=_("The staff number or a short name; it never changes and is never given again."),
    )
    display_name = forms.CharField(
        label=_("Name"), max_length=80, validators=[refuse_control_characters, refuse_long_numbers]
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, initial="zh-hans")
    field_order = (
        "username",
        "display_name",
        "role",
        "organisation",
        "is_temporary",
        "ends_on",
        "language",
    )


class InvitedByCodeForm(ClearChoices, forms.Form):
    """The code that was handed over, when the provider of single sign-on says who brings it."""

    code = forms.CharField(
        label=_("Invitation code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}),
        help_text=_("20 letters and digits, as they were given to you. They work once."),
    )


class InvitedForm(InvitedByCodeForm):
    """The code that was handed over, and a password that nobody else knows."""

    password = forms.CharField(
        label=_("New password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters, not a common one, not like your name."),
    )
    again = forms.CharField(
        label=_("The password again"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        password = given.get("password")
        if password is None:
            return given
        if "again" in given and given["again"] != password:
            self.add_error("again", _("The two passwords differ."))
        self.check(password, None)
        return given

    def check(self, password: str, person: User | None) -> bool:
        """Whether the password may be this person's; what is wrong stands beside the field."""
        try:
            validate_password(password, person)
        except ValidationError as error:
            self.add_error("password", error)
        return not self.errors


def _offer_organisations(form: forms.Form) -> None:
    field: Any = form.fields["organisation"]
    field.queryset = Organisation.objects.filter(closed_at__isnull=True)
    field.label_from_instance = _indented


def _indented(place: Any) -> str:
    depth = {"province": 0, "city": 1, "district": 2}[place.level]
    return "\u2003" * depth + f"{place.area} {place.code}"


def _of_state(rows: QuerySet[User], state: str) -> QuerySet[User]:
    now = timezone.now()
    match state:
        case "present":
            return rows.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), is_active=True)
        case "temporary":
            return rows.filter(is_temporary=True)
        case "ended":
            return rows.filter(ends_at__lte=now)
        case "inactive":
            return rows.filter(is_active=False)
        case "never":
            return rows.filter(last_login__isnull=True)
        case _:
            return rows


def _end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.max.time().replace(microsecond=0)))
