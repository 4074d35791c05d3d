"""What can be wrong with a line list, as codes: a problem never quotes the value it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

REASONS: dict[str, StrOrPromise] = {
    # The whole file.
    "empty_file": _("The file is empty."),
    "too_large": _("The file is larger than allowed."),
    "too_many_rows": _("The file has more rows than allowed."),
    "too_many_columns": _("The file has more columns than allowed."),
    "unpacks_too_large": _("The workbook unpacks to far more than its size; it was not opened."),
    "unknown_format": _("Only CSV and XLSX files can be read."),
    "protected_workbook": _("The workbook is protected by a password or in the old XLS format."),
    "broken_workbook": _("The workbook is damaged."),
    "unknown_encoding": _("The text is neither UTF-8 nor GB18030."),
    "broken_csv": _("The CSV quoting is broken in this row."),
    "no_header": _("The first row does not name the columns."),
    "no_district": _("The outbreak's organisation has no district for the cases."),
    "repeated_column": _("Two columns have the same name."),
    "missing_column": _("The profile needs this column and the file does not have it."),
    # One row or one cell.
    "control_character": _("Control characters are not allowed."),
    "too_long": _("The text is too long."),
    "wrong_cell_count": _("The row has more cells than the header."),
    "required": _("This must not be empty."),
    "not_a_date": _("Not a date (YYYY-MM-DD)."),
    "not_a_number": _("Not a whole number."),
    "out_of_range": _("The number is outside the allowed range."),
    "unknown_code": _("The profile does not know this code."),
    "repeated_id": _("An earlier row has the same identifier."),
    # What the pages refuse too, by the codes of cases.chronology.
    "future": _("This lies in the future. Check the date."),
    "missing": _("Enter the onset, or the first positive sample if the onset is unknown."),
    "before_onset_date": _("This is before the onset. Check both dates."),
    "before_first_positive_date": _("This is before the first positive sample. Check both dates."),
    "after_report": _("The onset is after the report. Check both dates."),
    "long_before_report": _("This is more than a year before the report. Check both dates."),
    "long_before_onset": _("No incubation is as long as from this sample to the onset. Check both dates."),
    "order": _("The exposure ends before it starts. Exchange or correct the dates."),
    "unknown_case": _("No case of this outbreak has this identifier."),
    "not_yours": _("You may not change this case."),
    "case_closed": _("The case is closed."),
    "too_early": _("The infected fell ill too long before the infector."),
    "self_link": _("A case cannot infect itself."),
    "would_make_cycle": _("The link would make a circle of infections."),
    "invalid": _("The record breaks a rule of the data."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal: the row (the header is row 1), the column and the reason's code."""

    row: int
    column: str
    code: str

    @property
    def text(self) -> str:
        """The reason in the reader's language."""
        return str(REASONS.get(self.code, self.code))


class Unusable(Exception):
    """The file as a whole cannot be taken in; `problem` says why."""

    def __init__(self, code: str, *, row: int = 0, column: str = "") -> None:
        self.problem = Problem(row, column, code)
        super().__init__(str(REASONS.get(code, code)))


class Refused(Exception):
    """One cell cannot be taken in; the message is the reason's code."""

    @property
    def code(self) -> str:
        return str(self.args[0])
