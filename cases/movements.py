"""The movements of a case by day, masked or in plain words, with what contradicts itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from access.dates import day_words
from cases.chronology import Finding, Stay, gaps, stay_findings
from cases.codes import label
from cases.merging import present
from cases.models import Visit
from cases.wording import words
from vault.errors import Locked

HIDDEN = "******"


@dataclass(frozen=True)
class Row:
    """One stay or journey as drawn."""

    visit: Visit
    times: str
    place: str
    place_kind: str
    transport: str
    note: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def source(self) -> str:
        return label("INFO_SOURCE", self.visit.info_source)

    @property
    def precision(self) -> str:
        return label("PRECISION", self.visit.time_precision)

    @property
    def is_wrong(self) -> bool:
        return any(finding.is_error for finding in self.findings)


@dataclass
class Day:
    """Rows of one day; while masked there is one nameless day."""

    title: str
    rows: list[Row] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


def masked(visits: Sequence[Visit]) -> list[Day]:
    """The rows without their values, in the order in which they were entered."""
    rows = [_masked(visit) for visit in visits]
    return [Day("", rows)] if rows else []


REST = ("place_kind", "transport", "note")
SHOWN = ("start_at", "end_at", "place_name", *REST)


def lit(visits: Sequence[Visit]) -> list[Day]:
    """The rows in plain words by day; opening them is told to the witness, value by value."""
    opened = [{name: _revealed(visit, name) for name in SHOWN} for visit in visits]
    dated = [
        (visit, told) for visit, told in zip(visits, opened, strict=True) if told["start_at"] is not None
    ]
    dated.sort(key=lambda pair: (pair[1]["start_at"], pair[0].order))
    stays = [stay(told) for _visit, told in dated]
    days: dict[date, Day] = {}
    for (visit, told), findings in zip(dated, stay_findings(stays), strict=True):
        day = timezone.localdate(told["start_at"])
        days.setdefault(day, Day(_day_title(day))).rows.append(_row(visit, told, findings))
    for start, end in gaps(stays):
        days.setdefault(timezone.localdate(start), Day(_day_title(timezone.localdate(start)))).gaps.append(
            _gap_words(start, end)
        )
    return [days[day] for day in sorted(days)]


def clashes(typed: Mapping[str, Any], others: Sequence[Visit]) -> list[Finding]:
    """What a new row contradicts: the others are compared on the server and shown to nobody."""
    known = [_quietly(visit) for visit in others]
    stays = [stay(typed), *(stay(told) for told in known if told.get("start_at") is not None)]
    before = stay_findings(stays[1:])
    after = stay_findings(stays)
    # An overlap is said of the later row, which may be one of the others.
    new = [one for now, then in zip(after[1:], before, strict=True) for one in now if one not in then]
    return [*(one for one in after[0] if one.code in ("overlap", "speed")), *new]


def stay(told: Mapping[str, Any]) -> Stay:
    """A row as chronology wants it; places are told apart by name, journeys by their transport."""
    place = told.get("place_name") or told.get("transport") or ""
    return Stay(told["start_at"], told.get("end_at"), str(place))


def _masked(visit: Visit) -> Row:
    kind, transport, note = (_hidden(visit, name) for name in REST)
    return Row(visit, HIDDEN, HIDDEN, kind, transport, note)


def _hidden(visit: Visit, name: str) -> str:
    return "" if getattr(visit, name) is None else HIDDEN


def _revealed(visit: Visit, name: str) -> Any:
    secret = getattr(visit, name)
    return None if secret is None else secret.reveal()


def _quietly(visit: Visit) -> dict[str, Any]:
    try:
        return {name: present(visit, name) for name in ("start_at", "end_at", "place_name", "transport")}
    except Locked:
        return {}


def _row(visit: Visit, told: dict[str, Any], findings: list[Finding]) -> Row:
    return Row(
        visit,
        _times(told["start_at"], told["end_at"]),
        told["place_name"] or "",
        words(Visit, "place_kind", told["place_kind"]),
        words(Visit, "transport", told["transport"]),
        told["note"] or "",
        findings,
    )


def _times(start: datetime, end: datetime | None) -> str:
    first = timezone.localtime(start)
    if end is None:
        return f"{first:%H:%M}–"
    last = timezone.localtime(end)
    if last.date() == first.date():
        return f"{first:%H:%M}–{last:%H:%M}"
    return f"{first:%H:%M}–{day_words(last.date())} {last:%H:%M}"


def _day_title(day: date) -> str:
    names = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return f"{day_words(day)} {names[day.weekday()]}"


def _gap_words(start: datetime, end: datetime) -> str:
    hours = int((end - start).total_seconds() // 3600)
    first, last = timezone.localtime(start), timezone.localtime(end)
    stretch = f"{first:%H:%M}–{day_words(last.date())} {last:%H:%M}"
    return _("Gap of %(hours)d hours: %(stretch)s") % {"hours": hours, "stretch": stretch}
