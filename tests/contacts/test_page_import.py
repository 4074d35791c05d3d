"""Importing a line list through the pages: dry run, start, progress, result."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from access.actor import acting_as_owner
from cases import tasks
from cases.models import Case, DiseaseProfile, ImportFile, ImportRun, Outbreak
from contacts.models import TransmissionLink
from tests import factories
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]
START = reverse("contacts:import")
HEADER = "id,age,sex,loc_hosp,dt_onset,dt_report,dt_start_exp,dt_diag,outcome,shoe_size"
ROWS = [
    "SK_1,68,M,First hospital,2015-05-11,2015-05-19,2015-05-01,2015-05-20,Alive,44",
    "SK_2,63,X,Second hospital,2015-05-18,2015-05-20,,2015-05-21,Dead,38",
    "SK_3,76,M,,,2015-05-20,,2015-05-21,Alive,",
]


@pytest.fixture
def outbreak(world: World) -> Outbreak:
    with factories.as_person(world.supervisor):
        return factories.outbreak(
            world.supervisor, code="MERS-2015", disease=DiseaseProfile.objects.get(code="mers")
        )


@pytest.fixture
def browser(world: World, signed_in: Any) -> Any:
    return signed_in(world.supervisor)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that the worker was told of."""
    told: list[str] = []
    monkeypatch.setattr(tasks.import_linelist, "delay", told.append)
    return told


def text(answer: Any) -> str:
    return str(answer.content.decode())


def words(world: World, outbreak: Outbreak, content: bytes, **changed: Any) -> dict[str, Any]:
    return {
        "file": SimpleUploadedFile("list.csv", content),
        "profile": "mers-korea",
        "outbreak": outbreak.pk,
        "district": world.district.pk,
        **changed,
    }


