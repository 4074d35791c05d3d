"""A line list file as rows of plain text: CSV or XLSX, bounded before it is parsed.

Formulas are never evaluated: a CSV cell is text, and of an XLSX cell only the stored result is read.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from python_calamine import CalamineError, CalamineWorkbook

from cases.linelist import workbook
from cases.linelist.problems import Problem, Unusable

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 4_000

# Characters that reorder text on the screen, so that a cell would not read as it is stored.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet shows it (the header is 1) and its cells by column name."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that can be read, the problems of those that cannot, and how the text was encoded."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    encoding: str


def read(content: bytes) -> Table:
    """The table in a CSV (UTF-8, GB18030) or XLSX file; raises Unusable when there is none.

    The kind is told by the content, never by a file name.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise Unusable("empty_file")
    if len(content) > MAX_BYTES:
        raise Unusable("too_large")
    if content.startswith(workbook.OLE_SIGNATURE):
        raise Unusable("protected_workbook")
    if content.startswith(workbook.ZIP_SIGNATURE):
        return _table(_workbook_lines(content), "xlsx")
    text, encoding = decode(content)
    return _table(_csv_lines(text), encoding)


def decode(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding: UTF-8 (with or without BOM), else GB18030."""
    if b"\x00" in content:
        raise Unusable("control_character", row=content[: content.index(b"\x00")].count(b"\n") + 1)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise Unusable("unknown_encoding")


def _csv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, cells
    except csv.Error as error:
        raise Unusable("broken_csv", row=number + 1) from error


def _workbook_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    workbook.check(content, max_rows=MAX_ROWS + 1, max_columns=MAX_COLUMNS)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            sheet = book.get_sheet_by_index(0)
            first = sheet.start[0] if sheet.start else 0
            for number, cells in enumerate(sheet.iter_rows(), start=first + 1):
                yield number, [_cell_text(cell) for cell in cells]
    except (CalamineError, OSError) as error:
        raise Unusable("broken_workbook") from error


def _cell_text(cell: object) -> str:
    """The cell as a CSV of the same sheet would show it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def _table(lines: Iterable[tuple[int, list[str]]], encoding: str) -> Table:
    numbered = iter(lines)
    columns = _columns(next(((n, cells) for n, cells in numbered if any(map(str.strip, cells))), None))
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, cells in numbered:
        texts = [cell.strip() for cell in cells]
        if not any(texts):
            continue
        if len(rows) + len(problems) >= MAX_ROWS:
            raise Unusable("too_many_rows", row=number)
        found = _cell_problems(number, columns, texts)
        if found:
            problems += found
        else:
            rows.append(
                Row(number, dict(zip(columns, texts + [""] * (len(columns) - len(texts)), strict=False)))
            )
    return Table(columns, tuple(rows), tuple(problems), encoding)


def _columns(header: tuple[int, list[str]] | None) -> tuple[str, ...]:
    if header is None:
        raise Unusable("empty_file")
    number, cells = header
    names = [cell.strip().strip("\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise Unusable("too_many_columns", row=number)
    for position, name in enumerate(names, start=1):
        if not name or _has_control(name) or len(name) > 80:
            raise Unusable("no_header", row=number, column=str(position))
        if name in names[: position - 1]:
            raise Unusable("repeated_column", row=number, column=name)
    return tuple(names)


def _cell_problems(number: int, columns: tuple[str, ...], texts: list[str]) -> list[Problem]:
    if any(texts[len(columns) :]):
        return [Problem(number, "", "wrong_cell_count")]
    problems = []
    for column, text in zip(columns, texts, strict=False):
        if len(text) > MAX_CELL:
            problems.append(Problem(number, column, "too_long"))
        elif not text.isprintable() and _has_control(text):
            problems.append(Problem(number, column, "control_character"))
    return problems


def _has_control(text: str) -> bool:
    return any(unicodedata.category(letter) == "Cc" or letter in BIDI_CONTROLS for letter in text)
