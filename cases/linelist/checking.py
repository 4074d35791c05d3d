"""Whether the dates of a row can be true together, by the rules that hold for the pages (cases.chronology)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from cases.chronology import CaseFacts, Finding, case_findings, exposure_findings
from cases.linelist.comparing import Compared
from cases.linelist.kinds import Target
from cases.linelist.parsers import Value
from cases.linelist.problems import Problem

# Real line lists hold exposure that went on after the onset, and deaths before the laboratory's answer: what the
# pages refuse, an import takes in here.
TAKEN_IN: Final = frozenset({("end", "after_onset"), ("outcome_date", "before_diagnosed_at")})
# The field of the source that holds what a fact of the case is about; others have the same name.
READ_FROM: Final = {
    "diagnosed_at": "first_positive_date",
    "reported_at": "report_date",
    "end": "exposure_end_date",
}


def problems(target: Target, row: Compared) -> list[Problem]:
    """What the pages would refuse in this row, each column and reason once."""
    found = dict.fromkeys(
        Problem(row.record.number, _column(target, finding.field), finding.code)
        for finding in _findings(target, row.record.values)
        if finding.is_error and (finding.field, finding.code) not in TAKEN_IN
    )
    return list(found)


def _findings(target: Target, values: Mapping[str, Value]) -> Iterator[Finding]:
    """Days are compared as the source wrote them, wherever it was written.

    They are not held against the outbreak's beginning: one opened for an old line list begins after its cases.
    """
    disease = target.outbreak.disease
    shortest, longest = float(disease.incubation_min_days), float(disease.incubation_max_days)
    facts = CaseFacts(
        classification=str(values.get("classification") or ""),
        longest_incubation_days=longest,
        may_fall_ill_later=True,
        onset_date=_day(values, "onset_date"),
        first_positive_date=_day(values, "first_positive_date"),
        diagnosed_at=_day(values, READ_FROM["diagnosed_at"]),
        reported_at=_day(values, READ_FROM["reported_at"]),
        outcome_date=_day(values, "outcome_date"),
    )
    yield from case_findings(facts)
    end = _day(values, "exposure_end_date")
    start = _day(values, "exposure_start_date") or end
    if start is not None:
        onset = facts.onset_date
        yield from exposure_findings(start, end, onset_date=onset, incubation_days=(shortest, longest))


def _day(values: Mapping[str, Value], name: str) -> date | None:
    value = values.get(name)
    return value if isinstance(value, date) else None


def _column(target: Target, fact: str) -> str:
    """The column to look at; the start of exposure when the file tells no end."""
    names = {column.field: column.name for column in reversed(target.profile.columns)}
    field = READ_FROM.get(fact, fact)
    return names.get(field, names.get("exposure_start_date", "") if fact == "end" else "")