def csv(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def hold(browser: Any, world: World, outbreak: Outbreak, content: bytes, **changed: Any) -> ImportRun:
    answer = browser.post(START, words(world, outbreak, content, **changed))
    assert answer.status_code == 302, text(answer)
    with acting_as_owner():
        run = ImportRun.objects.order_by("-created_at")[0]
    assert answer["Location"] == page_of(run)
    return run


def page_of(run: ImportRun) -> str:
    return reverse("contacts:import_run", args=[run.pk])


def take_in(browser: Any, run: ImportRun, sent: list[str], capture: Any) -> None:
    """Press the button, then be the worker."""
    with capture(execute=True):
        assert browser.post(reverse("contacts:import_start", args=[run.pk])).status_code == 302
    assert sent == [str(run.pk)]
    tasks.import_linelist(sent.pop())


def counts(*models: Any) -> list[int]:
    with acting_as_owner():
        return [model.objects.count() for model in models]


def again(run: ImportRun) -> ImportRun:
    with acting_as_owner():
        return ImportRun.objects.get(pk=run.pk)


def test_the_dry_run_tells_what_would_happen_and_writes_nothing(
    world: World, outbreak: Outbreak, browser: Any, events: Any
) -> None:
    assert browser.get(START).status_code == 200
    before = counts(Case)
    run = hold(browser, world, outbreak, csv(*ROWS))
    answer = browser.get(page_of(run))
    assert answer.context["plan"].counts == {"new": 2, "changed": 0, "same": 0, "refused": 1}
    page = text(answer)
    assert "shoe_size" in page
    assert "The profile does not know this code." in page
    assert "First hospital" not in page
    assert counts(Case) == before
    assert run.status == "previewed"
    assert events("import.preview")[0]["counts"]["new"] == 2


def test_the_uploaded_file_is_sealed(world: World, outbreak: Outbreak, browser: Any) -> None:
    run = hold(browser, world, outbreak, csv(*ROWS))
    with acting_as_owner():
        sealed = bytes(ImportFile.objects.get(run=run).sealed or b"")
    assert sealed
    assert b"First hospital" not in sealed


def test_starting_takes_the_rows_in_and_lists_the_refused(
    *,
    world: World,
    outbreak: Outbreak,
    browser: Any,
    sent: list[str],
    events: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    [before] = counts(Case)
    run = hold(browser, world, outbreak, csv(*ROWS))
    take_in(browser, run, sent, django_capture_on_commit_callbacks)
    page = text(browser.get(page_of(run)))
    assert "The profile does not know this code." in page
    assert "First hospital" not in page
    assert counts(Case) == [before + 2]
    assert again(run).status == "done"
    with acting_as_owner():
        assert ImportFile.objects.get(run=run).sealed is None
    begun = [event for event in events("import.run") if event["actor"]["id"] == str(world.supervisor.pk)]
    assert {event["object"]["label"] for event in begun} == {"MERS-2015"}
    assert begun


def test_starting_twice_begins_once(
    world: World, outbreak: Outbreak, browser: Any, sent: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    run = hold(browser, world, outbreak, csv(*ROWS))
    with django_capture_on_commit_callbacks(execute=True):
        for _n in range(2):
            browser.post(reverse("contacts:import_start", args=[run.pk]))
    assert sent == [str(run.pk)]


def test_without_a_broker_the_run_waits_for_the_sweep(
    *,
    world: World,
    outbreak: Outbreak,
    browser: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    settings: Any,
) -> None:
    def down(_run_id: str) -> None:
        raise OperationalError("nobody there")

    monkeypatch.setattr(tasks.import_linelist, "delay", down)
    run = hold(browser, world, outbreak, csv(*ROWS))
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(reverse("contacts:import_start", args=[run.pk])).status_code == 302
    assert again(run).status == "waiting"
    page = text(browser.get(page_of(run)))
    assert "<progress" in page
    assert reverse("contacts:import_progress", args=[run.pk]) in page
    with acting_as_owner():
        ImportRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    found: list[str] = []
    monkeypatch.setattr(tasks.import_linelist, "delay", found.append)
    assert tasks.resume_imports() == 1
    assert found == [str(run.pk)]
    named = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {tasks.resume_imports.name, tasks.forget_held_files.name} <= named


def test_progress_is_two_numbers_and_refreshes_the_page_at_the_end(
    world: World, outbreak: Outbreak, browser: Any, sent: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    run = hold(browser, world, outbreak, csv(*ROWS))
    address = reverse("contacts:import_progress", args=[run.pk])
    assert "0 / 3" in text(browser.get(address))
    take_in(browser, run, sent, django_capture_on_commit_callbacks)
    assert browser.get(address)["HX-Refresh"] == "true"


def test_a_file_can_be_forgotten(world: World, outbreak: Outbreak, browser: Any, events: Any) -> None:
    before = counts(Case)
    run = hold(browser, world, outbreak, csv(*ROWS))
    assert browser.post(reverse("contacts:import_discard", args=[run.pk])).status_code == 302
    assert again(run).status == "stopped"
    with acting_as_owner():
        assert ImportFile.objects.get(run=run).sealed is None
    assert counts(Case) == before
    assert events("import.run")[0]["reason"] == "discarded"
    assert browser.get(page_of(run)).status_code == 200


def test_a_file_nobody_started_is_forgotten_after_a_day(
    world: World, outbreak: Outbreak, browser: Any
) -> None:
    old = hold(browser, world, outbreak, csv(*ROWS))
    with acting_as_owner():
        ImportRun.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    young = hold(browser, world, outbreak, csv(*ROWS[:1]))
    assert tasks.forget_held_files() == 1
    assert [again(run).status for run in (old, young)] == ["stopped", "previewed"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Choose a CSV or XLSX file"),
        (b"id,age\nSK_1,2\n", "does not have it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "protected"),
        (b"\x00\x01\x02", "Control characters"),
    ],
)
def test_an_unusable_file_is_refused_beside_the_field(
    world: World, outbreak: Outbreak, browser: Any, content: bytes, reason: str
) -> None:
    answer = browser.post(START, words(world, outbreak, content))
    assert answer.status_code == 422
    assert reason in text(answer)
    assert counts(ImportRun, ImportFile) == [0, 0]


def test_bad_words_are_refused(world: World, outbreak: Outbreak, browser: Any) -> None:
    for changed in (
        {"profile": "nothing"},
        {"outbreak": "x"},
        {"outbreak": ""},
        {"profile": ""},
        {"district": world.other_district.pk},
        {"file": ""},
    ):
        answer = browser.post(START, words(world, outbreak, csv(*ROWS)) | changed)
        assert answer.status_code == 422
    assert counts(ImportRun) == [0]


def test_nothing_is_chosen_beforehand(world: World, outbreak: Outbreak, browser: Any) -> None:
    page = text(browser.get(START))
    for name in ("profile", "outbreak"):
        drawn = page.split(f'<select name="{name}"')[1].split("</select>")[0]
        assert '<option value="" selected>' in drawn
        assert drawn.count("selected") == 1
        assert "required" in drawn


@pytest.mark.parametrize("profile", ["mers-korea", "mers-korea-links", "ebola-sim"])
def test_a_profile_of_another_disease_is_refused_beside_the_outbreak(
    world: World, browser: Any, profile: str
) -> None:
    answer = browser.post(START, words(world, world.outbreak, csv(*ROWS), profile=profile))
    assert answer.status_code == 422
    reason = "The profile is of another disease than this outbreak."
    assert answer.context["form"].errors["outbreak"] == [reason]
    assert counts(ImportRun) == [0]


def test_the_dry_run_lists_what_the_pages_refuse(world: World, outbreak: Outbreak, browser: Any) -> None:
    late = "SK_4,70,M,,2015-06-30,2015-05-19,,2015-05-20,Alive,"
    page = text(browser.get(page_of(hold(browser, world, outbreak, csv(ROWS[0], late)))))
    assert "The onset is after the report. Check both dates." in page
    assert "dt_onset" in page


def test_a_run_is_its_own_persons(world: World, outbreak: Outbreak, browser: Any, signed_in: Any) -> None:
    run = hold(browser, world, outbreak, csv(*ROWS))
    other = signed_in(world.other_supervisor)
    for name in ("import_run", "import_progress"):
        assert other.get(reverse(f"contacts:{name}", args=[run.pk])).status_code == 404
    for name in ("import_start", "import_discard"):
        assert other.post(reverse(f"contacts:{name}", args=[run.pk])).status_code == 404
    assert again(run).status == "previewed"


@pytest.mark.parametrize("role", ["investigator", "auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_only_supervisors_import(world: World, outbreak: Outbreak, signed_in: Any, role: str) -> None:
    client = signed_in(world.people[role])
    assert client.get(START).status_code == 403
    assert client.post(START, words(world, outbreak, csv(*ROWS))).status_code == 403
    assert counts(ImportRun) == [0]


def test_the_navigation_leads_to_the_import(browser: Any) -> None:
    assert f'href="{START}"' in text(browser.get(reverse("contacts:list")))


def test_the_real_mers_outbreak_goes_in_through_the_pages(
    *,
    world: World,
    outbreak: Outbreak,
    browser: Any,
    sent: list[str],
    shared_data: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    [before] = counts(Case)
    folder = shared_data / "outbreaks"
    for file, profile in (
        ("mers_korea_2015_linelist.csv", "mers-korea"),
        ("mers_korea_2015_contacts.csv", "mers-korea-links"),
    ):
        content = (folder / file).read_bytes()
        run = hold(browser, world, outbreak, content, profile=profile)
        planned = browser.get(page_of(run)).context["plan"].counts
        take_in(browser, run, sent, django_capture_on_commit_callbacks)
        result = browser.get(page_of(run))
        assert result.context["counts"] == planned
        assert again(run).status == "done"
    cases, links = counts(Case, TransmissionLink)
    assert cases - before == 162
    assert links > 90
    second = hold(browser, world, outbreak, (folder / "mers_korea_2015_linelist.csv").read_bytes())
    assert browser.get(page_of(second)).context["plan"].counts["same"] == 162
