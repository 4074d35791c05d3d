"""Takes understood rows of a line list into cases."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, cast
from uuid import UUID

from django.db import models
from django.utils import timezone

from audit.capture import audited_bulk
from cases import numbers
from cases.linelist import checking
from cases.linelist.comparing import Compared, State
from cases.linelist.kinds import Target
from cases.linelist.parsers import Value
from cases.linelist.problems import Problem, Refused
from cases.models import Case

# Which fields of the source each field of a case is made of.
SOURCES: dict[str, tuple[str, ...]] = {
    "sex": ("sex",),
    "age_value": ("age_value",),
    "age_unit": ("age_value", "age_unit"),
    "classification": ("classification",),
    "origin": ("origin",),
    "onset_date": ("onset_date",),
    "first_positive_date": ("first_positive_date",),
    "diagnosed_at": ("first_positive_date",),
    "reported_at": ("report_date",),
    "outcome": ("outcome",),
    "outcome_date": ("outcome_date",),
    "hospital": ("hospital",),
    "exposure_start_date": ("exposure_start_date",),
    "exposure_end_date": ("exposure_end_date",),
    "summary_note": ("place_infect", "reporting_country"),
}


def case_values(source_id: str, values: Mapping[str, Value]) -> dict[str, Any]:
    """The fields of a case that a row says something about."""
    known: dict[str, Any] = {name: values[name] for name in SOURCES if values.get(name) is not None}
    moments = {"diagnosed_at": "first_positive_date", "reported_at": "report_date"}
    for name, source in moments.items():
        day = values.get(source)
        if isinstance(day, date):
            known[name] = _start_of(day)
    if values.get("age_value") is None:
        known.pop("age_unit", None)
    return {
        **known,
        "full_name": f"unknown {source_id}",
        "summary_note": _note(values) or None,
    }


def _start_of(day: date) -> datetime:
    """Midnight here: the day that the source names is the day that the pages show and compare."""
    return timezone.make_aware(datetime.combine(day, time()))


def _note(values: Mapping[str, Value]) -> str:
    """What the source says and no field of its own holds."""
    parts = []
    if values.get("place_infect"):
        parts.append(f"Infected: {values['place_infect']}.")
    if values.get("reporting_country"):
        parts.append(f"Reported by: {values['reporting_country']}.")
    return " ".join(parts)


class CaseWriter:
    """Cases from rows: names are unknown, the source's identifier stands in as a pseudonym."""

    def prepare(self, target: Target, expected: Collection[str] = ()) -> None:
        """Nothing is needed beforehand."""

    def refusals(self, target: Target, rows: Sequence[Compared]) -> list[Problem]:
        """Rows that the pages would refuse, by the same rules; what is as before was judged before."""
        return [
            problem
            for row in rows
            if row.state is not State.SAME
            for problem in checking.problems(target, row)
        ]

    def create(self, target: Target, rows: Sequence[Compared]) -> list[models.Model]:
        """Open one case for each row."""
        case_numbers = numbers.case_numbers(target.outbreak, len(rows))
        cases = [self._case(target, row, number) for row, number in zip(rows, case_numbers, strict=True)]
        with audited_bulk("import_linelist"):
            return [*Case.objects.bulk_create(cases, batch_size=500)]

    def change(self, target: Target, row: Compared, record_id: UUID) -> models.Model:
        """Write the fields whose source has changed. Raises Refused."""
        case = Case.objects.filter(pk=record_id, outbreak=target.outbreak).first()
        if case is None:
            raise Refused("not_yours")
        if case.is_closed:
            raise Refused("case_closed")
        blank = {"sex": "", "age_unit": "", "origin": "", "outcome": ""}
        values = blank | case_values(row.record.source_id, row.record.values)
        fields = [name for name, sources in SOURCES.items() if row.changed.intersection(sources)]
        for name in fields:
            setattr(case, name, values.get(name))
        if fields:
            case.save(update_fields=fields)
        return cast("models.Model", case)

    def record_id(self, record: models.Model) -> UUID:
        return cast("UUID", record.pk)

    def _case(self, target: Target, row: Compared, number: str) -> Case:
        case = Case(
            outbreak=target.outbreak,
            district=target.district,
            report_org=target.outbreak.organisation,
            case_no=number,
            notice_given="not_possible",
            occupation_group="99",
            is_health_worker="U",
            source_token=row.token,
            created_by=target.by,
            **case_values(row.record.source_id, row.record.values),
        )
        case.settle()
        return case
