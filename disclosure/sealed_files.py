"""An encrypted workbook, made without a plain byte touching the disk.

XlsxWriter makes the shell (header row, footer, properties, widths); the rows are streamed into it as inline
strings straight into the compressed archive in memory; the archive is encrypted (AES-256, ECMA-376 Agile)
before the first byte is written to a file. So a worker killed at any moment leaves no readable file behind.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import stat
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO

import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from disclosure.guarding import guarded
from disclosure.marks import HIDDEN_NAME, PROPERTY, Mark

Cell = str | int | float | Decimal | date | datetime | bool | None

SHEET = "xl/worksheets/sheet1.xml"
CELL_LIMIT = 32_767
COLUMN_LIMIT = 16_384
_CHUNK_ROWS = 500
_DIRECTORY_MODE = 0o700
_ESCAPED_LOOKALIKE = re.compile(r"_x[0-9a-fA-F]{4}_")
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class CellTooLong(ValueError):
    """A text is longer than a cell can hold; it is refused rather than cut."""


class UnsafeDirectory(OSError):
    """The directory for sealed files belongs to somebody else or can be read by others."""


@dataclass(frozen=True)
class Column:
    """One column: its heading, and its width in characters."""

    title: str
    width: int = 14


@dataclass(frozen=True)
class SealedFile:
    """What was written: the random name inside the directory, SHA-256 of the encrypted bytes, sizes."""

    name: str
    digest: str
    size: int
    n_rows: int


def write_sealed(
    rows: Iterable[Sequence[Cell]],
    columns: Sequence[Column],
    mark: Mark,
    passphrase: str,
    directory: Path,
    *,
    sheet_name: str = "cases",
    page_of_pages: str = "{page} / {pages}",
) -> SealedFile:
    """Write the rows as one encrypted workbook into the private directory and return what was written."""
    ensure_private(directory)
    plain = io.BytesIO()
    n_rows = write_workbook(plain, rows, columns, mark, sheet_name=sheet_name, page_of_pages=page_of_pages)
    plain.seek(0)
    return _seal(plain, n_rows, passphrase, directory)


def write_workbook(
    target: IO[bytes],
    rows: Iterable[Sequence[Cell]],
    columns: Sequence[Column],
    mark: Mark,
    *,
    sheet_name: str = "cases",
    page_of_pages: str = "{page} / {pages}",
) -> int:
    """Write the plain workbook to a stream in memory and return the number of rows below the heading."""
    shell = _shell(columns, mark, sheet_name, page_of_pages)
    n_rows = 0
    with (
        zipfile.ZipFile(shell) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as out,
    ):
        for part in source.infolist():
            if part.filename != SHEET:
                out.writestr(part, _hide_mark_name(part.filename, source.read(part)))
        head, tail = _around_rows(source.read(SHEET))
        with out.open(SHEET, "w", force_zip64=True) as sheet:
            sheet.write(head)
            for so_far, chunk in _row_chunks(rows, len(columns)):
                sheet.write(chunk)
                n_rows = so_far
            sheet.write(tail)
    return n_rows


def ensure_private(directory: Path) -> None:
    """Make the directory readable by this process's user alone; raises UnsafeDirectory if it is another's."""
    directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    facts = directory.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        raise UnsafeDirectory(f"The directory for sealed files is not ours: {directory}")
    if stat.S_IMODE(facts.st_mode) != _DIRECTORY_MODE:
        directory.chmod(_DIRECTORY_MODE)


def _shell(columns: Sequence[Column], mark: Mark, sheet_name: str, page_of_pages: str) -> io.BytesIO:
    """A workbook with everything but the rows."""
    shell = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(shell, options) as book:
        book.set_properties({"title": mark.number, "comments": mark.trace_code, "author": "epicase"})
        book.set_custom_property(PROPERTY, mark.trace_code, "text")
        book.define_name(HIDDEN_NAME, f'="{mark.trace_code}"')
        sheet = book.add_worksheet(sheet_name)
        heading = book.add_format({"bold": True, "bottom": 1})
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, guarded(column.title), heading)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_footer(mark.footer(page_of_pages))
    shell.seek(0)
    return shell


def _hide_mark_name(part: str, content: bytes) -> bytes:
    """Hide the defined name that carries the trace code from the name box of the spreadsheet program."""
    if part != "xl/workbook.xml":
        return content
    opening = f'<definedName name="{HIDDEN_NAME}"'.encode()
    return content.replace(opening, opening + b' hidden="1"', 1)


def _around_rows(sheet: bytes) -> tuple[bytes, bytes]:
    """The sheet before and after the place of the rows; the stated size is dropped, as it would be wrong."""
    head, end, tail = sheet.partition(b"</sheetData>")
    return re.sub(rb"<dimension [^>]*/>", b"", head), end + tail


def _row_chunks(rows: Iterable[Sequence[Cell]], width: int) -> Iterator[tuple[int, bytes]]:
    """Number of rows so far, and the XML of the next few hundred of them."""
    letters = [_letters(place) for place in range(width)]
    lines: list[str] = []
    n_rows = 0
    for n_rows, row in enumerate(rows, start=1):
        if len(row) != width:
            raise ValueError(f"A row has {len(row)} cells where there are {width} columns")
        lines.append(_row_xml(n_rows + 1, row, letters))
        if len(lines) == _CHUNK_ROWS:
            yield n_rows, "".join(lines).encode()
            lines.clear()
    if lines:
        yield n_rows, "".join(lines).encode()


def _row_xml(number: int, row: Sequence[Cell], letters: Sequence[str]) -> str:
    cells = [_cell_xml(f"{letter}{number}", value) for letter, value in zip(letters, row, strict=True)]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell_xml(place: str, value: Cell) -> str:
    """One cell. A text is always an inline string: the format cannot take it for a formula or a link."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float | Decimal):
        return f'<c r="{place}"><v>{_number(value)}</v></c>'
    if isinstance(value, date):
        value = value.isoformat(" ", "minutes") if isinstance(value, datetime) else value.isoformat()
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{_text(value)}</t></is></c>'


