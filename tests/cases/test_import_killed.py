"""A run that dies in the middle goes on from its last commit: no row twice, none lost."""

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from access.actor import acting_as_owner
from access.roles import Role
from audit.models import Event
from cases.linelist import importing
from cases.models import Case, DiseaseProfile, ImportedRow, ImportRun
from tests import factories

pytestmark = pytest.mark.database

HEADER = "id,age,sex,dt_onset,dt_report,dt_diag,outcome"


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


def test_a_killed_run_goes_on_after_its_last_commit(
    private_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with factories.as_owner():
        province = factories.organisation("998000", "province", None, "甲省")
        city = factories.organisation("998100", "city", province, "甲市")
        district = factories.organisation("998101", "district", city, "甲区")
        by = factories.user("importer", Role.SUPERVISOR.value, district)
    with factories.as_person(by):
        disease = DiseaseProfile.objects.get(code="mers")
        outbreak = factories.outbreak(by, disease=disease, started_on=timezone.localdate())
        rows = [f"S{n},40,M,2015-05-1{n},2015-05-2{n},2015-05-2{n},Alive" for n in range(7)]
        content = "\n".join([HEADER, *rows]).encode()
        begun = importing.start_import(content, "mers-korea", outbreak, by, in_background=False)
    monkeypatch.setattr(importing, "BATCH", 3)
    honest, calls = importing._note, []

    def dying(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        honest(*args)

    monkeypatch.setattr(importing, "_note", dying)
    with pytest.raises(Killed):
        importing.run_import(begun.pk, by)
    assert counts(begun) == (3, 3, 3, ImportRun.Status.RUNNING, 1)
    importing.run_import(begun.pk, by)
    assert counts(begun) == (7, 7, 7, ImportRun.Status.DONE, 3)


def counts(begun: ImportRun) -> tuple[int, int, int, str, int]:
    with acting_as_owner(), transaction.atomic():
        run = ImportRun.objects.get(pk=begun.pk)
        events = Event.objects.filter(act="import.rows").count()
        return Case.objects.count(), ImportedRow.objects.count(), run.next_row, run.status, events
