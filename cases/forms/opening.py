"""Opening a case: the fourteen fields without which there is none, on one page."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models import Organisation, User
from cases.chronology import Finding
from cases.forms import checking
from cases.forms.fields import form_field, offer, organisations
from cases.models import Case, Outbreak
from vault.forms import ClearChoices

REQUIRED: Final = (
    "full_name", "sex", "age_value", "age_unit", "phone", "district", "town", "occupation_group",
    "is_health_worker", "classification", "reported_at", "report_org", "interviewee_relation", "notice_given",
)  # fmt: skip
OPTIONAL: Final = ("id_kind", "id_number", "is_asymptomatic", "onset_date", "first_positive_date")
GROUP: Final = ("occupation_group", "is_health_worker")
GROUPS: Final = (
    (_("Who"), ("full_name", "sex", "age_value", "age_unit", "id_kind", "id_number", *GROUP)),
    (_("How to reach them"), ("phone", "interviewee_relation", "district", "town")),
    (_("Illness"), ("classification", "is_asymptomatic", "onset_date", "first_positive_date")),
    (_("Report"), ("outbreak", "reported_at", "report_org", "notice_given")),
)  # fmt: skip


class OpenCaseForm(ClearChoices, forms.Form):
    """The least that opens a case, checked as a whole."""

    outbreak = forms.ModelChoiceField(
        label=_("Outbreak"), queryset=Outbreak.objects.none(), to_field_name="code", empty_label="—"
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remarks: list[Finding] = []
        for name in (*REQUIRED, *OPTIONAL):
            self.fields[name] = form_field(Case, name, required=name in REQUIRED)
        self.fields["full_name"].help_text = _("While the name is not known: unknown 1, unknown 2 …")
        self.fields["id_number"].help_text = _("Only when the statutory report card needs it.")
        self.fields["onset_date"].help_text = _("Or the first positive sample.")
        self.fields["first_positive_date"].help_text = ""
        self.fields["id_kind"].help_text = ""
        self.fields["age_unit"].help_text = ""
        self._offer(by)

    def _offer(self, by: User) -> None:
        offer(self, "outbreak", Outbreak.objects.filter(ended_on__isnull=True))
        offer(self, "district", districts_of(by.organisation))
        self.initial = {
            "district": by.organisation_id,
            "report_org": by.organisation_id,
            "reported_at": timezone.localtime(),
            "age_unit": "Y",
            **self.initial,
        }

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields under their headings."""
        return [(title, [self[name] for name in names]) for title, names in GROUPS]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        document = checking.document_error(given)
        if document:
            self.add_error(*document)
        age = checking.age_error(given)
        if age:
            self.add_error("age_value", age)
        for finding in checking.findings(None, given):
            if not finding.is_error:
                self.remarks.append(finding)
            elif finding.field not in self.errors:
                self.add_error(finding.field if finding.field in self.fields else None, finding.message)
        return given

    @property
    def values(self) -> dict[str, Any]:
        """Model fields by name; what was left out is left out."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "outbreak"}
        if not given.get("id_number"):
            given.pop("id_kind", None)
        return {name: value for name, value in given.items() if value not in (None, "")}


def districts_of(organisation: Organisation) -> QuerySet[Organisation]:
    """The districts that an organisation answers for."""
    here = Q(pk=organisation.pk) | Q(parent=organisation.pk) | Q(parent__parent=organisation.pk)
    return organisations().filter(here, level=Organisation.Level.DISTRICT)
