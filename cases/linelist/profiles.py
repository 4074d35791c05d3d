"""Profiles: which column of a source becomes which field, declared once.

A profile names every column of its source: taken in (`columns`) or left out with the reason (`left_out`).
A column that a file has and its profile does not name is reported by the dry run: nothing vanishes silently.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from cases.linelist import parsers
from cases.linelist.parsers import Parser, Value
from cases.linelist.problems import Problem, Refused, Unusable
from cases.linelist.reading import Row, Table

DERIVED = _("Derived from another column.")
PRECISE_HOME = _("Exact coordinates of a person are not collected.")
NO_FIELD = _("The record has no field for it.")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the source and the field it fills."""

    name: str
    field: str
    parse: Parser
    required: bool = False

    def read(self, cell: str) -> Value:
        """The cell's value; raises Refused, also when it is empty and must not be."""
        value = self.parse(cell)
        if self.required and value is None:
            raise Refused("required")
        return value


@dataclass(frozen=True, slots=True)
class Record:
    """One row understood: the source's own identifier and the values by field name."""

    number: int
    source_id: str
    values: dict[str, Value]


Check = Callable[[Mapping[str, Value]], list[tuple[str, str]]]


def _nothing_wrong(_values: Mapping[str, Value]) -> list[tuple[str, str]]:
    return []


@dataclass(frozen=True)
class Profile:
    """How to read one kind of file. `family` is shared by the case file and the links file of one source."""

    name: str
    title: str
    family: str
    columns: tuple[Column, ...]
    left_out: Mapping[str, object] = field(default_factory=dict)
    fixed: Mapping[str, Value] = field(default_factory=dict)
    disease: str = ""
    check: Check = _nothing_wrong

    @property
    def id_columns(self) -> tuple[str, ...]:
        """The columns that together name a row in its source."""
        return tuple(column.name for column in self.columns if column.field in IDENTIFIERS)


# The fields that identify a row: of a case its own id, of a link the two ids it joins.
IDENTIFIERS = ("source_id", "infector_id", "infectee_id")


def check_columns(profile: Profile, table: Table) -> None:
    """Raises Unusable when the file lacks a column that the profile needs."""
    for column in profile.columns:
        if column.required and column.name not in table.columns:
            raise Unusable("missing_column", row=1, column=column.name)


def columns_left_out(profile: Profile, table: Table) -> dict[str, str]:
    """The file's columns that will not be taken in, with the reason."""
    taken = {column.name for column in profile.columns}
    return {name: str(profile.left_out.get(name, NO_FIELD)) for name in table.columns if name not in taken}


def understand(profile: Profile, table: Table) -> tuple[list[Record], list[Problem]]:
    """The rows as records, and a problem for every cell that cannot be one."""
    check_columns(profile, table)
    records: list[Record] = []
    problems: list[Problem] = list(table.problems)
    seen: set[str] = set()
    for row in table.rows:
        record, found = _understand_row(profile, row)
        if not found and record.source_id in seen:
            found = [Problem(row.number, "+".join(profile.id_columns), "repeated_id")]
        if found:
            problems += found
        else:
            seen.add(record.source_id)
            records.append(record)
    return records, sorted(problems, key=lambda problem: problem.row)


def _understand_row(profile: Profile, row: Row) -> tuple[Record, list[Problem]]:
    values: dict[str, Value] = dict(profile.fixed)
    problems: list[Problem] = []
    for column in profile.columns:
        try:
            values[column.field] = column.read(row.cells.get(column.name, ""))
        except Refused as refusal:
            problems.append(Problem(row.number, column.name, refusal.code))
    if not problems:
        problems = [Problem(row.number, column, code) for column, code in profile.check(values)]
    source_id = ">".join(str(values.get(name)) for name in IDENTIFIERS if values.get(name) is not None)
    return Record(row.number, source_id, values), problems


MERS_KOREA = Profile(
    name="mers-korea",
    title="MERS, Republic of Korea 2015 (R package outbreaks): cases",
    family="mers-korea",
    disease="mers",
    columns=(
        Column("id", "source_id", parsers.text(40), required=True),
        Column("age", "age_value", parsers.whole_number(0, 130)),
        Column("sex", "sex", parsers.word({"M": "1", "F": "2"})),
        Column(
            "place_infect",
            "origin",
            parsers.word({"Middle East": "imported_abroad", "Outside Middle East": "local"}),
        ),
        Column("place_infect", "place_infect", parsers.text(80)),
        Column("reporting_ctry", "reporting_country", parsers.text(80)),
        Column("loc_hosp", "hospital", parsers.text(120)),
        Column("dt_onset", "onset_date", parsers.day),
        Column("dt_report", "report_date", parsers.day, required=True),
        Column("dt_start_exp", "exposure_start_date", parsers.day),
        Column("dt_end_exp", "exposure_end_date", parsers.day),
        # The laboratory confirmation is the diagnosis; it stands for the first positive sample.
        Column("dt_diag", "first_positive_date", parsers.day),
        Column("outcome", "outcome", parsers.word({"Alive": "treating", "Dead": "died_disease"})),
        Column("dt_death", "outcome_date", parsers.day),
    ),
    fixed={"classification": "confirmed", "age_unit": "Y"},
    left_out={"age_class": DERIVED, "week_report": DERIVED},
)

EBOLA_SIM = Profile(
    name="ebola-sim",
    title="Simulated Ebola outbreak (R package outbreaks): cases",
    family="ebola-sim",
    disease="ebola",
    columns=(
        Column("case_id", "source_id", parsers.text(40), required=True),
        Column("date_of_onset", "onset_date", parsers.day, required=True),
        Column("date_of_hospitalisation", "report_date", parsers.day, required=True),
        Column("date_of_outcome", "outcome_date", parsers.day),
        Column("outcome", "outcome", parsers.word({"Death": "died_disease", "Recover": "recovered"})),
        Column("gender", "sex", parsers.word({"m": "1", "f": "2"})),
        Column("hospital", "hospital", parsers.text(120)),
    ),
    fixed={"classification": "confirmed"},
    left_out={
        "generation": DERIVED,
        "date_of_infection": _("Known only in a simulation."),
        "lon": PRECISE_HOME,
        "lat": PRECISE_HOME,
    },
)

CASE_PROFILES: dict[str, Profile] = {profile.name: profile for profile in (MERS_KOREA, EBOLA_SIM)}
