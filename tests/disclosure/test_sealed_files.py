"""The encrypted workbook: who can open it, what it holds, what it leaves on the disk."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import msoffcrypto
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msoffcrypto.exceptions import InvalidKeyError
from python_calamine import CalamineWorkbook

from disclosure import sealed_files
from disclosure.marks import Mark, marks_in
from disclosure.passphrases import ALPHABET, new_passphrase
from disclosure.sealed_files import Cell, CellTooLong, Column, UnsafeDirectory, write_sealed, write_workbook

TRACE = "7QK4-M2XD-9HTB-3WVE"
MARK = Mark(TRACE, "E-0230", "陆文清 R&D", "2026-11-23 09:41")
COLUMNS = [Column("病例号", 16), Column("姓名")]
ROWS: list[list[Cell]] = [["YT-2026-0001", "张三"], ["YT-2026-0002", '=HYPERLINK("http://x","y")']]


def decrypted(path: Path, passphrase: str) -> io.BytesIO:
    out = io.BytesIO()
    with path.open("rb") as file:
        book = msoffcrypto.OfficeFile(file)
        book.load_key(password=passphrase, verify_password=True)
        book.decrypt(out, verify_integrity=True)
    out.seek(0)
    return out


def cells(workbook: io.BytesIO) -> list[list[object]]:
    workbook.seek(0)
    return [list(row) for row in CalamineWorkbook.from_filelike(workbook).get_sheet_by_index(0).to_python()]


def plain_workbook(rows: list[list[Cell]], columns: list[Column] = COLUMNS) -> io.BytesIO:
    out = io.BytesIO()
    write_workbook(out, rows, columns, MARK)
    out.seek(0)
    return out


def test_the_passphrase_opens_it_and_gives_the_rows(tmp_path: Path) -> None:
    made = write_sealed(ROWS, COLUMNS, MARK, "k7qm4-x2xd9-htb3w-v8e2p", tmp_path / "out")
    found = cells(decrypted(tmp_path / "out" / made.name, "k7qm4-x2xd9-htb3w-v8e2p"))
    assert found == [["病例号", "姓名"], ["YT-2026-0001", "张三"], ["YT-2026-0002", "'" + str(ROWS[1][1])]]
    assert made.n_rows == 2


@pytest.mark.parametrize("wrong", ["k7qm4-x2xd9-htb3w-v8e2q", "K7QM4-X2XD9-HTB3W-V8E2P", "VelvetSweatshop"])
def test_no_other_passphrase_opens_it(tmp_path: Path, wrong: str) -> None:
    made = write_sealed(ROWS, COLUMNS, MARK, "k7qm4-x2xd9-htb3w-v8e2p", tmp_path / "out")
    with pytest.raises(InvalidKeyError):
        decrypted(tmp_path / "out" / made.name, wrong)


def test_it_is_aes_256_agile_and_shows_nothing_of_its_content(tmp_path: Path) -> None:
    made = write_sealed(ROWS, COLUMNS, MARK, new_passphrase(), tmp_path / "out")
    content = (tmp_path / "out" / made.name).read_bytes()
    assert content[:8].hex() == "d0cf11e0a1b11ae1"
    assert b'keyBits="256"' in content
    assert b'hashAlgorithm="SHA512"' in content
    for planted in ("张三", "YT-2026-0001", TRACE):
        assert planted.encode() not in content
        assert planted.encode("utf-16-le") not in content


def test_digest_and_size_are_those_of_the_file(tmp_path: Path) -> None:
    made = write_sealed(ROWS, COLUMNS, MARK, new_passphrase(), tmp_path / "out")
    content = (tmp_path / "out" / made.name).read_bytes()
    assert made.digest == hashlib.sha256(content).hexdigest()
    assert made.size == len(content)


def test_the_directory_and_the_file_are_private_and_the_name_says_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "out"
    directory.mkdir(mode=0o755)
    made = write_sealed(ROWS, COLUMNS, MARK, new_passphrase(), directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / made.name).stat().st_mode) == 0o600
    assert len(made.name.removesuffix(".xlsx")) == 32
    assert [path.name for path in directory.iterdir()] == [made.name]


def test_a_link_instead_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafeDirectory):
        write_sealed(ROWS, COLUMNS, MARK, new_passphrase(), tmp_path / "out")


def test_no_file_appears_anywhere_while_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: list[str] = []

    def rows() -> Iterator[list[Cell]]:
        for number in range(2000):
            seen.extend(name for _root, _dirs, names in os.walk(tmp_path) for name in names)
            yield [str(number), "张三"]

    write_sealed(rows(), COLUMNS, MARK, new_passphrase(), tmp_path / "out")
    assert seen == []


def test_a_failing_row_leaves_no_file_behind(tmp_path: Path) -> None:
    def rows() -> Iterator[list[Cell]]:
        yield ["YT-2026-0001", "张三"]
        raise RuntimeError("the grant has ended")

    with pytest.raises(RuntimeError):
        write_sealed(rows(), COLUMNS, MARK, new_passphrase(), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_trace_code_is_in_footer_property_and_hidden_name(tmp_path: Path) -> None:
    made = write_sealed(ROWS, COLUMNS, MARK, "k7qm4-x2xd9-htb3w-v8e2p", tmp_path / "out")
    workbook = decrypted(tmp_path / "out" / made.name, "k7qm4-x2xd9-htb3w-v8e2p")
    found = marks_in(workbook)
    assert TRACE in found["footer"]
    assert "&P" in found["footer"]
    assert "R&&D" in found["footer"]
    assert found["property"] == TRACE
    assert found["hidden_name"] == TRACE
    with zipfile.ZipFile(workbook) as parts:
        assert b'name="epicase_trace" hidden="1"' in parts.read("xl/workbook.xml")


def test_the_footer_fits_even_with_a_long_name() -> None:
    mark = Mark(TRACE, "E-0230", "&" * 400, "2026-11-23 09:41")
    assert len(mark.footer("第 {page} 页，共 {pages} 页")) <= 255


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_text_comes_back_as_text(text: str) -> None:
    sheet = plain_workbook([[text, "end"]])
    with zipfile.ZipFile(sheet) as parts:
        xml = parts.read(sealed_files.SHEET)
    assert b"<f>" not in xml
    assert b"<hyperlink" not in xml
    [_heading, row] = cells(sheet)
    assert row[1] == "end"


@pytest.mark.parametrize(
    "text", ["张三", "a<b>&c", "  two  spaces ", "_x0041_", "line\nbreak", "'quoted'", "+86 100"]
)
def test_text_survives_the_round_trip(text: str) -> None:
    [_heading, row] = cells(plain_workbook([[text, "end"]]))
    assert row[0] == sealed_files.guarded(text)


def test_numbers_dates_and_empty_cells(tmp_path: Path) -> None:
    columns = [Column(str(n)) for n in range(6)]
    row: list[Cell] = [3, Decimal("36.60"), date(2026, 11, 22), datetime(2026, 11, 22, 9, 5), None, True]  # noqa: DTZ001
    assert cells(plain_workbook([row], columns))[1] == [3.0, 36.6, "2026-11-22", "2026-11-22 09:05", "", True]


def test_headings_are_guarded_frozen_and_repeated() -> None:
    sheet = plain_workbook(ROWS, [Column("=1+1"), Column("b", 30)])
    assert cells(sheet)[0] == ["'=1+1", "b"]
    with zipfile.ZipFile(sheet) as parts:
        assert b'state="frozen"' in parts.read(sealed_files.SHEET)
        assert b"Print_Titles" in parts.read("xl/workbook.xml")


def test_a_text_too_long_for_a_cell_is_refused_not_cut() -> None:
    with pytest.raises(CellTooLong):
        plain_workbook([["x" * 32_768, ""]])


def test_a_row_of_the_wrong_width_is_refused() -> None:
    with pytest.raises(ValueError, match="3 cells"):
        plain_workbook([["a", "b", "c"]])


def test_columns_beyond_z_get_their_letters() -> None:
    columns = [Column(str(n)) for n in range(30)]
    assert cells(plain_workbook([[str(n) for n in range(30)]], columns))[1][29] == "29"


def test_passphrases_are_long_readable_and_new_each_time() -> None:
    made = {new_passphrase() for _ in range(200)}
    assert len(made) == 200
    for passphrase in made:
        groups = passphrase.split("-")
        assert [len(group) for group in groups] == [5, 5, 5, 5]
        assert set("".join(groups)) <= set(ALPHABET)
    assert len(ALPHABET) ** 20 >= 2**100


def python_with_uno() -> str | None:
    """A Python that LibreOffice's bridge is installed for; the checkout's own has it not."""
    for python in ("/usr/bin/python3", "python3"):
        found = shutil.which(python)
        if (
            found
            and subprocess.run([found, "-c", "import uno"], capture_output=True, check=False).returncode == 0
        ):
            return found
    return None


@pytest.fixture
def libreoffice(tmp_path: Path) -> Iterator[Callable[[Path, str], list[list[str]] | None]]:
    """Opens a workbook in LibreOffice with a passphrase: its cells, or None when LibreOffice refuses."""
    office, python = shutil.which("soffice"), python_with_uno()
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    if python is None:
        pytest.skip("LibreOffice's Python bridge (the package python3-uno) is not installed")
    pipe = f"epicase{os.getpid()}"
    command = [
        office,
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--norestore",
        f"--accept=pipe,name={pipe};urp;",
    ]
    running = subprocess.Popen(command, start_new_session=True)

    def opened(path: Path, passphrase: str) -> list[list[str]] | None:
        asked = [python, str(Path(__file__).with_name("open_by_uno.py")), pipe, str(path), passphrase]
        answer = subprocess.run(asked, capture_output=True, check=False, timeout=120, text=True)
        if answer.returncode == 3:
            return None
        assert answer.returncode == 0, answer.stderr
        read: list[list[str]] = json.loads(answer.stdout)
        return read

    try:
        yield opened
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def test_libreoffice_opens_it_with_the_passphrase_and_with_no_other(
    tmp_path: Path, libreoffice: Callable[[Path, str], list[list[str]] | None]
) -> None:
    passphrase = new_passphrase()
    made = write_sealed(ROWS, COLUMNS, MARK, passphrase, tmp_path / "out")
    path = tmp_path / "out" / made.name
    assert libreoffice(path, new_passphrase()) is None
    assert libreoffice(path, "") is None
    read = libreoffice(path, passphrase)
    assert read is not None
    assert read[:2] == [["病例号", "姓名"], ["YT-2026-0001", "张三"]]
    assert read[2][1].lstrip("'") == ROWS[1][1]
    assert libreoffice(path, new_passphrase()) is None
