"""Checks an XLSX file before anything parses it: a small file must not become a huge table.

Three ways to hurt a reader are refused: a member that unpacks to far more than it holds (the sizes written in
the archive are not believed), a lone cell far away (readers lay out the whole rectangle), and another format
dressed as a workbook.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from cases.linelist.problems import Unusable

ZIP_SIGNATURE = b"PK\x03\x04"
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_UNPACKED = 400 * 1024 * 1024
MAX_RATIO = 100
RATIO_FLOOR = 1024 * 1024
MAX_MEMBERS = 1_000
CHUNK = 256 * 1024

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,4})(\d{1,9})["']""")


def check(content: bytes, *, max_rows: int, max_columns: int) -> None:
    """Raises Unusable unless this is a workbook whose unpacked size and cell rectangle are within bounds."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Unusable("broken_workbook") from error
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names or {"xl/workbook.bin", "content.xml"} & names:
        raise Unusable("unknown_format")
    if len(members) > MAX_MEMBERS:
        raise Unusable("unpacks_too_large")
    budget = min(MAX_UNPACKED, max(RATIO_FLOOR, MAX_RATIO * len(content)))
    for member in members:
        budget -= _check_member(content, member, budget, max_rows, max_columns)


def _check_member(
    content: bytes, member: zipfile.ZipInfo, budget: int, max_rows: int, max_columns: int
) -> int:
    """The member's true unpacked size; raises Unusable when a bound is passed."""
    unpacked = 0
    tail = b""
    for piece in _unpack(content, member):
        unpacked += len(piece)
        if unpacked > budget:
            raise Unusable("unpacks_too_large")
        window = tail + piece
        _check_references(window, max_rows, max_columns)
        tail = window[-40:]
    return unpacked


def _check_references(window: bytes, max_rows: int, max_columns: int) -> None:
    for letters, digits in _REFERENCE.findall(window):
        if int(digits) > max_rows:
            raise Unusable("too_many_rows")
        if letters and _column_number(letters) > max_columns:
            raise Unusable("too_many_columns")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _unpack(content: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's bytes piece by piece, as far as its compressed part reaches, whatever size it claims."""
    if member.flag_bits & 0x1:
        raise Unusable("protected_workbook")
    header = content[member.header_offset : member.header_offset + _LOCAL_HEADER.size]
    if len(header) < _LOCAL_HEADER.size or not header.startswith(ZIP_SIGNATURE):
        raise Unusable("broken_workbook")
    _signature, name_size, extra_size = _LOCAL_HEADER.unpack(header)
    start = member.header_offset + _LOCAL_HEADER.size + name_size + extra_size
    packed = content[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        yield packed
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        yield from _inflate(packed)
    else:
        raise Unusable("broken_workbook")


def _inflate(packed: bytes) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while packed and not inflater.eof:
            yield inflater.decompress(packed, CHUNK)
            packed = inflater.unconsumed_tail
    except zlib.error as error:
        raise Unusable("broken_workbook") from error
