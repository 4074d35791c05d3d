"""Every change of outbreaks, cases and visits that a person can cause."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from access.models import User
from audit import trail
from audit.acts import Act
from cases import numbers
from cases.models import Case, CaseCounter, Outbreak, Visit
from cases.policy import Need, is_encrypted, policy_of

Values = Mapping[str, Any]


class DomainError(Exception):
    """The change contradicts what is; `code` says why. Views turn it into a form error."""

    code = "refused"


class OutbreakEnded(DomainError):
    """The outbreak is over: no case is opened in it any more."""

    code = "outbreak_ended"


class CaseClosed(DomainError):
    """The investigation of this case has ended; it has to be reopened first."""

    code = "case_closed"


class VisitWithdrawn(DomainError):
    """The visit was taken back and is not changed any more."""

    code = "visit_withdrawn"


class NotYours(DomainError):
    """This field is not a person's to set."""

    code = "field_not_editable"


@transaction.atomic
def open_outbreak(values: Values, *, by: User) -> Outbreak:
    """Open an outbreak with its counter of case numbers; `values` are its fields by name."""
    outbreak = Outbreak(opened_by=by, **{"organisation": by.organisation, **values})
    outbreak.save(force_insert=True)
    CaseCounter(outbreak=outbreak).save(force_insert=True)
    trail.record(Act.OUTBREAK_OPEN, outbreak)
    return outbreak


@transaction.atomic
def open_case(outbreak: Outbreak, values: Values, *, by: User) -> Case:
    """Open a case and give it a number; `values` are model fields by name, checked by the form.

    Who opens it as an investigator may work on it from then on: the database writes that grant.
    Raises OutbreakEnded.
    """
    if not outbreak.is_open:
        raise OutbreakEnded
    require_editable(Case, values)
    given = {"report_org": by.organisation, "investigator": by if by.is_investigator else None, **values}
    case = Case(outbreak=outbreak, created_by=by, case_no=numbers.case_numbers(outbreak)[0], **given)
    case.save()
    trail.record(Act.CASE_CREATE, case, fields=sorted(values), data_classes=classes_of(Case, values))
    return case


@transaction.atomic
def correct_case(case: Case, changes: Values, *, by: User, reason: str = "") -> Case:
    """Write changed fields of a case; `reason` is a code. Raises CaseClosed, RecordGone.

    Classification goes through `classify`, so that its time and its decider are kept.
    """
    if case.is_closed:
        raise CaseClosed
    require_editable(Case, changes, but=("classification", "outbreak"))
    _write(case, changes)
    if "district" in changes:
        case.place_in(case.district)
    case.save(update_fields=list(changes))
    trail.record(
        Act.CASE_CHANGE, case, fields=sorted(changes), data_classes=classes_of(Case, changes), reason=reason
    )
    return case


@transaction.atomic
def classify(
    case: Case, classification: str, *, by: User, severity: str | None = None, reason: str = ""
) -> Case:
    """Set the case's classification and record who decided it, and why. Raises CaseClosed, RecordGone."""
    if case.is_closed:
        raise CaseClosed
    case.classification, case.classified_at = classification, timezone.now()
    fields = ["classification", "classified_at"]
    if severity is not None:
        case.severity = severity
        fields.append("severity")
    case.save(update_fields=fields)
    trail.record(Act.CASE_CHANGE, case, fields=fields, data_classes=["health"], reason=reason or "classify")
    return case


@transaction.atomic
def set_status(case: Case, status: str, *, by: User) -> Case:
    """Move the investigation to another state (list CASE_STATUS)."""
    case.status = status
    case.save(update_fields=["status"])
    trail.record(Act.CASE_CHANGE, case, fields=["status"], extra={"status": status})
    return case


@transaction.atomic
def add_visit(case: Case, values: Values, *, by: User) -> Visit:
    """Add a stay or a journey at the end of the case's movements. Raises CaseClosed."""
    return add_visits(case, [values], by=by)[0]


@transaction.atomic
def add_visits(case: Case, rows: Iterable[Values], *, by: User) -> list[Visit]:
    """Add several visits as one act, in the order given. Raises CaseClosed."""
    if case.is_closed:
        raise CaseClosed
    last = Visit.objects.filter(case=case).aggregate(last=models.Max("order"))["last"] or 0
    added, fields = [], set[str]()
    for n, values in enumerate(rows, start=1):
        require_editable(Visit, values, but=("case",))
        visit = Visit(**{"case": case, "created_by": by, "order": last + n, **values})
        visit.save()
        added.append(visit)
        fields |= values.keys()
    trail.record(
        Act.VISIT_ADD, case, subjects=added, fields=sorted(fields), data_classes=classes_of(Visit, fields),
        counts={"visits": len(added)},
    )  # fmt: skip
    return added


@transaction.atomic
def correct_visit(visit: Visit, changes: Values, *, by: User) -> Visit:
    """Write changed fields of a visit. Raises VisitWithdrawn, CaseClosed, RecordGone."""
    _require_standing(visit)
    require_editable(Visit, changes, but=("case",))
    _write(visit, changes)
    visit.save(update_fields=list(changes))
    trail.record(Act.VISIT_CHANGE, visit, fields=sorted(changes), data_classes=classes_of(Visit, changes))
    return visit


@transaction.atomic
def withdraw_visit(visit: Visit, *, by: User) -> Visit:
    """Take a visit back that was entered by mistake. The row stays, sealed, until its retention ends."""
    _require_standing(visit)
    visit.withdrawn_at, visit.withdrawn_by = timezone.now(), by
    visit.save(update_fields=["withdrawn_at", "withdrawn_by"])
    trail.record(Act.VISIT_CHANGE, visit, fields=["withdrawn_at"], reason="withdrawn")
    return visit


def editable_fields(model: type[models.Model]) -> frozenset[str]:
    """The names of the declared fields that a person fills in."""
    declared = ((field.name, policy_of(field)) for field in model._meta.concrete_fields)
    return frozenset(
        name for name, policy in declared if policy is not None and policy.need is not Need.AUTOMATIC
    )


def require_editable(model: type[models.Model], names: Iterable[str], but: Iterable[str] = ()) -> None:
    """Raise NotYours when one of the names is no field that a person fills in."""
    strange = set(names) - (editable_fields(model) - set(but))
    if strange:
        raise NotYours(", ".join(sorted(strange)))


def classes_of(model: type[models.Model], names: Iterable[str]) -> list[str]:
    """The data classes of the sealed fields among these names."""
    fields = (model._meta.get_field(name) for name in names)
    return sorted({str(getattr(field, "data_class")) for field in fields if is_encrypted(field)})  # noqa: B009


def _require_standing(visit: Visit) -> None:
    if visit.is_withdrawn:
        raise VisitWithdrawn
    if visit.case.is_closed:
        raise CaseClosed


def _write(record: models.Model, changes: Values) -> None:
    for name, value in changes.items():
        setattr(record, name, value)
