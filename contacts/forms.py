"""Words of contacts, checked: the eight fields that add one, corrections, and the state of follow-up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from access import chips
from access.models import Organisation, User
from cases import validation
from cases.chronology import contact_findings
from cases.codes import choices, code_list
from cases.models import Case
from cases.windows import Windows
from contacts.models import ENDED, Contact
from vault.forms import ClearChoices, SecretCharField, SecretChoiceField, SecretDateField
from vault.secret import open_quietly

CLOSED_ENTRY: Final = {"autocomplete": "off"}


def _day_widget() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", **CLOSED_ENTRY}, format="%Y-%m-%d")


class ContactForm(ClearChoices, forms.Form):
    """The minimum: a person who met the case, how, when, and who looks after them."""

    full_name = SecretCharField(
        label=_("Name"),
        max_length=80,
        widget=forms.TextInput(attrs=CLOSED_ENTRY),
        help_text=_("If it is not known, write “unknown” and a number."),
    )
    phone = SecretCharField(
        label=_("Phone"),
        max_length=64,
        widget=forms.TextInput(attrs={"inputmode": "tel", **CLOSED_ENTRY}),
        help_text=_("For a child, the guardian's."),
    )
    level = forms.ChoiceField(label=_("Level"), choices=choices("CONTACT_LEVEL"), initial="close")
    parent_contact = forms.ModelChoiceField(
        label=_("Close contact in between"),
        queryset=Contact.objects.none(),
        required=False,
        empty_label=_("None"),
        help_text=_("Only for a contact of a close contact."),
    )
    relation = SecretChoiceField(
        label=_("Relation to the case"), choices=[("", _("Choose")), *choices("RELATION")]
    )
    mode = forms.MultipleChoiceField(
        label=_("How exposed"), choices=choices("CONTACT_MODE"), widget=forms.CheckboxSelectMultiple
    )
    last_contact_date = forms.DateField(
        label=_("Last contact"), widget=_day_widget(), help_text=_("Follow-up is counted from this day.")
    )
    responsible_org = forms.ModelChoiceField(
        label=_("Responsible organisation"), queryset=Organisation.objects.none(), empty_label=None
    )

    def __init__(
        self, *args: Any, by: User, case: Case, contact: Contact | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._case = case
        self.warnings: list[Any] = []
        self.fields["responsible_org"].queryset = organisations_near(by, contact)  # type: ignore[attr-defined]
        self.fields["responsible_org"].initial = by.organisation_id
        if "parent_contact" in self.fields:
            self.fields["parent_contact"].queryset = close_contacts(case, contact)  # type: ignore[attr-defined]
            self.fields["parent_contact"].label_from_instance = _number_and_mask  # type: ignore[attr-defined]

    def clean_phone(self) -> str | None:
        given = self.cleaned_data["phone"]
        return validation.phone(given) if given else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self._check_dates(given.get("first_contact_date"), given.get("last_contact_date"))
        if given.get("level") == "secondary" and given.get("parent_contact") is None:
            self.add_error("parent_contact", _("Choose the close contact through whom this person was met."))
        return given

    def _check_dates(self, first: date | None, last: date | None) -> None:
        """Impossible days are mistakes; improbable ones are only said: `warnings`."""
        if last is None:
            return
        window = self._case.windows
        infectious = None if window is None else (window.infectious.start, window.infectious.end)
        findings = contact_findings(
            last,
            first_contact_date=first,
            infectious=infectious,
            exposed_from=_exposed_from(self._case, window),
        )
        self.warnings = [finding.message for finding in findings if not finding.is_error]
        for finding in findings:
            if finding.is_error:
                self.add_error(finding.field, finding.message)


# What a correction may change, section by section. Protected fields are among them only once they are open.
SECTIONS: Final[tuple[tuple[str, Any, tuple[str, ...]], ...]] = (
    ("identity", _("Identity"), ("full_name", "sex", "age_value", "age_unit", "id_kind", "id_number")),
    (
        "reach",
        _("Contact details"),
        ("phone", "relation", "town", "street", "address_detail", "workplace_name", "school_name"),
    ),
    (
        "exposure",
        _("Exposure"),
        (
            "level",
            "parent_contact",
            "mode",
            "first_contact_date",
            "last_contact_date",
            "place_name",
            "frequency",
            "duration_minutes",
            "protection",
        ),
    ),
    ("care", _("Follow-up"), ("responsible_org",)),
)
EDITABLE: Final = tuple(name for _code, _label, names in SECTIONS for name in names)
PROTECTED: Final = frozenset(field.name for field in Contact.encrypted_fields()) & frozenset(EDITABLE)


class EditForm(ContactForm):
    """Corrections; `without` names protected fields that are not open now and so not in the form."""

    def __init__(self, *args: Any, contact: Contact, without: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, contact=contact, case=contact.source_case, **kwargs)
        for name in EDITABLE:
            if name not in self.fields:
                self.fields[name] = _model_field(name)
        for name in PROTECTED:
            # What was never collected may stay so; it must not stand in the way of another correction.
            self.fields[name].required &= _is_known(contact, name)
        for name in without:
            del self.fields[name]
        self._contact = contact

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        self._check("age_value", lambda value: validation.age(value, given.get("age_unit") or "Y"))
        self._check("id_number", self._number)
        return given

    def _number(self, text: str) -> str:
        kind = self.cleaned_data.get("id_kind")
        if not kind:
            raise ValidationError(_now("Choose the kind of document first."))
        return validation.document_number(kind, text, sex=self.cleaned_data.get("sex") or "")

    def _check(self, name: str, rule: Any) -> None:
        """Put a value into its stored form, or its mistake beside the field."""
        value = self.cleaned_data.get(name)
        if value in (None, ""):
            return
        try:
            self.cleaned_data[name] = rule(value)
        except ValidationError as mistake:
            self.add_error(name, mistake)


class StatusForm(ClearChoices, forms.Form):
    """Where follow-up of a contact stands; "became a case" names the case."""

    status = forms.ChoiceField(label=_("State"), choices=choices("CONTACT_STATUS"))
    case_no = forms.CharField(
        label=_("Number of the new case"),
        max_length=40,
        required=False,
        help_text=_("Only when the contact became a case."),
    )

    def __init__(self, *args: Any, contact: Contact, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._contact, self._by = contact, by
        self.became_case: Case | None = None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self._contact.has_ended:
            raise ValidationError(_now("Follow-up of this contact has ended. It is not changed any more."))
        if given.get("status") == "case":
            self.became_case = self._find(given.get("case_no", ""))
        return given

    def _find(self, number: str) -> Case | None:
        cases = Case.objects.visible_to(self._by).filter(
            outbreak=self._contact.source_case.outbreak_id, case_no=number.strip()
        )
        found: Case | None = (
            cases.exclude(pk=self._contact.source_case_id).first() if number.strip() else None
        )
        if found is None:
            self.add_error(
                "case_no", _now("You see no case with this number in this outbreak. Open it first.")
            )
        return found


class FilterForm(ClearChoices, forms.Form):
    """What a list of contacts is narrowed to; words it does not know narrow nothing."""

    level = forms.ChoiceField(
        label=_("Level"), required=False, choices=[("", _("All levels")), *choices("CONTACT_LEVEL")]
    )
    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All states")), *chips.choices(chips.STATUSES, code_list("CONTACT_STATUS").values)],
    )
    view = forms.ChoiceField(required=False, choices=[("", ""), ("ended", "ended")])

    @property
    def wanted(self) -> dict[str, str]:
        """The filters given, without words that are no codes."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "") for name in ("status", "level")}

    @property
    def is_about_ended(self) -> bool:
        """Are contacts asked for whose follow-up is over?"""
        status = self.wanted["status"]
        return status in ENDED if status else self.cleaned_data.get("view") == "ended"


