"""Every change of contacts and transmission links that a person can cause."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from access.models import User
from audit import trail
from audit.acts import Act
from cases import numbers
from cases.actions import DomainError, classes_of, require_editable
from cases.models import Case
from contacts.models import Contact, TransmissionLink

Values = Mapping[str, Any]


class FollowUpEnded(DomainError):
    """Follow-up of this contact is over."""

    code = "follow_up_ended"


class ParentMissing(DomainError):
    """A contact of a contact needs the close contact in between, of the same source case."""

    code = "parent_missing"


class ImpossibleLink(DomainError):
    """These two cases cannot have infected each other this way; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@transaction.atomic
def add_contact(case: Case, values: Values, *, by: User) -> Contact:
    """Add a person who met the case; `values` are model fields by name. Raises ParentMissing.

    The contact's data keys are its own; who holds grants on the case opens them.
    """
    return add_contacts(case, [values], by=by)[0]


@transaction.atomic
def add_contacts(case: Case, rows: Iterable[Values], *, by: User) -> list[Contact]:
    """Add several contacts as one act, in the order given. Raises ParentMissing."""
    given = list(rows)
    numbered = zip(numbers.contact_numbers(case.outbreak, len(given)), given, strict=True)
    added = [_new(case, number, values, by) for number, values in numbered]
    fields = sorted({name for values in given for name in values})
    trail.record(
        Act.CONTACT_ADD,
        added[0] if len(added) == 1 else case,
        subjects=[case] if len(added) == 1 else added,
        fields=fields,
        data_classes=classes_of(Contact, fields),
        counts={"contacts": len(added)},
    )
    return added


@transaction.atomic
def correct_contact(contact: Contact, changes: Values, *, by: User, reason: str = "") -> Contact:
    """Write changed fields of a contact; `reason` is a code. Raises ParentMissing, RecordGone."""
    require_editable(Contact, changes, but=("source_case",))
    for name, value in changes.items():
        setattr(contact, name, value)
    _require_parent(contact)
    contact.save(update_fields=list(changes))
    trail.record(
        Act.CONTACT_CHANGE,
        contact,
        fields=sorted(changes),
        data_classes=classes_of(Contact, changes),
        reason=reason,
    )
    return contact


@transaction.atomic
def set_status(contact: Contact, status: str, *, by: User) -> Contact:
    """Move follow-up to another state (list CONTACT_STATUS). Raises FollowUpEnded."""
    if contact.has_ended:
        raise FollowUpEnded
    contact.status = status
    contact.save(update_fields=["status"])
    trail.record(Act.CONTACT_CHANGE, contact, fields=["status"], extra={"status": status})
    return contact


@transaction.atomic
def turn_into_case(contact: Contact, case: Case, *, by: User) -> Contact:
    """Say that the contact became this case; the record of the contact stays and keeps the link."""
    contact.status, contact.became_case = "case", case
    contact.save(update_fields=["status", "became_case"])
    trail.record(Act.CONTACT_CHANGE, contact, subjects=[case], fields=["status", "became_case"])
    return contact


@transaction.atomic
def link_cases(
    infector: Case,
    infectee: Case,
    *,
    by: User,
    setting: str = "unknown",
    certainty: str = "2",
    evidence: Iterable[str] = (),
) -> TransmissionLink:
    """Say who infected whom. Raises ImpossibleLink: "same", "other_outbreak", "circle", "too_early"."""
    _require_possible(infector, infectee)
    link = TransmissionLink(
        infector=infector,
        infectee=infectee,
        setting=setting,
        certainty=certainty,
        evidence=list(evidence),
        created_by=by,
    )
    link.save(force_insert=True)
    trail.record(Act.CASE_CHANGE, infectee, subjects=[infector], fields=["infector"], reason="link")
    return link


def _new(case: Case, number: str, values: Values, by: User) -> Contact:
    require_editable(Contact, values, but=("source_case",))
    contact = Contact(source_case=case, contact_no=number, created_by=by, **values)
    _require_parent(contact)
    contact.save()
    return contact


def _require_parent(contact: Contact) -> None:
    parent = contact.parent_contact
    if contact.level == "secondary" and (parent is None or parent.source_case_id != contact.source_case_id):
        raise ParentMissing


def _require_possible(infector: Case, infectee: Case) -> None:
    if infector.pk == infectee.pk:
        raise ImpossibleLink("same")
    if infector.outbreak_id != infectee.outbreak_id:
        raise ImpossibleLink("other_outbreak")
    if infector.onset_date and infectee.onset_date:
        longest = timedelta(days=float(infectee.outbreak.disease.incubation_max_days))
        if infectee.onset_date - infector.onset_date < -longest:
            raise ImpossibleLink("too_early")
    if infectee.pk in _ancestors(infector.pk):
        raise ImpossibleLink("circle")


def _ancestors(case_id: UUID) -> set[UUID]:
    """All cases from which a chain of links leads to this one; one query for each generation."""
    found, frontier = set[UUID](), {case_id}
    while frontier:
        above = TransmissionLink.objects.filter(infectee_id__in=frontier).values_list(
            "infector_id", flat=True
        )
        frontier = set(above) - found
        found |= frontier
    return found