def _number(value: float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueError("A cell holds a number without an end")
    return str(number)


def _text(value: str) -> str:
    """The text as it stands in the XML: guarded, with what XML cannot carry written as _xHHHH_."""
    text = guarded(value)
    if len(text) > CELL_LIMIT:
        raise CellTooLong(f"A text of {len(text)} characters does not fit a cell")
    if "_x" in text:
        text = _ESCAPED_LOOKALIKE.sub(lambda found: "_x005F" + found[0], text)
    if not text.isprintable():
        text = _NOT_XML.sub("\ufffd", text)
        text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return text.translate(_MARKUP)


def _letters(place: int) -> str:
    """The name of a column, counted from 0: A, B … Z, AA."""
    if not 0 <= place < COLUMN_LIMIT:
        raise ValueError("A workbook has at most 16,384 columns")
    name, left = "", place + 1
    while left:
        left, rest = divmod(left - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _seal(plain: IO[bytes], n_rows: int, passphrase: str, directory: Path) -> SealedFile:
    """Encrypt into a new file of the directory; its name appears only when every byte is on the disk."""
    name = f"{secrets.token_hex(16)}.xlsx"
    unfinished = directory / f"{name}.part"
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            witness = _Digesting(out)
            OOXMLFile(plain).encrypt(passphrase, witness)
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(directory / name)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return SealedFile(name=name, digest=witness.digest.hexdigest(), size=witness.size, n_rows=n_rows)


class _Digesting:
    """A stream that counts and digests what passes through it."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out, self.size, self.digest = out, 0, hashlib.sha256()

    def write(self, chunk: bytes) -> int:
        self.digest.update(chunk)
        self.size += len(chunk)
        return self.out.write(chunk)
