"""Importing a line list: a dry run writes nothing, twice makes no duplicates, all of it is in the trail."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils import timezone

from access.actions import ledger_actor
from access.actor import acting_as, acting_as_owner
from access.models import Organisation, User
from access.roles import Role
from audit import trail
from audit.models import Event
from cases import actions, tasks
from cases.forms import checking
from cases.linelist import importing
from cases.linelist.problems import REASONS
from cases.models import Case, DiseaseProfile, ImportedRow, ImportFile, ImportRowIssue, ImportRun, Outbreak
from contacts.models import TransmissionLink

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HEADER = "id,age,sex,loc_hosp,dt_onset,dt_report,dt_start_exp,dt_diag,outcome"
ROWS = [
    "SK_1,68,M,First hospital,2015-05-11,2015-05-19,2015-05-01,2015-05-20,Alive",
    "SK_2,63,F,Second hospital,2015-05-18,2015-05-20,,2015-05-21,Dead",
    "SK_3,76,M,,,2015-05-20,,2015-05-21,Alive",
]


def csv(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


@pytest.fixture
def place(db: None) -> dict[str, Organisation]:
    with acting_as_owner():
        made: dict[str, Organisation] = {}
        for code, level, parent in (
            ("999000", "province", None),
            ("999100", "city", "999000"),
            ("999101", "district", "999100"),
            ("999102", "district", "999100"),
        ):
            made[code] = Organisation.objects.create(
                code=code,
                level=level,
                parent=made.get(parent or ""),
                name_zh=f"机构{code}",
                name_en=f"Organisation {code}",
                area_zh=f"地区{code}",
                area_en=f"Area {code}",
            )
    return made


@pytest.fixture
def person(place: dict[str, Organisation]) -> Callable[..., User]:
    def make(username: str, role: Role, code: str = "999101") -> User:
        with acting_as_owner():
            return User.objects.create_user(
                username, "a-long-password", display_name=username, role=role.value, organisation=place[code]
            )

    return make


@pytest.fixture
def importer(person: Callable[..., User]) -> User:
    return person("importer", Role.SUPERVISOR)


@pytest.fixture
def outbreak(importer: User) -> Outbreak:
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        values = {
            "code": "MERS-TEST",
            "name": "Test",
            "disease": DiseaseProfile.objects.get(code="mers"),
            "started_on": timezone.localdate(),
        }
        return actions.open_outbreak(values, by=importer)


def run(content: bytes, outbreak: Outbreak, by: User, profile: str = "mers-korea") -> ImportRun:
    with acting_as(by), trail.audit_job("test", ledger_actor(by)):
        begun = importing.start_import(content, profile, outbreak, by, in_background=False)
    return importing.run_import(begun.pk, by)


def plan(content: bytes, outbreak: Outbreak, by: User, profile: str = "mers-korea") -> importing.Plan:
    with acting_as(by), trail.audit_job("test", ledger_actor(by)):
        return importing.preview(content, profile, outbreak, by=by)


def rows_of(*models: Any) -> list[int]:
    with acting_as_owner():
        return [model.objects.count() for model in models]


def test_new_rows_become_cases_with_a_pseudonym(outbreak: Outbreak, importer: User) -> None:
    assert importing.counts_of(run(csv(*ROWS), outbreak, importer)) == {
        "new": 3, "changed": 0, "same": 0, "refused": 0
    }  # fmt: skip
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        case = Case.objects.order_by("case_no").first()
        assert case is not None
        assert case.full_name is not None
        assert case.full_name.reveal() == "unknown SK_1"
        assert case.hospital is not None
        assert case.hospital.reveal() == "First hospital"
        assert case.exposure_start_date is not None
        assert str(case.exposure_start_date.reveal()) == "2015-05-01"
        assert (case.case_no, case.sex, case.age_value, case.classification) == (
            "MERS-TEST-0001",
            "1",
            68,
            "confirmed",
        )
        assert case.city is not None
        assert case.city.code == "999100"


def test_an_imported_case_shows_the_days_of_its_source(outbreak: Outbreak, importer: User) -> None:
    run(csv(ROWS[0]), outbreak, importer)
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        case = Case.objects.select_related("outbreak__disease").get(case_no="MERS-TEST-0001")
        assert case.diagnosed_at is not None
        assert str(timezone.localdate(case.diagnosed_at)) == str(case.first_positive_date) == "2015-05-20"
        assert str(timezone.localdate(case.reported_at)) == "2015-05-19"
        found = [one.code for one in checking.findings(case, {}) if one.is_error]
    assert set(found) == {"before_outbreak"}


def test_the_same_file_twice_makes_no_duplicates(outbreak: Outbreak, importer: User) -> None:
    run(csv(*ROWS), outbreak, importer)
    assert importing.counts_of(run(csv(*ROWS), outbreak, importer))["same"] == 3
    assert rows_of(Case, ImportedRow) == [3, 3]


def test_planning_after_an_import_finds_nothing_to_do(outbreak: Outbreak, importer: User) -> None:
    before = plan(csv(*ROWS), outbreak, importer)
    run(csv(*ROWS), outbreak, importer)
    after = plan(csv(*ROWS), outbreak, importer)
    assert (before.counts["new"], after.counts["same"]) == (3, 3)


def test_only_what_the_source_changed_is_written(outbreak: Outbreak, importer: User) -> None:
    run(csv(*ROWS), outbreak, importer)
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        case = Case.objects.get(case_no="MERS-TEST-0001")
        actions.correct_case(case, {"age_value": 69}, by=importer)
    newer = [ROWS[0].replace("2015-05-11", "2015-05-12"), *ROWS[1:]]
    planned = plan(csv(*newer), outbreak, importer)
    assert planned.counts == {"new": 0, "changed": 1, "same": 2, "refused": 0}
    run(csv(*newer), outbreak, importer)
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        case = Case.objects.get(case_no="MERS-TEST-0001")
        assert (str(case.onset_date), str(case.sort_date), case.age_value) == ("2015-05-12", "2015-05-12", 69)


def test_a_dry_run_writes_nothing_but_its_event(outbreak: Outbreak, importer: User) -> None:
    tables = (Case, ImportRun, ImportFile, ImportedRow, ImportRowIssue)
    planned = plan(csv(*ROWS, "SK_4,old,M,,,2015-05-20,,2015-05-21,Alive"), outbreak, importer)
    assert rows_of(*tables) == [0] * len(tables)
    assert [(one.row, one.column, one.code) for one in planned.problems] == [(5, "age", "not_a_number")]
    with acting_as_owner():
        event = Event.objects.get(act="import.preview")
    assert event.actor_id == importer.pk


def test_refused_rows_are_listed_and_the_good_ones_go_in(outbreak: Outbreak, importer: User) -> None:
    done = run(csv(*ROWS, "SK_4,70,X,,,2015-05-20,,2015-05-21,Alive"), outbreak, importer)
    assert (done.created_count, done.refused_count, done.status) == (3, 1, ImportRun.Status.DONE)
    with acting_as_owner():
        issue = ImportRowIssue.objects.get(run=done)
    assert (issue.row_number, issue.column, issue.reason) == (5, "sex", "unknown_code")


@pytest.mark.parametrize(
    ("row", "problems"),
    [
        ("2015-05-11,2015-05-19,2015-05-09,2015-05-05,2015-05-20,", [("dt_end_exp", "order")]),
        ("2015-05-11,2015-05-19,,,2013-01-01,", [("dt_diag", "long_before_report")]),
        ("2012-05-11,2015-05-19,,,2015-05-20,", [("dt_onset", "long_before_report")]),
        (
            "2015-06-30,2015-05-19,,,2015-05-20,",
            [("dt_diag", "long_before_onset"), ("dt_onset", "after_report")],
        ),
        ("2015-05-11,2015-05-19,,,2015-05-20,2015-05-10", [("dt_death", "before_onset_date")]),
        ("2015-05-11,2999-05-19,,,2015-05-20,", [("dt_report", "future")]),
        ("2015-05-11,2015-05-19,2999-01-01,,2015-05-20,", [("dt_end_exp", "future")]),
        (",2015-05-19,,,,", [("dt_onset", "missing")]),
    ],
)
def test_what_the_pages_refuse_is_listed_with_column_and_reason(
    outbreak: Outbreak, importer: User, row: str, problems: list[tuple[str, str]]
) -> None:
    head = "id,dt_onset,dt_report,dt_start_exp,dt_end_exp,dt_diag,dt_death"
    content = "\n".join([head, "SK_1,2015-05-11,2015-05-19,,,2015-05-20,", f"SK_2,{row}"]).encode()
    planned = plan(content, outbreak, importer)
    found = [(one.column, one.code) for one in planned.problems if one.row == 3]
    assert set(problems) <= set(found)
    assert len(found) == len(set(found))
    assert all(one.code in REASONS for one in planned.problems)
    assert planned.counts == {"new": 1, "changed": 0, "same": 0, "refused": 1}
    done = run(content, outbreak, importer)
    assert (done.created_count, done.refused_count) == (1, 1)


@pytest.mark.parametrize(
    "row",
    [
        "2015-05-21,2015-05-19,,,2015-05-20,",
        "2015-05-11,2015-05-19,2015-04-01,2015-04-02,2015-05-20,",
        "2015-05-11,2015-05-19,2015-05-01,2015-05-15,2015-05-20,",
        "2015-05-11,2015-05-19,,,2015-05-20,2015-05-15",
    ],
    ids=[
        "diagnosed and reported before falling ill",
        "long incubation",
        "exposed after onset",
        "diagnosed after death",
    ],
)
def test_what_the_pages_remark_on_and_real_lists_hold_goes_in(
    outbreak: Outbreak, importer: User, row: str
) -> None:
    head = "id,dt_onset,dt_report,dt_start_exp,dt_end_exp,dt_diag,dt_death"
    assert plan(f"{head}\nSK_1,{row}".encode(), outbreak, importer).counts["new"] == 1


def test_what_the_database_refuses_is_one_row_s_fate(
    outbreak: Outbreak, importer: User, monkeypatch: Any
) -> None:
    from cases.linelist import writing

    honest = writing.case_values

    def broken(source_id: str, values: Any) -> dict[str, Any]:
        return honest(source_id, values) | ({"sex": "?"} if source_id == "SK_2" else {})

    monkeypatch.setattr(writing, "case_values", broken)
    done = run(csv(*ROWS), outbreak, importer)
    assert (done.created_count, done.refused_count) == (2, 1)
    assert rows_of(Case, ImportedRow) == [2, 2]


def test_a_stopped_run_goes_on_where_it_stopped(
    outbreak: Outbreak, importer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        begun = importing.start_import(csv(*ROWS), "mers-korea", outbreak, importer, in_background=False)
    assert importing._run_batch(begun.pk, importer, importing._Source()) is True
    assert rows_of(Case) == [2]
    done = importing.run_import(begun.pk, importer)
    assert (done.created_count, done.next_row, done.percent, rows_of(Case)) == (3, 3, 100, [3])


def test_the_file_is_sealed_until_the_run_is_over_and_erased_then(outbreak: Outbreak, importer: User) -> None:
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        begun = importing.start_import(csv(*ROWS), "mers-korea", outbreak, importer, in_background=False)
    with acting_as_owner():
        sealed = bytes(ImportFile.objects.get(run=begun).sealed or b"")
        assert len(sealed) > 100
        assert b"SK_1" not in sealed
    importing.run_import(begun.pk, importer)
    with acting_as_owner():
        assert ImportFile.objects.get(run=begun).sealed is None


def test_the_trail_names_the_touched_cases_and_no_value(outbreak: Outbreak, importer: User) -> None:
    run(csv(*ROWS), outbreak, importer)
    with acting_as_owner():
        events = list(Event.objects.filter(act__startswith="import.").order_by("occurred_at"))
        assert [event.act for event in events] == ["import.run", "import.rows", "import.run"]
        assert {event.actor_id for event in events} == {importer.pk}
        bodies = "".join(bytes(event.body).decode() for event in events)
        assert all(str(case.pk) in bodies for case in Case.objects.all())
    assert not any(word in bodies for word in ("SK_1", "hospital", "2015-05", "unknown"))


def test_an_outsider_may_not_import_into_the_district(
    outbreak: Outbreak, person: Callable[..., User]
) -> None:
    outsider = person("outsider", Role.SUPERVISOR, "999102")
    with pytest.raises(PermissionDenied):
        run(csv(*ROWS), outbreak, outsider)
    assert rows_of(Case, ImportRun) == [0, 0]


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.AUDITOR, Role.SYSADMIN, Role.PARTNER])
def test_the_wrong_role_may_not_import(outbreak: Outbreak, person: Callable[..., User], role: Role) -> None:
    with pytest.raises(PermissionDenied):
        run(csv(*ROWS), outbreak, person("somebody", role))
    assert rows_of(Case, ImportRun) == [0, 0]


def test_links_join_the_imported_cases(outbreak: Outbreak, importer: User) -> None:
    run(csv(*ROWS), outbreak, importer)
    links = b"from,to,exposure,diff_dt_onset\nSK_1,SK_2,Hospital room,7\nSK_2,SK_3,Family member ,\n"
    done = run(links, outbreak, importer, "mers-korea-links")
    assert (done.created_count, done.refused_count) == (2, 0)
    again = run(links.replace(b"Hospital room", b"Family member"), outbreak, importer, "mers-korea-links")
    assert (again.changed_count, again.unchanged_count) == (1, 1)
    with acting_as_owner():
        assert [link.setting for link in TransmissionLink.objects.all()] == ["household", "household"]


def test_impossible_links_are_refused_with_their_reason(outbreak: Outbreak, importer: User) -> None:
    run(csv(*ROWS), outbreak, importer)
    links = b"from,to,exposure\nSK_1,SK_9,\nSK_1,SK_2,\nSK_2,SK_3,\nSK_3,SK_1,\n"
    done = run(links, outbreak, importer, "mers-korea-links")
    with acting_as_owner():
        issues = list(ImportRowIssue.objects.filter(run=done).values_list("row_number", "column", "reason"))
    assert issues == [(2, "to", "unknown_case"), (5, "to", "would_make_cycle")]
    assert done.created_count == 2


def command(*words: str) -> str:
    out = StringIO()
    call_command("import_linelist", *words, stdout=out)
    return out.getvalue()


def test_the_command_tells_what_it_will_do_and_does_it(
    outbreak: Outbreak, importer: User, tmp_path: Path
) -> None:
    cases, links = tmp_path / "cases.csv", tmp_path / "links.csv"
    cases.write_bytes(csv(*ROWS))
    links.write_bytes(b"from,to,exposure\nSK_1,SK_2,Hospital room\n")
    words = (str(cases), "--profile", "mers-korea", "--outbreak", "MERS-TEST", "--links", str(links))
    said = command(*words, "--dry-run")
    assert "nothing was written" in said
    assert "refused:" not in said
    assert rows_of(Case, TransmissionLink) == [0, 0]
    said = command(*words)
    assert "importer" in said
    assert rows_of(Case, TransmissionLink) == [3, 1]


def test_the_command_lists_outbreaks_when_the_code_is_unknown(outbreak: Outbreak, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(csv(*ROWS))
    with pytest.raises(CommandError, match=r"MERS-TEST.*--open-outbreak") as caught:
        command(str(file), "--profile", "mers-korea", "--outbreak", "NOWHERE")
    assert caught.value.returncode == 1


OTHERS = [role for role in Role if role is not Role.SUPERVISOR]


@pytest.mark.parametrize("profile", ["mers-korea", "mers-korea-links"])
@pytest.mark.parametrize("role", OTHERS)
def test_the_command_refuses_whoever_lacks_the_right_in_one_line(
    outbreak: Outbreak, person: Callable[..., User], tmp_path: Path, role: Role, profile: str
) -> None:
    person("somebody", role)
    file = tmp_path / "cases.csv"
    file.write_bytes(csv(*ROWS))
    for more in ((), ("--links", str(file)), ("--dry-run",), ("--open-outbreak", "A", "--disease", "mers")):
        if profile.endswith("links") and "--links" in more:
            continue
        with pytest.raises(CommandError, match=r"^somebody may not import line lists$") as caught:
            command(str(file), "--profile", profile, "--outbreak", "MERS-TEST", "--by", "somebody", *more)
        assert caught.value.returncode == 1
    assert rows_of(Case, ImportRun) == [0, 0]


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--by", "nobody"), "no active account nobody"), (("--district", "000000"), "000000 is no district")],
)
def test_the_command_says_in_one_line_who_or_what_is_unknown(
    outbreak: Outbreak, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(csv(*ROWS))
    with pytest.raises(CommandError, match=rf"^{said}$") as caught:
        command(str(file), "--profile", "mers-korea", "--outbreak", "MERS-TEST", *words)
    assert caught.value.returncode == 1


def test_the_command_does_not_act_for_an_opener_who_lost_the_right(
    outbreak: Outbreak, importer: User, person: Callable[..., User], tmp_path: Path
) -> None:
    person("another", Role.SUPERVISOR)
    with acting_as_owner(), trail.audit_job("test"):
        importer.role = Role.AUDITOR.value
        importer.save(update_fields=["role"])
    file = tmp_path / "cases.csv"
    file.write_bytes(csv(*ROWS))
    with pytest.raises(CommandError, match=r"^importer may not import line lists$") as caught:
        command(str(file), "--profile", "mers-korea", "--outbreak", "MERS-TEST")
    assert caught.value.returncode == 1


def test_the_command_can_open_the_outbreak(importer: User, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(csv(*ROWS))
    words = (str(file), "--profile", "mers-korea", "--outbreak", "MERS-NEW")
    command(*words, "--open-outbreak", "A new one", "--disease", "mers", "--by", "importer")
    assert rows_of(Case, Outbreak) == [3, 1]


def test_the_command_refuses_a_profile_of_another_disease(outbreak: Outbreak, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(csv(*ROWS))
    with pytest.raises(CommandError, match=r"^ebola-sim is of ebola, MERS-TEST of mers$") as caught:
        command(str(file), "--profile", "ebola-sim", "--outbreak", "MERS-TEST")
    assert caught.value.returncode == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"id,age\n1,2\n"])
def test_an_unusable_file_ends_with_code_2(outbreak: Outbreak, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        command(str(file), "--profile", "mers-korea", "--outbreak", "MERS-TEST")
    assert caught.value.returncode == 2
    assert rows_of(Case, ImportRun) == [0, 0]


def test_the_line_list_of_korea_2015_goes_in_whole(
    outbreak: Outbreak, importer: User, shared_data: Path
) -> None:
    folder = shared_data / "outbreaks"
    words = ("--profile", "mers-korea", "--outbreak", "MERS-TEST", "--links")
    files = (str(folder / "mers_korea_2015_linelist.csv"), str(folder / "mers_korea_2015_contacts.csv"))
    said = command(files[0], *words, files[1])
    assert "refused:" not in said
    assert rows_of(Case, TransmissionLink) == [162, 98]
    command(files[0], *words, files[1])
    assert rows_of(Case, TransmissionLink) == [162, 98]


def test_the_worker_goes_on_in_the_person_s_name(outbreak: Outbreak, importer: User) -> None:
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        begun = importing.start_import(csv(*ROWS), "mers-korea", outbreak, importer, in_background=False)
    tasks.import_linelist(str(begun.pk))
    with acting_as_owner():
        assert {case.created_by_id for case in Case.objects.all()} == {importer.pk}
        assert ImportRun.objects.get(pk=begun.pk).status == ImportRun.Status.DONE


def test_a_run_of_somebody_who_lost_the_role_is_stopped(outbreak: Outbreak, importer: User) -> None:
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        begun = importing.start_import(csv(*ROWS), "mers-korea", outbreak, importer, in_background=False)
    with acting_as_owner(), trail.audit_job("test"):
        importer.role = Role.AUDITOR.value
        importer.save(update_fields=["role"])
    tasks.import_linelist(str(begun.pk))
    with acting_as_owner():
        assert ImportRun.objects.get(pk=begun.pk).status == ImportRun.Status.STOPPED
    assert rows_of(Case) == [0]


def test_silent_runs_are_sent_again(
    outbreak: Outbreak, importer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.import_linelist, "delay", sent.append)
    with acting_as(importer), trail.audit_job("test", ledger_actor(importer)):
        begun = importing.start_import(csv(*ROWS), "mers-korea", outbreak, importer, in_background=False)
    assert tasks.resume_imports() == 0
    with acting_as_owner():
        ImportRun.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    assert tasks.resume_imports() == 1
    assert sent == [str(begun.pk)]
