"""What fields say together: chronology, documents, ages, for every form that writes a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import validation
from cases.chronology import CaseFacts, Finding, case_findings, exposure_findings
from cases.models import Case, Outbreak

FACTS = frozenset(fact.name for fact in fields(CaseFacts))


def findings(case: Case | None, given: Mapping[str, Any]) -> list[Finding]:
    """What contradicts itself in the case once `given` is written; sealed facts count only as far as given."""
    found = case_findings(_facts(case, given))
    return [*found, *_birth(given), *_interview(given), *_exposure(case, given)]


def new_findings(case: Case, given: Mapping[str, Any], touched: Iterable[str]) -> list[Finding]:
    """The contradictions that this change brings or touches; older ones elsewhere do not stop it."""
    before = {(one.field, one.code) for one in findings(case, {})}
    mine = set(touched)
    return [one for one in findings(case, given) if one.field in mine or (one.field, one.code) not in before]


def document_error(given: Mapping[str, Any]) -> tuple[str, ValidationError] | None:
    """What is wrong with the identity document, and in which field."""
    number, kind = given.get("id_number") or "", given.get("id_kind") or ""
    if not number:
        return None
    if not kind:
        return "id_kind", ValidationError(_("Say which document the number is from."), code="kind")
    try:
        validation.document_number(
            kind, number, birth_date=given.get("birth_date"), sex=str(given.get("sex") or "")
        )
    except ValidationError as error:
        return "id_number", error
    return None


def age_error(given: Mapping[str, Any]) -> ValidationError | None:
    """What is wrong with age and unit together."""
    if given.get("age_value") is None:
        return None
    try:
        validation.age(given["age_value"], given.get("age_unit") or "Y")
    except ValidationError as error:
        return error
    return None


def _facts(case: Case | None, given: Mapping[str, Any]) -> CaseFacts:
    known: dict[str, Any] = {}
    for name in FACTS:
        if name in given:
            known[name] = given[name]
        elif case is not None and name in _PLAIN:
            known[name] = getattr(case, name)
    known["has_guardian"] = bool(given.get("guardian_name")) or (
        case is not None and "guardian_name" not in given and case.guardian_name is not None
    )
    known["age_years"] = _years(case, given)
    known["may_fall_ill_later"] = case is not None
    outbreak: Outbreak | None = given.get("outbreak") or (case.outbreak if case else None)
    if outbreak is not None:
        known["outbreak_started"] = outbreak.started_on
        known["longest_incubation_days"] = float(outbreak.disease.incubation_max_days)
    return CaseFacts(**{name: value for name, value in known.items() if value is not None})


_PLAIN = FACTS & {field.name for field in Case._meta.concrete_fields if not hasattr(field, "data_class")}


def _years(case: Case | None, given: Mapping[str, Any]) -> int | None:
    stub = Case(
        age_value=given.get("age_value", case.age_value if case else None),
        age_unit=given.get("age_unit") or (case.age_unit if case else "Y"),
    )
    return stub.age_years


def _birth(given: Mapping[str, Any]) -> Iterator[Finding]:
    if given.get("birth_date") is not None:
        try:
            validation.birth_date(given["birth_date"])
        except ValidationError as error:
            yield Finding("birth_date", str(error.code), error.messages[0])


def _interview(given: Mapping[str, Any]) -> Iterator[Finding]:
    moment: datetime | None = given.get("interviewed_at")
    if moment is not None and moment > timezone.now():
        yield Finding("interviewed_at", "future", _("This lies in the future. Check the date."))


def _exposure(case: Case | None, given: Mapping[str, Any]) -> Iterator[Finding]:
    end: date | None = given.get("exposure_end_date")
    start: date | None = given.get("exposure_start_date") or end
    if case is None or start is None:
        return
    disease = case.outbreak.disease
    days = float(disease.incubation_min_days), float(disease.incubation_max_days)
    for one in exposure_findings(start, end, onset_date=case.onset_date, incubation_days=days):
        yield Finding(
            "exposure_end_date" if end else "exposure_start_date", one.code, one.message, one.is_error
        )
