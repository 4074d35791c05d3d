"""Correcting one section of a case: only fields the person may open and change are asked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from access.models import User
from cases import merging
from cases.chronology import Finding
from cases.forms import checking
from cases.forms.fields import form_field, offer, with_value
from cases.forms.opening import REQUIRED, districts_of
from cases.holdings import Holding
from cases.models import Case
from cases.policy import is_encrypted, policy_of
from cases.sections import Section
from vault.forms import ClearChoices


def editable(section: Section, by: User, holding: Holding) -> list[str]:
    """The section's fields that this person may correct: moving and classifying are a supervisor's."""
    return [name for name in section.fields if _may(name, by, holding)]


def sealed(names: Collection[str]) -> list[str]:
    """Those of the names whose values have to be opened to be seen."""
    return [name for name in names if is_encrypted(Case._meta.get_field(name))]


def _may(name: str, by: User, holding: Holding) -> bool:
    if name == "district":
        return by.is_supervisor
    if name == "classification":
        return by.may("cases.classify_case")
    field = Case._meta.get_field(name)
    policy = policy_of(field)
    return policy is not None and (not is_encrypted(field) or holding.opens(policy.data_class))


class SectionForm(ClearChoices, forms.Form):
    """The fields of one section with the marks of what they were drawn with."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20_000)

    def __init__(self, *args: Any, case: Case, names: Collection[str], by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case, self.names, self.remarks = case, list(names), list[Finding]()
        for name in self.names:
            self.fields[name] = form_field(Case, name)
        if "district" in self.fields:
            offer(self, "district", districts_of(by.organisation))
        for name in ("classification", "district", "notice_given", "reported_at", "report_org"):
            if name in self.fields:
                self.fields[name].required = True

    @property
    def questions(self) -> list[forms.BoundField]:
        """The fields to draw."""
        return [self[name] for name in self.names]

    @property
    def seen_marks(self) -> dict[str, str]:
        return merging.parse(str(self.data.get("seen", "")))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        values = self._values(given)
        touched = self._touched(values)
        for name in sorted(touched & {*REQUIRED}):
            if values[name] in (None, "", []):
                self.add_error(name, _("A case is opened with this: it can be corrected, not emptied."))
        if touched & {"id_number", "id_kind", "sex", "birth_date"}:
            self._add(checking.document_error({"sex": self.case.sex, **values}))
        age = checking.age_error(values) if touched & {"age_value", "age_unit"} else None
        if age:
            self._add(("age_value", age))
        for finding in checking.new_findings(self.case, values, touched) if touched else ():
            self._take(finding)
        return given

    def _take(self, finding: Finding) -> None:
        if not finding.is_error:
            self.remarks.append(finding)
        else:
            self.add_error(finding.field if finding.field in self.fields else None, finding.message)

    def _add(self, mistake: tuple[str, ValidationError] | None) -> None:
        if mistake:
            name, error = mistake
            self.add_error(name if name in self.fields else None, error)

    def _touched(self, values: Mapping[str, Any]) -> set[str]:
        seen = self.seen_marks
        return {
            name for name, value in values.items() if merging.mark(self.case, name, value) != seen.get(name)
        }

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, by model field, in the form the model keeps."""
        return self._values(self.cleaned_data)

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: stored(name, given[name]) for name in self.names if name in given}

    def drawn_again(self, marks: Mapping[str, str]) -> None:
        """Carry newer marks: whoever saves again has seen what stands there now."""
        self.data = with_value(self.data, "seen", json.dumps({**self.seen_marks, **marks}))


def stored(name: str, value: Any) -> Any:
    """A cleaned value as the column wants it: nothing is NULL, or "" in a plain code column."""
    if value in (None, "", []):
        return "" if hasattr(Case._meta.get_field(name), "codes") else None
    return value
