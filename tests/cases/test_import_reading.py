"""A line list file is bounded and decoded before anything is believed."""

import io
import zipfile

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from cases.linelist import reading, workbook
from cases.linelist.problems import Problem, Unusable

TEXT = "id,姓名,note\nA1,张三,一\nA2,李四,二\n"


def make_xlsx(rows: list[list[object]], *, formulas: dict[tuple[int, int], str] | None = None) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        for (row_number, column), formula in (formulas or {}).items():
            sheet.write_formula(row_number, column, formula, None, "stored")
    return target.getvalue()


def rewrite(content: bytes, name: str, change: bytes) -> bytes:
    """The same workbook with one member replaced."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, change if member.filename == name else old.read(member))
    return target.getvalue()


def refusal(content: bytes) -> Problem:
    with pytest.raises(Unusable) as caught:
        reading.read(content)
    return caught.value.problem


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_three_encodings_give_the_same_table(encoding: str) -> None:
    table = reading.read(TEXT.encode(encoding))
    assert table.columns == ("id", "姓名", "note")
    assert [row.cells["姓名"] for row in table.rows] == ["张三", "李四"]
    assert [row.number for row in table.rows] == [2, 3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_told_from_the_header(delimiter: str) -> None:
    table = reading.read(TEXT.replace(",", delimiter).encode())
    assert table.columns == ("id", "姓名", "note")


def test_a_workbook_reads_like_the_same_csv() -> None:
    table = reading.read(make_xlsx([["id", "姓名", "note"], ["A1", "张三", "一"], ["A2", "李四", "二"]]))
    assert (table.columns, table.rows) == (
        reading.read(TEXT.encode()).columns,
        reading.read(TEXT.encode()).rows,
    )


def test_whole_numbers_of_a_workbook_have_no_decimals() -> None:
    assert reading.read(make_xlsx([["age"], [68]])).rows[0].cells == {"age": "68"}


def test_a_formula_is_never_evaluated() -> None:
    in_csv = reading.read(b"id,note\nA1,=1+1\n")
    in_book = reading.read(make_xlsx([["id", "note"], ["A1", ""]], formulas={(1, 1): "=1+1"}))
    assert in_csv.rows[0].cells["note"] == "=1+1"
    assert in_book.rows[0].cells["note"] == "stored"


@pytest.mark.parametrize("letter", ["\x01", "\x1b", "\x7f", "\x85", "\u202e"])
def test_a_control_character_is_refused_with_its_row_and_column(letter: str) -> None:
    table = reading.read(f"id,note\nA1,x{letter}y\nA2,fine\n".encode())
    assert table.problems == (Problem(2, "note", "control_character"),)
    assert [row.cells["id"] for row in table.rows] == ["A2"]


def test_a_nul_refuses_the_file_and_names_the_row() -> None:
    assert refusal(b"id,note\nA1,x\nA2,y\x00\n") == Problem(3, "", "control_character")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \n\n", "empty_file"),
        (b"id,id\n1,2\n", "repeated_column"),
        (b"id,,x\n1,2,3\n", "no_header"),
        (b"id,x\n1,\xff\xff\n", "unknown_encoding"),
        (b'id,x\n1,"open\n', "broken_csv"),
        (workbook.OLE_SIGNATURE + b"old" * 40, "protected_workbook"),
        (b"PK\x03\x04 not a zip", "broken_workbook"),
        (",".join(f"c{n}" for n in range(reading.MAX_COLUMNS + 1)).encode(), "too_many_columns"),
    ],
)
def test_unusable_files_say_why(content: bytes, code: str) -> None:
    assert refusal(content).code == code


def test_too_large_a_file_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 20)
    assert refusal(TEXT.encode()).code == "too_large"


def test_too_many_rows_stop_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 1)
    assert refusal(TEXT.encode()) == Problem(3, "", "too_many_rows")


def test_a_row_with_too_many_cells_is_refused_alone() -> None:
    table = reading.read(b"a,b\n1,2,3\n4,5\n6\n")
    assert table.problems == (Problem(2, "", "wrong_cell_count"),)
    assert [row.cells for row in table.rows] == [{"a": "4", "b": "5"}, {"a": "6", "b": ""}]


def test_a_zip_bomb_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CalamineWorkbook", None)
    bomb = rewrite(make_xlsx([["id"], ["A1"]]), "xl/sharedStrings.xml", b" " * 30_000_000)
    assert len(bomb) < 100_000
    assert refusal(bomb).code == "unpacks_too_large"


def test_a_size_that_lies_is_not_believed() -> None:
    bomb = rewrite(make_xlsx([["id"], ["A1"]]), "xl/sharedStrings.xml", b" " * 30_000_000)
    lying = bomb.replace((30_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != bomb
    assert refusal(lying).code == "unpacks_too_large"


@pytest.mark.parametrize(("cell", "code"), [("A1048576", "too_many_rows"), ("XFD2", "too_many_columns")])
def test_a_lone_cell_far_away_is_refused(cell: str, code: str) -> None:
    sheet = f'<worksheet><sheetData><row><c r="{cell}"><v>1</v></c></row></sheetData></worksheet>'.encode()
    assert refusal(rewrite(make_xlsx([["id"]]), "xl/worksheets/sheet1.xml", sheet)).code == code


def test_another_format_in_a_zip_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("content.xml", "<office:document/>")
    assert refusal(target.getvalue()).code == "unknown_format"


def test_a_reference_cut_by_a_chunk_border_is_still_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = b'<worksheet><sheetData><row><c r="XFD2"><v>1</v></c></row></sheetData></worksheet>'
    content = rewrite(make_xlsx([["id"]]), "xl/worksheets/sheet1.xml", sheet)
    for chunk in range(5, 40):
        monkeypatch.setattr(workbook, "CHUNK", chunk)
        assert refusal(content).code == "too_many_columns"


@given(st.binary(max_size=300))
def test_any_bytes_give_a_table_or_a_reason(content: bytes) -> None:
    try:
        table = reading.read(content)
    except Unusable:
        return
    assert all(set(row.cells) == set(table.columns) for row in table.rows)