def organisations_near(user: User, contact: Contact | None = None) -> QuerySet[Organisation]:
    """Organisations that can look after a contact: one's own, those below and beside it, and the present one."""
    mine = user.organisation
    near = Q(pk=mine.pk) | Q(parent=mine.pk)
    if mine.parent_id is not None:
        near |= Q(parent=mine.parent_id)
    if contact is not None:
        near |= Q(pk=contact.responsible_org_id)
    found: QuerySet[Organisation] = Organisation.objects.filter(near, closed_at__isnull=True).order_by("code")
    return found


def close_contacts(case: Case, contact: Contact | None = None) -> QuerySet[Contact]:
    """Close contacts of the case, any of which can stand between it and a contact of a contact."""
    found = Contact.objects.filter(source_case=case, level="close").order_by("contact_no")
    return found.exclude(pk=contact.pk) if contact is not None else found


def _exposed_from(case: Case, window: Windows | None) -> date:
    """The first day on which the case can have been infected; while no onset is known, seen from the report."""
    if window is not None:
        return window.exposure.start
    longest = float(case.outbreak.disease.incubation_max_days)
    return timezone.localdate(case.reported_at) - timedelta(days=longest)


def _is_known(contact: Contact, name: str) -> bool:
    """Whether a protected field holds anything; looked at for comparing only."""
    secret = getattr(contact, name)
    return secret is not None and (not secret.is_open_to_me or bool(open_quietly(secret)))


def _number_and_mask(contact: Any) -> str:
    return f"{contact.contact_no} {contact.full_name.masked if contact.full_name else ''}".strip()


def _model_field(name: str) -> forms.Field:
    """The form field of a model's field that the minimum does not have; nothing in it is required."""
    if name == "first_contact_date":
        return SecretDateField(label=_("First contact"), required=False, widget=_day_widget())
    field: Any = Contact._meta.get_field(name)
    made: Any = field.formfield(required=False)
    if hasattr(made, "choices"):
        made.choices = [("", _("Not stated")), *(pair for pair in made.choices if pair[0])]
    made.widget.attrs.update(CLOSED_ENTRY)
    found: forms.Field = made
    return found
