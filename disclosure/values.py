"""A case as cells of a row: plain columns as they stand, sealed ones opened under the eyes of the witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cases import codes
from cases.models import Case, Visit
from cases.policy import policy_of
from disclosure.grouping import age_band
from disclosure.profiles import AGE_BAND, VISIT_DETAILS, VISIT_TIMES, VISITS, ExportField, visit_heading
from disclosure.sealed_files import Cell

YEARS = "Y"
BETWEEN = "; "
VISITS_SHOWN = 3
_YES_NO = {True: _("yes"), False: _("no")}


def row_of(case: Case, fields: Sequence[ExportField], visits: Sequence[Visit] = ()) -> list[Cell]:
    """The cells of one case; sealed values are opened, which the ledger records. Raises Locked."""
    return [cell_of(case, field, visits) for field in fields]


def cell_of(case: Case, field: ExportField, visits: Sequence[Visit] = ()) -> Cell:
    """One cell, in the active language."""
    if field.name == AGE_BAND:
        return band_of(case)
    if field.name == VISITS:
        return BETWEEN.join(_visit_text(visit) for visit in visits)
    return _cell(case, field.name, _opened(getattr(case, field.name)))


def preview_of(case: Case, fields: Sequence[ExportField], visits: Sequence[Visit] = ()) -> list[str]:
    """The same row for the approver's eyes: what has to be opened stays masked."""
    return [_preview(case, field, visits) for field in fields]


def band_of(case: Case) -> str:
    """The ten-year band of the case's age; children counted in months or days fall into the first."""
    if case.age_value is None:
        return ""
    return age_band(case.age_value if case.age_unit in ("", YEARS) else 0)


def _preview(case: Case, field: ExportField, visits: Sequence[Visit]) -> str:
    if field.name == VISITS:
        return _visits_preview(visits)
    if field.is_sealed:
        secret = getattr(case, field.name)
        return "" if secret is None else str(secret.masked)
    value = cell_of(case, field)
    return "" if value is None else str(value)


def _visits_preview(visits: Sequence[Visit]) -> str:
    """Which parts of each visit leave, each under its name and masked."""
    shown = [_masked_visit(visit) for visit in visits[:VISITS_SHOWN]]
    more = len(visits) - len(shown)
    if more > 0:
        shown.append(ngettext("and %(n)d more visit", "and %(n)d more visits", more) % {"n": more})
    return BETWEEN.join(shown)


def _masked_visit(visit: Visit) -> str:
    parts = []
    for name in (*VISIT_TIMES, *VISIT_DETAILS):
        secret = getattr(visit, name)
        if secret is not None:
            parts.append(f"{visit_heading(name)} {secret.masked}")
    return ", ".join(parts)


def _opened(value: Any) -> Any:
    reveal = getattr(value, "reveal", None)
    return reveal() if callable(reveal) else value


def _cell(record: models.Model, name: str, value: Any) -> Cell:
    """The value as a person reads it: codes as words, moments in local time, references by their name."""
    match value:
        case bool():
            return str(_YES_NO[value])
        case datetime():
            return timezone.localtime(value).replace(tzinfo=None)
        case None | date() | int() | Decimal():
            return value
        case models.Model():
            return _name_of(value)
        case _:
            return _words(_code_list(record, name), value)


def _words(code_list: str, value: Any) -> str:
    """A text, a code or several codes, in words."""
    texts = [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
    return "、".join(codes.label(code_list, text) if code_list and text else text for text in texts)


def _name_of(value: models.Model) -> str:
    return str(getattr(value, "area", None) or value)


def _code_list(record: models.Model, name: str) -> str:
    try:
        policy = policy_of(record._meta.get_field(name))
    except FieldDoesNotExist:
        return ""
    return policy.codes if policy else ""


def _visit_text(visit: Visit) -> str:
    """A visit in one line: from, to, kind of place, place and transport."""
    start, end = (_opened(getattr(visit, name)) for name in VISIT_TIMES)
    parts = [_cell(visit, name, _opened(getattr(visit, name))) for name in VISIT_DETAILS]
    times = f"{_moment(start)}–{_moment(end)}" if end else _moment(start)
    return " ".join(str(part) for part in (times, *parts) if part)


def _moment(value: datetime | None) -> str:
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M") if value else gettext("unknown time")


def visits_of(ids: Sequence[UUID], fields: Sequence[ExportField]) -> Mapping[UUID, list[Visit]]:
    """The visits of these cases when a column of movements was chosen."""
    if not any(field.name == VISITS for field in fields):
        return {}
    return by_case(list(Visit.objects.standing().filter(case_id__in=ids)))


def by_case(visits: Sequence[Visit]) -> Mapping[UUID, list[Visit]]:
    """The visits of each case, in their order."""
    found: dict[UUID, list[Visit]] = {}
    for visit in visits:
        found.setdefault(visit.case_id, []).append(visit)
    return found
