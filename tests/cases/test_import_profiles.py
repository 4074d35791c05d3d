"""Profiles understand their source and refuse, cell by cell, what they cannot."""

from datetime import date

import pytest

from cases.linelist import parsers, reading
from cases.linelist.problems import REASONS, Problem, Refused, Unusable
from cases.linelist.profiles import CASE_PROFILES, MERS_KOREA, columns_left_out, understand
from contacts.linelist.profiles import LINK_PROFILES, MERS_KOREA_LINKS, links_of

HEADER = "id,age,age_class,sex,place_infect,loc_hosp,dt_onset,dt_report,dt_diag,outcome,dt_death,surprise"
GOOD = "SK_1,68,60-69,M,Middle East,A hospital,2015-05-11,2015-05-19,2015-05-20,Alive,,x"


def mers(*rows: str) -> reading.Table:
    return reading.read("\n".join([HEADER, *rows]).encode())


def test_a_row_becomes_a_record() -> None:
    records, problems = understand(MERS_KOREA, mers(GOOD))
    assert problems == []
    assert records[0].source_id == "SK_1"
    assert records[0].values["onset_date"] == date(2015, 5, 11)
    assert (records[0].values["sex"], records[0].values["origin"]) == ("1", "imported_abroad")


@pytest.mark.parametrize(
    ("old", "new", "column", "code"),
    [
        ("SK_1,", ",", "id", "required"),
        (",68,", ",old,", "age", "not_a_number"),
        (",68,", ",131,", "age", "out_of_range"),
        (",M,", ",X,", "sex", "unknown_code"),
        ("2015-05-11", "2015-02-30", "dt_onset", "not_a_date"),
        ("2015-05-19", "", "dt_report", "required"),
        ("A hospital", "h" * 121, "loc_hosp", "too_long"),
    ],
)
def test_a_bad_cell_is_named_by_row_column_and_reason(old: str, new: str, column: str, code: str) -> None:
    records, problems = understand(MERS_KOREA, mers(GOOD.replace("SK_1", "SK_0"), GOOD.replace(old, new, 1)))
    assert [record.source_id for record in records] == ["SK_0"]
    assert problems == [Problem(3, column, code)]


def test_the_same_identifier_twice_is_refused_the_second_time() -> None:
    records, problems = understand(MERS_KOREA, mers(GOOD, GOOD))
    assert len(records) == 1
    assert problems == [Problem(3, "id", "repeated_id")]


def test_a_missing_column_makes_the_file_unusable() -> None:
    with pytest.raises(Unusable) as caught:
        understand(MERS_KOREA, reading.read(b"id,age\nSK_1,3\n"))
    assert caught.value.problem == Problem(1, "dt_report", "missing_column")


def test_columns_not_taken_in_are_listed_with_a_reason() -> None:
    assert set(columns_left_out(MERS_KOREA, mers(GOOD))) == {"age_class", "surprise"}


def test_a_link_to_itself_is_refused() -> None:
    records, problems = understand(
        MERS_KOREA_LINKS, reading.read(b"from,to,exposure\nA,A,Hospital room\nA,B,\n")
    )
    assert [record.source_id for record in records] == ["A>B"]
    assert problems == [Problem(2, "to", "self_link")]


@pytest.mark.parametrize("cell", ["2015-05-20", "2015/5/20", "2015年5月20日", "2015-05-20 00:00:00"])
def test_days_may_be_written_in_several_ways(cell: str) -> None:
    assert parsers.day(cell) == date(2015, 5, 20)


@pytest.mark.parametrize("cell", ["20.5", "1e3", "٣", "1_0", "0x1"])
def test_only_plain_whole_numbers_are_numbers(cell: str) -> None:
    with pytest.raises(Refused):
        parsers.whole_number(0, 130)(cell)


def test_every_reason_has_a_sentence() -> None:
    assert all(Problem(1, "", code).text.endswith((".", ").", "。")) for code in REASONS)


@pytest.mark.parametrize("name", [*CASE_PROFILES, *LINK_PROFILES])
def test_a_profile_fills_a_field_once(name: str) -> None:
    profile = (CASE_PROFILES | LINK_PROFILES)[name]
    fields = [column.field for column in profile.columns]
    assert len(fields) == len(set(fields))
    assert not {column.name for column in profile.columns} & set(profile.left_out)


def test_each_case_profile_has_its_links() -> None:
    assert links_of(MERS_KOREA) is MERS_KOREA_LINKS
    assert all((found := links_of(one)) and found.family == one.family for one in CASE_PROFILES.values())
